import { isHavreError } from "../../../../base/mod.ts";
import { type Client, errorFromResponse } from "../../../../client/mod.ts";

/** What `X-Docker-Container-Path-Stat` tells of a path inside a container. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode. */
  readonly mode: number;
  readonly linkTarget: string;
}

export interface CopyOptions {
  readonly archive: boolean;
  readonly follow: boolean;
  readonly quiet: boolean;
}

const HEADER = "x-docker-container-path-stat";
const FOLDER = 2 ** 31;
const SYMLINK = 2 ** 27;
const SPECIAL = [2 ** 26, 2 ** 25, 2 ** 24, 2 ** 21, 2 ** 19];

const has = (mode: number, bit: number) => Math.trunc(mode / bit) % 2 === 1;
export const isFolder = ({ mode }: PathStat) => has(mode, FOLDER);
export const isSymlink = ({ mode }: PathStat) => has(mode, SYMLINK);
/** A device, pipe, socket or stranger thing. */
export const isSpecial = ({ mode }: PathStat) => SPECIAL.some((bit) => has(mode, bit));

export function statFromHeader(header: string | undefined): PathStat {
  return JSON.parse(Buffer.from(header ?? "", "base64").toString()) as PathStat;
}

/** Stat of a path inside a container; undefined when there is no such path (or no such container: the copy will tell). */
export async function statPath(client: Client, container: string, path: string): Promise<PathStat | undefined> {
  try {
    const answer = await client.send("HEAD", `/containers/${container}/archive`, { query: { path } });
    await answer.text();
    if (answer.head.status !== 200) throw errorFromResponse(answer.head.status, "");
    return statFromHeader(answer.head.headers.get(HEADER));
  } catch (error) {
    if (isHavreError(error, "not-found")) return undefined;
    throw error;
  }
}

export async function getArchive(client: Client, container: string, path: string) {
  const answer = await client.request("GET", `/containers/${container}/archive`, { query: { path } });
  return { stat: statFromHeader(answer.head.headers.get(HEADER)), body: answer.body };
}

/** Bytes as they pass, counted. */
export async function* counted(
  source: AsyncIterable<Uint8Array>,
  add: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    add(chunk.byteLength);
    yield chunk;
  }
}
