import type { DeviceRule } from "../spec/mod.ts";

const FUSE = [10, 229] as const;
/** zero, null, urandom, random, tty, console. The runtime adds full, ptmx and pts itself. */
const HARMLESS: readonly (readonly [major: number, minor: number])[] = [
  [1, 5],
  [1, 3],
  [1, 9],
  [1, 8],
  [5, 0],
  [5, 1],
];

function rule(allow: boolean, [major, minor]: readonly [number, number]): DeviceRule {
  return { allow, type: "c", major, minor, access: "rwm" };
}

/** Which devices a container may use: none but the harmless ones. */
export const DEFAULT_DEVICE_RULES: readonly DeviceRule[] = [
  { allow: false, access: "rwm" },
  ...HARMLESS.map((device) => rule(true, device)),
  rule(false, FUSE),
];

/** Every device, for a privileged container. */
export const ALL_DEVICES_RULE: DeviceRule = { allow: true, access: "rwm" };
