/** A virtual machine with Debian's own kernel: made once, booted as often as wanted, never changed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { debianMirror } from "../harness/docker-cli.ts";

const home = resolve(import.meta.dirname, "../..");
const base = join(home, "build/test-tools/vm");

/** One machine shows AppArmor, the other what stands in its place. */
const SECURITY = { 1: " apparmor=0", 2: "" } as const;

export interface Boot {
  readonly cgroups: 1 | 2;
  /** Folder that the machine finds, read only, at /payload. */
  readonly payload: string;
  /** Milliseconds after which the machine is switched off. */
  readonly patience: number;
  readonly onLine: (line: string) => void;
}

/** Makes the disk and first stage of the machine, unless they are there and as this folder says. A minute. */
export function makeBase(): void {
  const sources = ["base.sh", "init.sh"].map((name) => join(import.meta.dirname, name));
  const made = join(base, "root.ext4");
  if (existsSync(made) && sources.every((path) => statSync(path).mtimeMs < statSync(made).mtimeMs)) return;
  mkdirSync(join(home, "build/test-tools"), { recursive: true });
  execFileSync("sh", [join(import.meta.dirname, "base.sh"), base, debianMirror()], { stdio: "inherit" });
}

/** Boots the machine and resolves when it is off. False: it had to be switched off. */
export async function boot({ cgroups, payload, patience, onLine }: Boot): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "havre-vm-"));
  try {
    const disk = join(folder, "payload.ext4");
    execFileSync("mkfs.ext4", ["-q", "-d", payload, "-E", "nodiscard", disk, "400M"]);
    const scratch = join(folder, "scratch");
    writeFileSync(scratch, "");
    truncateSync(scratch, 64 * 1024 * 1024);
    const drives = [join(base, "root.ext4"), disk, scratch];
    const child = spawn(
      "qemu-system-x86_64",
      [
        ...["-accel", process.env.HAVRE_TEST_KVM === "1" ? "kvm" : "tcg,thread=multi", "-cpu", "max", "-m", "2500"],
        ...["-smp", "2", "-nographic", "-no-reboot", "-nic", "none"],
        ...["-kernel", join(base, "vmlinuz"), "-initrd", join(base, "initrd.gz")],
        ...["-append", `console=ttyS0 loglevel=1 panic=-1 havre.cgroup=${cgroups}${SECURITY[cgroups]}`],
        ...drives.flatMap((path) => ["-drive", `file=${path},format=raw,if=virtio,snapshot=on`]),
      ],
      { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, TMPDIR: folder } },
    );
    return await untilOff(child, patience, onLine);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Copies what the machine's checks need into `folder`: Bun, the program, a busybox root file system and the checks. */
export function packPayload(folder: string): void {
  copyFileSync(process.execPath, join(folder, "bun"));
  copyFileSync(process.env.HAVRE_TEST_BINARY ?? join(home, "build/havre"), join(folder, "havre"));
  const entry = join(import.meta.dirname, "guest/main.ts");
  execFileSync(process.execPath, ["build", "--target=bun", `--outfile=${join(folder, "guest.js")}`, entry], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

async function untilOff(child: ChildProcess, patience: number, onLine: (line: string) => void): Promise<boolean> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, patience);
  if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", onLine);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return !late && code === 0;
  } finally {
    clearTimeout(timer);
  }
}
