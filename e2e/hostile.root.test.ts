/** Every attempt of a hostile container fails under `hardened`, is told why, and is seen to work where it is allowed. */
import { beforeAll, expect, test } from "bun:test";
import { useEngine } from "./harness/engine.ts";
import { ATTEMPTS } from "./hostile/attempts.ts";
import { explanation, prepareHostile, tryAll } from "./hostile/trial.ts";

const engine = useEngine();
beforeAll(() => prepareHostile(engine), 60_000);

test.each(ATTEMPTS.map(({ practice, name, told }) => [practice, name, told] as const))(
  "%s: %s",
  async (_practice, name, told) => {
    for await (const trial of tryAll(engine, (one) => one === name)) {
      expect(trial).toMatchObject({ denied: true, worksElsewhere: true });
      if (told.source !== "^$") expect(trial.said).toMatch(told);
      expect(explanation(trial)).not.toBe("");
    }
  },
  120_000,
);
