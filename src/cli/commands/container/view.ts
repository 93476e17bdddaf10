import { shortId } from "../../../base/mod.ts";
import { ago, goTime, humanSize } from "../../output/units.ts";
import { ellipsis } from "../../output/width.ts";
import type { Row } from "../../template/mod.ts";
import type { ContainerSummary } from "../../types.ts";
import { displayPorts } from "./ports.ts";

export const CONTAINER_TABLE =
  "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

export const containerHeadings: Readonly<Record<string, string>> = {
  ID: "CONTAINER ID",
  Names: "NAMES",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  Ports: "PORTS",
  State: "STATE",
  Status: "STATUS",
  Size: "SIZE",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  LocalVolumes: "LOCAL VOLUMES",
  Networks: "NETWORKS",
};
const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

/** A container as a row of `ps`. */
export function containerRow(container: ContainerSummary, trunc: boolean): Row {
  return {
    Command: () => JSON.stringify(trunc ? ellipsis(container.Command, COMMAND_WIDTH) : container.Command),
    CreatedAt: () => goTime(container.Created),
    ID: () => (trunc ? shortId(container.Id) : container.Id),
    Image: () => displayImage(container, trunc),
    Label: (name: string) => container.Labels?.[name] ?? "",
    Labels: () =>
      Object.entries(container.Labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    LocalVolumes: () => String((container.Mounts ?? []).filter(({ Driver }) => Driver === "local").length),
    Mounts: () =>
      (container.Mounts ?? [])
        .map(({ Name, Source }) => Name || Source || "")
        .map((name) => (trunc ? ellipsis(name, MOUNT_WIDTH) : name))
        .join(","),
    Names: () => displayNames(container.Names ?? [], trunc),
    Networks: () => Object.keys(container.NetworkSettings?.Networks ?? {}).join(","),
    Ports: () => displayPorts(container.Ports ?? []),
    RunningFor: () => ago(container.Created),
    Size: () => displaySize(container.SizeRw ?? 0, container.SizeRootFs ?? 0),
    State: () => container.State,
    Status: () => container.Status,
  };
}

function displayNames(names: readonly string[], trunc: boolean): string {
  const bare = names.map((name) => name.slice(1));
  const own = trunc ? bare.find((name) => !name.includes("/")) : undefined;
  return own ?? bare.join(",");
}

function displaySize(writable: number, root: number): string {
  return root > 0 ? `${humanSize(writable, 3)} (virtual ${humanSize(root, 3)})` : humanSize(writable, 3);
}

function displayImage({ Image, ImageID }: ContainerSummary, trunc: boolean): string {
  if (Image === "") return "<no image>";
  if (!trunc) return Image;
  if (shortId(ImageID) === shortId(Image)) return shortId(ImageID);
  // As people write it; the daemon has checked it, so that taking it apart by the grammar would only cost time.
  return Image.replace(/@sha(256|512):[0-9a-f]+$/, "").replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, "");
}
