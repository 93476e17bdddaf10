/** The launcher on a copy of the project whose program is a stand-in, so that only the launcher is on trial. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const home = resolve(import.meta.dirname, "../..");
let folder = "";
let copy = "";

const PROGRAM = `
import { spawnSync } from "node:child_process";
const [verb] = process.argv.slice(2);
if (verb === "worker") {
  const worker = new Worker(new URL("./echo-worker.ts", import.meta.url).href);
  worker.onmessage = (event) => { console.log(event.data); process.exit(0); };
  worker.postMessage("hello");
} else if (verb === "read") {
  for await (const chunk of process.stdin) process.stdout.write(chunk);
} else if (verb === "fail") process.exit(42);
else console.log(JSON.stringify({ arguments: process.argv.slice(2), cwd: process.cwd(), poison: process.env.POISON ?? null, descriptors: spawnSync("ls", ["/proc/" + process.pid + "/fd"]).status }));
`;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "havre-launcher-")));
  copy = join(folder, "clone");
  mkdirSync(join(copy, "src"), { recursive: true });
  for (const name of [
    "havre",
    "package.json",
    "package-lock.json",
    "scripts/build.ts",
    "scripts/prepare.sh",
    "scripts/modules-current.mjs",
  ]) {
    cpSync(join(home, name), join(copy, name), { preserveTimestamps: true });
  }
  writeFileSync(join(copy, "src/main.ts"), PROGRAM);
  writeFileSync(
    join(copy, "src/echo-worker.ts"),
    "self.onmessage = (event) => self.postMessage('worker says ' + event.data);",
  );
  symlinkSync(realpathSync(join(home, "node_modules")), join(copy, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string; uid?: number } = {},
): Outcome {
  const { env, ...rest } = options;
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    ...rest,
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

async function finished(child: ChildProcess): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr?.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}

describe("the launcher", () => {
  test("two at once on a fresh clone: one builds, both run", async () => {
    const started = ["one", "two"].map((word) => finished(spawn(join(copy, "havre"), [word], { cwd: folder })));
    const outcomes = await Promise.all(started);
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0]);
    expect(outcomes.map(({ stdout }) => JSON.parse(stdout).arguments)).toEqual([["one"], ["two"]]);
    const said = outcomes.map(({ stderr }) => stderr).join("");
    expect(said.match(/Building build\/havre/g)).toHaveLength(1);
    expect(readdirSync(join(copy, "build")).sort()).toEqual(["havre", "host-checked", "lock"]);
  }, 60_000);

  test("the next start says nothing and builds nothing", () => {
    const built = statSync(join(copy, "build/havre")).ino;
    const { stdout, stderr, status } = run(join(copy, "havre"), ["a b", "", "*"]);
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ arguments: ["a b", "", "*"], cwd: folder });
    expect(statSync(join(copy, "build/havre")).ino).toBe(built);
  });

  test("passes standard input and the exit code", () => {
    expect(run(join(copy, "havre"), ["read"], { input: "through" }).stdout).toBe("through");
    expect(run(join(copy, "havre"), ["fail"]).status).toBe(42);
  });

  test("standard input is not eaten by a build", () => {
    appendFileSync(join(copy, "src/main.ts"), "\n");
    const outcome = run(join(copy, "havre"), ["read"], { input: "through" });
    expect(outcome.stdout).toBe("through");
    expect(outcome.stderr).toContain("Building build/havre");
  });

  test("runs through links, relative and absolute, and by PATH", () => {
    mkdirSync(join(folder, "bin/deep"), { recursive: true });
    symlinkSync(join(copy, "havre"), join(folder, "bin/absolute"));
    symlinkSync("../../clone/havre", join(folder, "bin/deep/relative"));
    symlinkSync("deep/relative", join(folder, "bin/twice"));
    for (const [command, cwd] of [
      [join(folder, "bin/absolute"), "/"],
      [join(folder, "bin/deep/relative"), "/"],
      ["./twice", join(folder, "bin")],
      ["./havre", copy],
      ["../clone/havre", join(folder, "bin")],
    ] as const) {
      const outcome = run(command, ["x"], { cwd });
      expect({ command, status: outcome.status, stderr: outcome.stderr }).toEqual({ command, status: 0, stderr: "" });
      expect(JSON.parse(outcome.stdout).cwd).toBe(cwd);
    }
    const byPath = run("/bin/sh", ["-c", "absolute x"], {
      env: { PATH: `${join(folder, "bin")}:${process.env.PATH}` },
    });
    expect(byPath.status).toBe(0);
    expect(run("/bin/sh", ["havre", "x"], { cwd: copy }).status).toBe(0);
  });

  test("a folder's bunfig.toml and .env, and Bun's own variables, load nothing", () => {
    const hostile = join(folder, "hostile");
    mkdirSync(hostile);
    writeFileSync(join(hostile, "poison.ts"), "console.log('POISONED'); process.exit(66);");
    writeFileSync(join(hostile, "bunfig.toml"), 'preload = ["./poison.ts"]\n[run]\npreload = ["./poison.ts"]\n');
    writeFileSync(join(hostile, ".env"), "POISON=yes\n");
    writeFileSync(join(hostile, "package.json"), '{"name":"x","scripts":{"x":"echo POISONED"}}');
    writeFileSync(
      join(hostile, "tsconfig.json"),
      '{"compilerOptions":{"paths":{"node:child_process":["./poison.ts"]}}}',
    );
    const poison = join(hostile, "poison.ts");
    const env = { BUN_OPTIONS: `--preload=${poison}`, BUN_BE_BUN: "1", BUN_INSPECT_PRELOAD: poison };
    for (const outcome of [
      run(join(copy, "havre"), ["x"], { cwd: hostile }),
      run(join(copy, "havre"), ["x"], { cwd: hostile, env }),
      run(join(copy, "build/havre"), ["x"], { cwd: hostile }),
    ]) {
      expect(outcome.stdout).not.toContain("POISONED");
      expect(outcome).toMatchObject({ status: 0, stderr: "" });
      expect(JSON.parse(outcome.stdout).poison).toBeNull();
    }
    appendFileSync(join(copy, "src/main.ts"), "\n");
    const rebuilt = run(join(copy, "havre"), ["x"], { cwd: hostile, env });
    expect(rebuilt.stdout).not.toContain("POISONED");
    expect(rebuilt.status).toBe(0);
  });

  test("the program needs no source, workers included", () => {
    const away = join(folder, "away");
    mkdirSync(away);
    cpSync(join(copy, "build/havre"), join(away, "havre"));
    expect(run(join(away, "havre"), ["worker"])).toEqual({ status: 0, stdout: "worker says hello\n", stderr: "" });
  });

  test("a build that fails says so, exits 125 and leaves the program that was", () => {
    const before = statSync(join(copy, "build/havre")).ino;
    writeFileSync(join(copy, "src/broken.ts"), "export const = 1;");
    appendFileSync(join(copy, "src/main.ts"), 'import "./broken.ts";\n');
    const outcome = run(join(copy, "havre"), ["x"]);
    writeFileSync(join(copy, "src/main.ts"), PROGRAM);
    expect(outcome.status).toBe(125);
    expect(outcome.stderr).toContain("broken.ts");
    expect(outcome.stderr).toContain("The build failed");
    expect(statSync(join(copy, "build/havre")).ino).toBe(before);
    expect(readdirSync(join(copy, "build")).sort()).toEqual(["havre", "host-checked", "lock"]);
    expect(run(join(copy, "havre"), ["x"]).status).toBe(0);
  });

  test("without a network and without node_modules it says what to do", () => {
    const offline = join(folder, "offline");
    cpSync(copy, offline, { recursive: true, filter: (path) => !/\/(build|node_modules)$/.test(path) });
    const outcome = run("unshare", ["--net", join(offline, "havre"), "x"], {
      env: { npm_config_cache: join(folder, "empty-cache"), npm_config_fetch_retries: "0" },
    });
    expect(outcome.status).toBe(125);
    expect(outcome.stderr).toContain("Installing npm packages (npm ci --omit=dev)");
    expect(outcome.stderr).toContain("is there a network");
    expect(outcome.stdout).toBe("");
  });

  test("an ordinary user runs what is built, and is told when the folder is not theirs to build in", () => {
    chmodSync(folder, 0o755);
    const nobody = { uid: 65534 };
    expect(run(join(copy, "havre"), ["x"], nobody)).toMatchObject({ status: 0, stderr: "" });
    const later = new Date(Date.now() + 1000);
    utimesSync(join(copy, "src/main.ts"), later, later);
    const outcome = run(join(copy, "havre"), ["x"], nobody);
    utimesSync(join(copy, "src/main.ts"), new Date(0), new Date(0));
    expect(outcome.status).toBe(125);
    expect(outcome.stderr).toContain(`${copy}/build cannot be written by nobody`);
  });

  test("missing packages: named with the command for a user, and for other distributions", () => {
    const bin = join(folder, "few");
    mkdirSync(bin);
    for (const tool of [
      "sh",
      "dirname",
      "find",
      "flock",
      "id",
      "mkdir",
      "node",
      "readlink",
      "touch",
      "uname",
      "wc",
      "grep",
    ]) {
      const path = run("/bin/sh", ["-c", `command -v ${tool}`]).stdout.trim();
      symlinkSync(realpathSync(path), join(bin, tool));
    }
    const prepare = (package_manager: string, uid?: number): string => {
      symlinkSync("/bin/false", join(bin, package_manager));
      // No system folder on the PATH, also none that the script adds: as if nothing were installed.
      const script = join(copy, "scripts/prepare.sh");
      const outcome = run(
        "/bin/sh",
        [
          "-c",
          `sed 's#:/usr/local/sbin:/usr/sbin:/sbin##' "$1" > "$1.few"; PATH=$2 exec sh "$1.few"`,
          "sh",
          script,
          bin,
        ],
        { ...(uid === undefined ? {} : { uid }) },
      );
      rmSync(join(bin, package_manager));
      rmSync(`${script}.few`, { force: true });
      return outcome.stderr;
    };
    expect(prepare("dnf")).toContain("dnf install conmon crun runc nftables iproute procps-ng");
    expect(prepare("zypper")).toContain("zypper install conmon crun");
    expect(prepare("pacman")).toContain("pacman -S conmon crun");
    expect(prepare("apk")).toContain("apk add conmon crun");
    chmodSync(join(copy, "build"), 0o777);
    chmodSync(join(copy, "build/lock"), 0o666);
    chmodSync(join(copy, "scripts"), 0o777);
    const said = prepare("apt-get", 65534);
    expect(said).toContain("installing them needs root");
    expect(said).toContain("sudo apt-get install --no-install-recommends conmon crun runc nftables");
  });

  test("adds less than five milliseconds", () => {
    // Of processor time, which other work on the machine does not stretch.
    const median = (command: string): number => {
      const times = Array.from({ length: 21 }, () => Bun.spawnSync([command, "fail"]).resourceUsage.cpuTime.total);
      return Number(times.sort((a, b) => Number(a) - Number(b))[10]) / 1000;
    };
    expect(run(join(copy, "havre"), ["x"]).stderr).toBe("");
    expect(median(join(copy, "havre")) - median(join(copy, "build/havre"))).toBeLessThan(5);
  });
});
