import { expect, test } from "bun:test";
import { join } from "node:path";

/** What stty says of a terminal while a program has it raw, and after. */
test("raw touches neither input nor output, and is undone", async () => {
  const script = `
    import { makeRaw } from ${JSON.stringify(join(import.meta.dirname, "terminal.ts"))};
    import { spawnSync } from "node:child_process";
    const stty = () => spawnSync("stty", ["-a"], { stdio: [0, "pipe", "inherit"], encoding: "utf8" }).stdout;
    const raw = makeRaw(0);
    const during = stty();
    raw.restore();
    process.stdout.write(JSON.stringify({ during, after: stty() }) + "END");
  `;
  let screen = "";
  const program = Bun.spawn([process.execPath, "-e", script], {
    terminal: {
      data: (_terminal, data) => {
        screen += Buffer.from(data).toString();
      },
    },
  });
  expect(await program.exited).toBe(0);
  while (!screen.includes("END")) await Bun.sleep(1);
  const { during, after } = JSON.parse(screen.slice(0, screen.indexOf("END")));
  expect(during).toContain("-opost");
  expect(during).toContain("-icanon");
  expect(during).toContain("-echo ");
  expect(after).toMatch(/[^-]opost/);
  expect(after).toMatch(/[^-]icanon/);
  program.terminal?.close();
});
