import { HavreError } from "../../base/mod.ts";
import type { NetworkMode } from "../../networks/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { getContainer, requireRunning } from "../lookup.ts";

/** The `--network` words of this container as a mode; `container:` needs a running container. */
export function networkModeOf(context: EngineContext, container: Container): NetworkMode {
  const mode = container.spec.hostConfig.NetworkMode;
  if (container.spec.config.NetworkDisabled === true || mode === "none") return { kind: "none" };
  if (mode === "host") return { kind: "host" };
  if (mode === "" || mode === "default" || mode === "bridge") {
    const macAddress = container.spec.endpoints.bridge?.MacAddress || container.spec.config.MacAddress;
    return { kind: "bridge", ...(macAddress ? { macAddress } : {}) };
  }
  if (mode.startsWith("container:")) {
    const other = getContainer(context.store, mode.slice("container:".length));
    requireRunning(other);
    const pid = other.status.init?.pid;
    if (pid === undefined) throw new HavreError("internal", `Container ${other.id} runs without a known process`);
    return { kind: "container", pid };
  }
  throw new HavreError("not-implemented", `network ${mode} not found`, {
    hint: "User-defined networks are not available yet: use bridge, host, none or container:NAME",
  });
}
