import { HavreError } from "../../base/mod.ts";
import { ALL_DEVICES_RULE, DEFAULT_DEVICE_RULES } from "../../policy/mod.ts";
import type { DeviceRule, HostConfig, RuntimeDevice } from "../../spec/mod.ts";
import { devicesAt, hostDevices } from "./device-node.ts";

const RULE = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/;
const ANY = -1;

/** A `--device-cgroup-rule`. `invalid-argument` in Docker's words. */
export function parseDeviceRule(text: string): DeviceRule {
  const [, type, major, minor, access] = RULE.exec(text) ?? [];
  if (type === undefined || major === undefined || minor === undefined || access === undefined)
    throw new HavreError("invalid-argument", `invalid device cgroup rule format: '${text}'`);
  const number = (part: string) => (part === "*" ? ANY : Number(part));
  return { allow: true, type: type as "a" | "b" | "c", major: number(major), minor: number(minor), access };
}

export interface DeviceDecision {
  readonly nodes: readonly RuntimeDevice[];
  readonly rules: readonly DeviceRule[];
}

function privilegedDevices(hostConfig: HostConfig): DeviceDecision {
  // Nodes at their own path come with the host's /dev already.
  const mapped = (hostConfig.Devices ?? []).filter((device) => device.PathOnHost !== device.PathInContainer);
  const extra = mapped.flatMap((device) => devicesAt(device.PathOnHost, device.PathInContainer));
  return { nodes: [...hostDevices(), ...extra], rules: [ALL_DEVICES_RULE] };
}

/** Device nodes a container gets and the rules of what it may use. */
export function buildDevices(hostConfig: HostConfig): DeviceDecision {
  if (hostConfig.DeviceRequests?.length)
    throw new HavreError("internal", 'could not select device driver "" with capabilities: [[gpu]]', {
      hint: "Pass the device nodes with --device",
    });
  if (hostConfig.Privileged) return privilegedDevices(hostConfig);
  const nodes: RuntimeDevice[] = [];
  const rules: DeviceRule[] = [...DEFAULT_DEVICE_RULES];
  for (const { PathOnHost, PathInContainer, CgroupPermissions } of hostConfig.Devices ?? []) {
    for (const node of devicesAt(PathOnHost, PathInContainer || PathOnHost)) {
      nodes.push(node);
      if (node.type === "p" || node.major === undefined || node.minor === undefined) continue;
      const { type, major, minor } = node;
      rules.push({ allow: true, type: type === "b" ? "b" : "c", major, minor, access: CgroupPermissions || "rwm" });
    }
  }
  rules.push(...(hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule));
  return { nodes, rules };
}
