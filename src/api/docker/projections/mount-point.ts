import type { MountPoint } from "../../../engine/mod.ts";

/** Docker's `MountPoint`. */
export function mountPointView({ type, name, source, destination, driver, mode, writable, propagation }: MountPoint) {
  return {
    Type: type,
    ...(name ? { Name: name } : {}),
    Source: source,
    Destination: destination,
    ...(driver ? { Driver: driver } : {}),
    Mode: mode,
    RW: writable,
    Propagation: propagation,
  };
}
