import { humanSize } from "../../output/units.ts";
import type { Row } from "../../template/mod.ts";
import type { VolumeView } from "../../types.ts";

export const volumeHeadings: Readonly<Record<string, string>> = {
  Driver: "DRIVER",
  Name: "VOLUME NAME",
  Scope: "SCOPE",
  Mountpoint: "MOUNTPOINT",
  Labels: "LABELS",
  Links: "LINKS",
  Size: "SIZE",
  Availability: "AVAILABILITY",
  Group: "GROUP",
  Status: "STATUS",
};

const NOT_KNOWN = "N/A";

/** A volume as a row of `volume ls`, with the fields that Docker's formatter has. */
export function volumeRow({ Driver, Labels, Mountpoint, Name, Scope, UsageData }: VolumeView): Row {
  const labels = Object.entries(Labels ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    Availability: () => NOT_KNOWN,
    Driver: () => Driver,
    Group: () => NOT_KNOWN,
    Label: (name) => Labels?.[String(name)] ?? "",
    Labels: () => labels.map(([name, value]) => `${name}=${value}`).join(","),
    Links: () => (UsageData ? String(UsageData.RefCount) : NOT_KNOWN),
    Mountpoint: () => Mountpoint,
    Name: () => Name,
    Scope: () => Scope,
    Size: () => (UsageData && UsageData.Size !== -1 ? humanSize(UsageData.Size) : NOT_KNOWN),
    Status: () => NOT_KNOWN,
  };
}
