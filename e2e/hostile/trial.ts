import type { Engine } from "../harness/mod.ts";
import { ATTEMPTS, type Attempt } from "./attempts.ts";

/** How an attempt went: denied under `hardened` and how that was told, and whether it worked where it is allowed. */
export interface Trial {
  readonly attempt: Attempt;
  readonly denied: boolean;
  /** Everything that was said of it. */
  readonly said: string;
  readonly worksElsewhere: boolean;
}

/** Makes the images that attempts are made in; `bb` is there. */
export async function prepareHostile(engine: Engine): Promise<void> {
  const script =
    "rm -f /bin/su; cp /bin/busybox /bin/su && chmod 4755 /bin/su && echo root::0:0:root:/:/bin/sh > /etc/passwd";
  await engine.ok(["run", "--name", "hostile-setuid", "bb", "sh", "-c", script]);
  await engine.ok(["commit", "hostile-setuid", "bb-setuid"]);
  await engine.ok(["rm", "hostile-setuid"]);
}

/** Runs every attempt under `hardened`, and where it is to work. */
export async function* tryAll(engine: Engine, names: (name: string) => boolean = () => true): AsyncGenerator<Trial> {
  for (const attempt of ATTEMPTS) {
    if (!names(attempt.name)) continue;
    const hardened = await attack(engine, attempt, ["--profile", "hardened"]);
    const elsewhere = await attack(engine, attempt, attempt.works);
    yield { attempt, denied: hardened.code !== 0, said: hardened.said, worksElsewhere: elsewhere.code === 0 };
  }
}

async function attack(engine: Engine, { script, flags = [], image = "bb" }: Attempt, profile: readonly string[]) {
  const given = flags.map((flag) => flag.replace("SOCKET", engine.own.socket));
  const args = ["run", "--name", "hostile", ...profile, ...given, image, "sh", "-c", `exec 2>&1; ${script}`];
  const { code, stdout, stderr } = await engine.havre(args, { timeout: 60_000 });
  const why = await engine.havre(["why", "hostile"]);
  await engine.havre(["rm", "-f", "-v", "hostile"]);
  return { code, said: [stdout, stderr, why.code === 0 ? why.stdout : ""].join("\n") };
}

/** The explanation in one line: the rule that denied it, or what refused the run. */
export function explanation({ attempt, said }: Trial): string {
  const rule = /denied by {2}(.+)/.exec(said)?.[1];
  const refused = /daemon: (.+? is denied by the hardened profile)/.exec(said)?.[1];
  return rule ?? refused ?? SILENT[attempt.name] ?? "";
}

/** Where nothing inside can be told of it: it just does not get what it wants. */
const SILENT: Readonly<Record<string, string>> = {
  "is root outside": "user ids: its own, root inside is nobody outside",
  "reads the kernel's timers": "kernel files: masked",
  "reads the kernel's log": "system calls: the filter denies it without CAP_SYSLOG",
  "fills the disk through /tmp": "scratch: 64 MiB of memory",
};
