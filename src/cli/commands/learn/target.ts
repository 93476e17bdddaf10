import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { type Inspected, inspect } from "./copy.ts";

const SERVICE = "com.docker.compose.service";
const FILES = "com.docker.compose.project.config_files";
const FOLDER = "com.docker.compose.project.working_dir";

/** What is hardened: a container, and where it is written down when a Compose file made it. */
export interface Target {
  readonly container: Inspected;
  readonly service?: { readonly name: string; readonly file: string };
}

/** A container of that name, or else the one of a Compose service; of several projects' the one of this folder. `not-found`, `invalid-argument`. */
export async function findTarget(client: Client, name: string): Promise<Target> {
  try {
    return withService(await inspect(client, name));
  } catch (error) {
    if (!isHavreError(error, "not-found")) throw error;
    const filters = JSON.stringify({ label: [`${SERVICE}=${name}`, "com.docker.compose.oneoff=False"] });
    const found = await client.json<{ Id: string; Labels: Record<string, string> }[]>("GET", "/containers/json", {
      query: { all: "1", filters },
    });
    const here = found.filter(({ Labels }) => Labels[FOLDER] === process.cwd());
    const [one, ...others] = here.length > 0 ? here : found;
    if (one === undefined)
      throw new HavreError("not-found", `No container and no service is called ${name}`, {
        hint: "A service is hardened from its container: bring it up first with 'havre up'",
        cause: error,
      });
    if (new Set([one, ...others].map(({ Labels }) => Labels[FOLDER])).size > 1)
      throw new HavreError("invalid-argument", `Several projects have a service ${name}`, {
        hint: "Go to the project's folder, or name the container",
      });
    return withService(await inspect(client, one.Id));
  }
}

function withService(container: Inspected): Target {
  const { Labels } = container.Config;
  const name = Labels?.[SERVICE];
  const file = Labels?.[FILES]?.split(",").at(-1);
  return name === undefined || file === undefined ? { container } : { container, service: { name, file } };
}
