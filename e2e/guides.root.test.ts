/**
 * The guides as their readers follow them: every line that begins with `$` in a block of a page is run, in order, and
 * prints what the page says. In a page `…` stands for whatever comes, `# fails` for what shall not succeed, and a comment
 * `<!-- not run: why -->` before a block for what a test cannot do.
 */
import { afterEach, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { dockerCli, HAVRE, run, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docs = resolve(import.meta.dirname, "../docs");
const PAGES = [
  ...[
    "guide-laptop.md",
    "guide-images.md",
    "guide-networks.md",
    "guide-volumes.md",
    "guide-hardening.md",
    "containers.md",
  ],
  ...["from-docker.md", "from-podman.md"],
];
let programs = "";

beforeAll(async () => {
  await engine.ok(["tag", "bb", "busybox"]);
  programs = join(engine.folder, "programs");
  mkdirSync(programs);
  symlinkSync(HAVRE, join(programs, "havre"));
  symlinkSync(dockerCli(), join(programs, "docker"));
  // A person takes a moment to type, in which a server comes up.
  const ask =
    'for last; do :; done; for i in $(seq 100); do busybox wget -q -O - "$last" 2>/dev/null && exit; sleep 0.1; done; exit 1';
  const curl = `#!/bin/sh\n${ask}\n`;
  writeFileSync(join(programs, "curl"), curl, { mode: 0o755 });
});
afterEach(async () => {
  const left = (await engine.ok(["ps", "-aq"])).split("\n").filter(Boolean);
  if (left.length > 0) await engine.ok(["rm", "-f", ...left]);
  await engine.docker(["system", "prune", "-f"]);
  await engine.docker(["volume", "prune", "-a", "-f"]);
});

interface Step {
  readonly command: string;
  readonly fails: boolean;
  readonly output: readonly string[];
}

/** The commands of a page with what it says of their output. */
function stepsOf(text: string): Step[] {
  const blocks = text.matchAll(/(<!-- not run:[^>]*-->\s*)?^```console\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, skipped, block = ""]) =>
    skipped === undefined ? stepsOfBlock(block.split("\n")) : [],
  );
}

function stepsOfBlock(lines: string[]): Step[] {
  const steps: { command: string; fails: boolean; output: string[] }[] = [];
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const typed = /^\$ (.*?)(?:\s+# (fails).*)?$/.exec(line);
    if (!typed) {
      if (line !== "") steps.at(-1)?.output.push(line);
      continue;
    }
    let [, command = "", fails] = typed;
    const end = /<<'(\w+)'/.exec(command)?.[1];
    while (end !== undefined && !command.endsWith(`\n${end}`) && lines.length > 0) command += `\n${lines.shift()}`;
    steps.push({ command, fails: fails !== undefined, output: [] });
  }
  return steps;
}

/** Ids, addresses, times and the width of columns are another each time. */
function alike(text: string): string {
  return text
    .replace(/\b[0-9a-f]{12,64}\b/g, "ID")
    .replace(/\d+(\.\d+)*/g, "N")
    .replace(/\s+/g, " ")
    .trim();
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return String(typeof address === "object" && address ? address.port : 0);
}

test.each(PAGES)(
  "%s",
  async (page) => {
    const folder = mkdtempSync(join(engine.folder, "reader-"));
    const ports = new Map<string, string>();
    for (const port of ["8080", "9000"]) ports.set(port, await freePort());
    const { root, run: runFolder } = engine.own;
    const env = { ...engine.env, PATH: `${programs}:${process.env.PATH}`, HAVRE_ROOT: root, HAVRE_RUN: runFolder };
    const steps = stepsOf(readFileSync(join(docs, page), "utf8"));
    expect(steps.length).toBeGreaterThan(2);
    for (const { command, fails, output } of steps) {
      const typed = command.replace(/\b(8080|9000)\b/g, (port) => ports.get(port) ?? port);
      const { code, stdout, stderr } = await run("sh", ["-c", typed], { cwd: folder, env, timeout: 60_000 });
      const told = `${page}: ${command}\n${stdout}${stderr}`;
      expect({ told, succeeded: code === 0 }).toEqual({ told, succeeded: !fails });
      const shown = `${stdout}${stderr}`.replaceAll(folder, "").split("\n").map(alike);
      for (const line of output.filter((each) => !each.includes("…")).map(alike))
        expect({ told, shown }).toEqual({ told, shown: expect.arrayContaining([line]) });
      // Where a page shows everything there is, nothing else comes.
      if (output.length > 0 && !output.some((line) => line.includes("…")))
        expect(stdout.trimEnd().split("\n").length).toBeLessThanOrEqual(output.length);
    }
    rmSync(folder, { recursive: true });
  },
  120_000,
);
