import { HavreError } from "../../base/mod.ts";
import type { BuildResult } from "../builder.ts";
import type { ClientBuild } from "./builds.ts";
import { fullName } from "./full-name.ts";

/** Makes of a result what the client wants it to be; answers with what it is told about that. */
export async function exportResult(build: ClientBuild, result: BuildResult): Promise<Record<string, string>> {
  const names = build.names.map(fullName);
  const response: Record<string, string> = {};
  for (const { type, attributes } of build.exporters) {
    if (type !== "moby" && type !== "image") {
      throw new HavreError("not-implemented", `The exporter ${type} is not implemented yet`);
    }
    if (attributes.push === "true") throw new HavreError("not-implemented", "Pushing a result is not implemented yet");
    await build.progress.task("exporting to image", async (task) => {
      const { id } = result.image;
      task.progress("exporting layers", 0, 0, true);
      task.progress(`writing image ${id}`, 0, 0, true);
      for (const name of names) task.progress(`naming to ${name}`, 0, 0, true);
      response["containerimage.digest"] = id;
      response["containerimage.config.digest"] = id;
      if (names.length > 0) response["image.name"] = names.join(",");
    });
  }
  return response;
}
