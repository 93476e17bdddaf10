import { VERSION } from "../../base/mod.ts";
import type { Platform } from "../../spec/mod.ts";

const LABELS = {
  "org.mobyproject.buildkit.worker.executor": "havre",
  // By this clients see that archives of images can be had.
  "org.mobyproject.buildkit.worker.snapshotter": "havre",
};

/** What is said about who builds. */
export function workerRecord({ os, architecture, variant = "" }: Platform) {
  return {
    id: "havre",
    labels: LABELS,
    platforms: [{ os, architecture, variant }],
    buildkitVersion: VERSION_RECORD,
  };
}

export const VERSION_RECORD = { package: "havre", version: `v${VERSION}`, revision: "" };

const FRONTEND = [
  "solve.base",
  "importcaches",
  "readfile",
  "return",
  "returnmap",
  "proto.refarray",
  "frontend.caps",
  "gateway.solve.metadata",
  "gateway.solve.evaluate",
  "gateway.evaluate",
  "gateway.warnings",
];
const STEPS = [
  "source.image",
  "source.local",
  "source.local.sessionid",
  "source.local.excludepatterns",
  "source.local.followpaths",
  "exec.meta.base",
  "exec.meta.network",
  "exec.meta.security",
  "exec.meta.ulimit",
  "exec.meta.proxyenv",
  "exec.mount.bind",
  "exec.mount.cache",
  "exec.mount.cache.sharing",
  "exec.mount.tmpfs",
  "exec.mount.tmpfs.size",
  "exec.mount.secret",
  "exec.mount.ssh",
  "exec.secretenv",
  "constraints",
  "platform",
  "mergeop",
  "exporter.multiple",
  "exporter.image.attestations",
];

const enabled = (id: string) => ({ id, enabled: true });

/** What a client may ask, by the names BuildKit has for it. */
export function capabilities() {
  return { frontendApiCaps: FRONTEND.map(enabled), llbCaps: STEPS.map(enabled) };
}
