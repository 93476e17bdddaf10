import { existsSync } from "node:fs";
import { join } from "node:path";
import { HavreError } from "../../../base/mod.ts";
import { Client, type Query, readJsonLines, socketTransport } from "../../../client/mod.ts";
import { text } from "../../args/flags.ts";
import type { Context } from "../../context.ts";

/** The folder of the registry that is spoken to. */
export const rootFlag = text("Folder of the registry's data (default registry in the daemon's folder)");

/**
 * What a registry that serves answers to its owner, object by object: it listens in its own folder. `unavailable` when
 * none serves; an error that it tells is thrown.
 */
export async function* askRegistry<T extends object>(
  { places }: Context,
  root: string,
  action: "collect" | "retain",
  query: Query,
): AsyncGenerator<T> {
  const folder = root || join(places.root, "registry");
  const path = join(folder, "registry.sock");
  const none = (cause?: unknown) =>
    new HavreError("unavailable", `No registry serves ${folder}`, {
      cause,
      hint: `Start it (havre registry serve --root ${folder}), or name another folder with --root`,
    });
  if (!existsSync(path)) throw none();
  const client = new Client(socketTransport({ kind: "unix", path }));
  try {
    await client.connect();
  } catch (error) {
    throw error instanceof HavreError && error.kind === "unavailable" ? none(error) : error;
  }
  try {
    const answer = await client.request("POST", `/havre/v1/registry/${action}`, { query });
    for await (const line of readJsonLines<T | { readonly error: string }>(answer.body)) {
      if ("error" in line) throw new HavreError("conflict", line.error);
      yield line;
    }
  } finally {
    client.close();
  }
}
