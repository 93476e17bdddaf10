import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../base/mod.ts";
import type { Entry, RootRecipe } from "./entry.ts";

/** The first id that belongs to nobody in a distribution. */
const USER = 10001;

/**
 * What every root gets, run with the tree as its first argument. `install-packages` is how an image on top installs
 * without leaving caches, documentation and setuid programs behind.
 */
const HARDEN = String.raw`#!/bin/sh
set -eu
cd "$1"
mkdir -p etc usr/local/sbin usr/local/bin tmp root proc sys dev run var/tmp
chmod 1777 tmp var/tmp
[ -e etc/passwd ] || printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n' >etc/passwd
[ -e etc/group ] || printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
grep -q '^app:' etc/passwd || printf 'app:x:USER:USER:app:/nonexistent:/usr/sbin/nologin\n' >>etc/passwd
grep -q '^app:' etc/group || printf 'app:x:USER:\n' >>etc/group
if [ -x usr/bin/apt-get ]; then
  cat >usr/local/sbin/install-packages <<'INSTALL'
#!/bin/sh
# Installs Debian packages and leaves nothing behind that a container does not need.
set -eu
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get -qq -o Acquire::Retries=4 update
apt-get -qq -y -o Acquire::Retries=4 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--path-exclude='/usr/share/man/*' -o Dpkg::Options::=--path-exclude='/usr/share/locale/*' \
  -o Dpkg::Options::=--path-exclude='/usr/share/doc/*' -o Dpkg::Options::=--path-include='/usr/share/doc/*/copyright' install --no-install-recommends "$@"
rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* /tmp/* /var/tmp/*
find / -xdev -type f -perm /6000 -exec chmod ug-s {} +
INSTALL
  chmod 755 usr/local/sbin/install-packages
fi
if [ -x bin/bash ] || [ -x usr/bin/bash ]; then
  printf '#!/bin/bash\n# True when a local port takes connections.\nexec 3<>"/dev/tcp/127.0.0.1/$1"\n' >usr/local/bin/tcp-check
  printf '#!/bin/bash\n# True when a page of a local port is answered: http-check PORT PATH.\nexec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %%s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n" "$2" >&3 && read -r _ code _ <&3 && [ "$code" -lt 400 ]\n' >usr/local/bin/http-check
  chmod 755 usr/local/bin/tcp-check usr/local/bin/http-check
fi
if [ -x bin/busybox ]; then
  for applet in $(bin/busybox --list); do [ -e "bin/$applet" ] || ln -s busybox "bin/$applet"; done
fi
rm -rf var/lib/apt/lists/* var/cache/apt/* usr/share/doc-base usr/share/man usr/share/locale var/cache/debconf/* var/log/* tmp/* var/tmp/*
find usr/share/doc -type f ! -name copyright -delete 2>/dev/null || true
find . -xdev -type f -perm /6000 -exec chmod ug-s {} +
`.replaceAll("USER", String(USER));

const OUTPUT_LINES = 12;

/** What mmdebstrap says it does, in the words of the field; the rest is of no interest while all goes well. */
const STAGES: readonly (readonly [RegExp, string])[] = [
  [/^I: running apt-get update/, "Reading package lists"],
  [/^I: downloading packages/, "Downloading packages"],
  [/^I: extracting archives/, "Extracting packages"],
  [/^I: installing essential/, "Installing essential packages"],
  [/^I: installing remaining/, "Installing packages"],
  [/^I: running --(?:customize|extract)-hook/, "Removing what a container does not need"],
  [/^I: creating tarball/, "Packing"],
];

/** The stage that a line of mmdebstrap begins. */
export function stageOf(line: string): string | undefined {
  return STAGES.find(([pattern]) => pattern.test(line))?.[1];
}

/** Makes the tar of a root file system of Debian packages, with mmdebstrap: the same packages give the same bytes. */
export class RootMaker {
  readonly #folder: string;

  /** `folder`: where it may work; emptied at once. */
  constructor(folder: string) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o711 });
  }

  /**
   * The tar, as it is made; one at a time. Ends with an error when it cannot: `failed-precondition` where mmdebstrap is missing,
   * `unavailable` with its last words otherwise. `onLine`: what it is doing.
   */
  async *make(
    { name, version, revision }: Pick<Entry, "name" | "version" | "revision">,
    { suite, variant, packages }: RootRecipe,
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const hook = join(this.#folder, "harden");
    writeFileSync(hook, HARDEN, { mode: 0o755 });
    const args = [
      "--mount",
      "--propagation=private",
      "mmdebstrap",
      "--mode=root",
      `--variant=${variant}`,
      ...(packages.length === 0 ? [] : [`--include=${packages.join(",")}`]),
      "--dpkgopt=force-unsafe-io",
      "--dpkgopt=path-exclude=/usr/share/man/*",
      "--dpkgopt=path-exclude=/usr/share/locale/*",
      "--aptopt=Apt::Install-Recommends false",
      "--aptopt=Acquire::Retries 4",
      // With nothing but packages unpacked there is nothing to be customized, as mmdebstrap sees it.
      `--${variant === "extract" ? "extract" : "customize"}-hook=${hook}`,
      "--skip=output/dev,cleanup/apt",
      suite,
      "-",
    ];
    // A mount namespace of its own: what it mounts is gone with it, however it ends.
    const child = spawn("unshare", args, {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, TMPDIR: this.#folder, SOURCE_DATE_EPOCH: String(epochSeconds(revision)), LC_ALL: "C" },
    });
    const stop = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        if (errnoOf(error) !== "ESRCH") throw error;
      }
    };
    signal.addEventListener("abort", stop, { once: true });
    const ended = new Promise<{ readonly code: number | null; readonly error?: unknown }>((resolve) => {
      child.once("error", (error) => resolve({ code: null, error }));
      child.once("close", (code) => resolve({ code }));
    });
    const lines = lastLines(child.stderr, onLine);
    try {
      for await (const chunk of child.stdout) yield chunk as Uint8Array;
      const { code, error } = await ended;
      signal.throwIfAborted();
      if (error !== undefined || code !== 0) throw failure(`${name}:${version}`, code, error, lines);
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
      await ended;
      for (const left of readdirSync(this.#folder)) rmSync(join(this.#folder, left), { recursive: true, force: true });
    }
  }
}

/** Seconds since the epoch of a revision's day. */
export function epochSeconds(revision: string): number {
  return Math.floor(Date.parse(revision) / 1000);
}

function lastLines(source: NodeJS.ReadableStream, onLine: (line: string) => void): readonly string[] {
  const lines: string[] = [];
  let rest = "";
  source.on("data", (data: Buffer) => {
    const parts = (rest + data.toString()).split(/[\r\n]+/);
    rest = parts.pop() ?? "";
    for (const line of parts.map((part) => part.trim()).filter((part) => part !== "")) {
      if (!line.startsWith("progress:")) lines.push(line);
      if (lines.length > OUTPUT_LINES) lines.shift();
      onLine(line);
    }
  });
  return lines;
}

function failure(what: string, code: number | null, error: unknown, lines: readonly string[]): HavreError {
  const missing = errnoOf(error) === "ENOENT" || code === 127;
  if (missing) {
    return new HavreError("failed-precondition", `${what} is made with mmdebstrap, which is not installed`, {
      cause: error,
      hint: "Install it (Debian: apt-get install mmdebstrap); it works on Debian and Ubuntu hosts",
    });
  }
  return new HavreError("unavailable", `mmdebstrap could not make ${what}: ${lines.join("\n")}`, {
    cause: error,
    hint: "Is there a network, and a Debian mirror in /etc/apt?",
  });
}
