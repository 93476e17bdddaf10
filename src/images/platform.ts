import { HavreError } from "../base/mod.ts";
import type { Platform } from "../spec/mod.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  "x86-64": "amd64",
  i386: "386",
  ia32: "386",
  aarch64: "arm64",
  arm: "arm",
  armhf: "arm",
  armel: "arm",
  ppc64el: "ppc64le",
};

/** Names that mean an architecture when they stand alone (GOARCH). */
const KNOWN = new Set(
  "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm".split(" "),
);

/** Names that mean a system when they stand alone (GOOS). */
const KNOWN_OS = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(
    " ",
  ),
);

/** The platform images run on here, in the terms of the OCI image index. */
export function hostPlatform(): Platform {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  return { os: "linux", architecture, ...(architecture === "arm" ? { variant: "v7" } : {}) };
}

/** `linux/arm64/v8`, `arm64`, `linux`: what is left out is this machine's. `invalid-argument`. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.toLowerCase().split("/");
  const strange = parts.findIndex((part) => !/^[a-z0-9_.-]+$/.test(part));
  if (strange === 0) throw notAnOs(text);
  if (parts.length > 3 || strange > 0) throw unknown(text);
  const [first = "", second, variant] = parts;
  if (second === undefined) {
    const os = first === "macos" ? "darwin" : first;
    if (KNOWN_OS.has(os)) return { ...host, os };
    if (!KNOWN.has(ARCHITECTURES[first] ?? first)) throw unknown(text);
    return { os: host.os, architecture: ARCHITECTURES[first] ?? first };
  }
  const architecture = ARCHITECTURES[second] ?? second;
  const normal = architecture === "arm64" && variant === "v8" ? undefined : variant;
  return { os: first, architecture, ...(normal === undefined ? {} : { variant: normal }) };
}

function unknown(text: string): HavreError {
  return new HavreError("invalid-argument", `"${text}": unknown operating system or architecture: invalid argument`);
}

/** What containerd says, whose words these are. */
const OS_PATTERN = String.raw`"^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.-]*)\\))?$"`;

function notAnOs(text: string): HavreError {
  const [part] = text.split("/");
  return new HavreError(
    "invalid-argument",
    `"${part}" is an invalid OS component of "${text}": OSAndVersion specifier component must match ${OS_PATTERN}: invalid argument`,
  );
}

/** How well `offered` runs on `wanted`: 0 not at all, higher is better. A lower variant of arm runs on a higher one. */
export function platformFit(offered: Platform, wanted: Platform): number {
  const architecture = ARCHITECTURES[offered.architecture] ?? offered.architecture;
  if (offered.os !== wanted.os || architecture !== wanted.architecture) return 0;
  const rank = (variant: string | undefined, missing: number): number =>
    variant === undefined ? missing : Number(/^v(\d+)/.exec(variant)?.[1] ?? missing);
  const missing = wanted.architecture === "arm64" ? 8 : wanted.architecture === "arm" ? 7 : 1;
  const has = rank(offered.variant, missing);
  return has > rank(wanted.variant, missing) ? 0 : has;
}

/** `not-found` with Docker's text when the image does not run on what was asked for. */
export function requirePlatform(name: string, actual: Platform, wanted: Platform): void {
  if (platformFit(actual, wanted) > 0) return;
  const show = ({ os, architecture, variant }: Platform) => [os, architecture, variant].filter(Boolean).join("/");
  throw new HavreError(
    "not-found",
    `image with reference ${name} was found but does not match the specified platform: wanted ${show(wanted)}, actual: ${show(actual)}`,
  );
}
