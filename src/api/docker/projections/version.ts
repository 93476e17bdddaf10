import { HIGHEST_API, LOWEST_API } from "../api-version.ts";
import type { Host } from "../use-cases.ts";

/** The names Go gives to machines, which Docker's JSON speaks. */
const GO_ARCH: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "arm",
  i686: "386",
  s390x: "s390x",
  ppc64le: "ppc64le",
  riscv64: "riscv64",
};

/** `GET /version`. */
export function versionView(host: Host) {
  const { version, commit, buildTime, components } = host.product();
  const { kernelVersion, machine } = host.info();
  const arch = GO_ARCH[machine] ?? machine;
  const goVersion = "";
  return {
    Platform: { Name: "Havre" },
    Components: [
      {
        Name: "Engine",
        Version: version,
        Details: {
          ApiVersion: HIGHEST_API,
          Arch: arch,
          BuildTime: buildTime,
          Experimental: "false",
          GitCommit: commit,
          GoVersion: goVersion,
          KernelVersion: kernelVersion,
          MinAPIVersion: LOWEST_API,
          Os: "linux",
        },
      },
      ...components.map(({ name, version: of, commit: at }) => ({
        Name: name,
        Version: of,
        Details: { GitCommit: at },
      })),
    ],
    Version: version,
    ApiVersion: HIGHEST_API,
    MinAPIVersion: LOWEST_API,
    GitCommit: commit,
    GoVersion: goVersion,
    Os: "linux",
    Arch: arch,
    KernelVersion: kernelVersion,
    BuildTime: buildTime,
  };
}
