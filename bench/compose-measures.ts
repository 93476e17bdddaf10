import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Contender, type Measure, must, type Settings, timed } from "./contender.ts";

/** Ten services on two networks with a volume. */
export const COMPOSE_MEASURES: readonly Measure[] = [
  composeMeasure("Compose, ten services: up", async (up) => timed(up)),
  composeMeasure("Compose, ten services: up again", async (up) => {
    await up();
    return timed(up);
  }),
  composeMeasure("Compose, ten services: down -v", async (up, down) => {
    await up();
    return timed(down);
  }),
];

function project(image: string): string {
  const services = Array.from({ length: 10 }, (_, number) =>
    [
      `  s${number}:`,
      `    image: ${image}`,
      '    command: ["/bin/sleep", "1000"]',
      "    init: false",
      "    stop_signal: SIGKILL",
      `    networks: [${number % 2 === 0 ? "front, back" : "back"}]`,
      ...(number > 6 ? ["    depends_on: [s0, s1]"] : []),
      ...(number === 3 ? ['    volumes: ["data:/data"]'] : []),
    ].join("\n"),
  );
  return `name: bench\nservices:\n${services.join("\n")}\nnetworks:\n  front: {}\n  back: {}\nvolumes:\n  data: {}\n`;
}

type Verb = () => Promise<unknown>;

function composeMeasure(name: string, take: (up: Verb, down: Verb) => Promise<number>): Measure {
  return {
    name,
    unit: "ms",
    take: async (contender: Contender, { image }: Settings) => {
      const folder = mkdtempSync(join(tmpdir(), "havre-bench-"));
      const file = join(folder, "compose.yaml");
      writeFileSync(file, project(image));
      const composer = { ...contender, command: (args: readonly string[]) => contender.compose(["-f", file, ...args]) };
      const down = () => must(composer, ["down", "-v", "-t", "0"]);
      try {
        return await take(() => must(composer, ["up", "-d"]), down);
      } finally {
        await down();
        rmSync(folder, { recursive: true });
      }
    },
  };
}
