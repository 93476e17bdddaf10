import { rfc3339Nano } from "../../../base/mod.ts";
import type { VolumeInfo, VolumeUsage } from "../../../volumes/mod.ts";

/** Docker's `Volume`. */
export function volumeView({ name, driver, labels, options, scope, created, mountpoint, status }: VolumeInfo) {
  return {
    ...(created === undefined ? {} : { CreatedAt: rfc3339Nano(Math.floor(created / 1000) * 1000) }),
    Driver: driver,
    Labels: labels,
    Mountpoint: mountpoint,
    Name: name,
    Options: options,
    Scope: scope,
    ...(status === undefined ? {} : { Status: status }),
  };
}

/** The same with what it takes, as `system/df` shows it; -1 where that is not known. */
export function volumeUsageView({ volume, size }: VolumeUsage) {
  return { ...volumeView(volume), UsageData: { RefCount: volume.users.length, Size: size ?? -1 } };
}
