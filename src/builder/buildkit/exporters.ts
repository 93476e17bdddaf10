import { HavreError } from "../../base/mod.ts";
import { packWholeTree } from "../../snapshots/mod.ts";
import type { BuildResult } from "../builder.ts";
import { FolderSource } from "../ops/files/folder-source.ts";
import type { ClientBuild } from "./builds.ts";
import { sendBytes, sendFiles } from "./file-send.ts";
import { fullName } from "./full-name.ts";
import type { Session } from "./session.ts";

const IMAGE = ["moby", "image"];
const FILES = ["local", "tar"];

/** Whether an image of this machine is wanted; else files are, or nothing. `not-implemented` for what cannot be made yet. */
export function makesImage({ exporters }: ClientBuild): boolean {
  for (const { type, attributes } of exporters) {
    if (![...IMAGE, ...FILES].includes(type)) {
      throw new HavreError("not-implemented", `The exporter ${type} is not implemented yet`, {
        hint: "There are image, local and tar",
      });
    }
    if (attributes.push === "true") throw new HavreError("not-implemented", "Pushing a result is not implemented yet");
  }
  const image = exporters.some(({ type }) => IMAGE.includes(type));
  if (image && exporters.length > 1) {
    throw new HavreError("not-implemented", "An image and other outputs of one build are not implemented yet");
  }
  return image;
}

/** Tells of the image that was made; answers with what the client is to know of it. */
export async function exportImage(build: ClientBuild, { image: { id } }: BuildResult): Promise<Record<string, string>> {
  const names = build.names.map(fullName);
  await build.progress.task("exporting to image", async (task) => {
    task.progress("exporting layers", 0, 0, true);
    task.progress(`writing image ${id}`, 0, 0, true);
    for (const name of names) task.progress(`naming to ${name}`, 0, 0, true);
  });
  return {
    "containerimage.digest": id,
    "containerimage.config.digest": id,
    ...(names.length > 0 ? { "image.name": names.join(",") } : {}),
  };
}

/** Sends the files of a result to where the client wants them. */
export async function exportFiles(
  build: ClientBuild,
  session: Session,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, { type }] of build.exporters.entries()) {
    if (type === "local") {
      await build.progress.task("exporting to client directory", async (task) => {
        using files = new FolderSource(folder);
        await sendFiles(session, index, files, signal);
        task.progress("copying files", 0, 0, true);
      });
    } else {
      await build.progress.task("exporting to client tarball", async (task) => {
        await sendBytes(session, index, packWholeTree(folder, signal), signal);
        task.progress("sending tarball", 0, 0, true);
      });
    }
  }
}
