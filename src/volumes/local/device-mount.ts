import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { getSystemErrorMap } from "node:util";
import { errnoOf, HavreError, joinAll } from "../../base/mod.ts";
import { mount, mountFlags } from "../../kernel/mod.ts";
import type { LocalMount } from "./options.ts";

const OVER_NETWORK = ["nfs", "nfs4", "cifs"];

/** Mounts the device of a local volume at its folder. Errors in Docker's words, with what the kernel lacks as a hint. */
export async function mountDevice(wanted: LocalMount, folder: string): Promise<void> {
  const { type, device } = wanted;
  const options = await withAddress(wanted);
  try {
    mount({ type, source: device, options }, folder);
  } catch (error) {
    throw explained(error, { type, device, options, folder });
  }
}

/** The kernel takes an address only: a name in `addr=` is looked up, as mount.nfs(8) does. */
async function withAddress({ type, options }: LocalMount): Promise<readonly string[]> {
  const words = options.split(",").filter((word) => word !== "");
  if (!OVER_NETWORK.includes(type)) return words;
  return joinAll(
    words.map((word) => async () => {
      const name = word.startsWith("addr=") ? word.slice("addr=".length) : undefined;
      if (name === undefined || isIP(name) !== 0) return word;
      try {
        return `addr=${(await lookup(name)).address}`;
      } catch (cause) {
        const message = `error resolving passed in network volume address: lookup ${name}: no such host`;
        throw new HavreError("failed-precondition", message, { cause });
      }
    }),
  );
}

interface Tried {
  readonly type: string;
  readonly device: string;
  readonly options: readonly string[];
  readonly folder: string;
}

function explained(error: unknown, { type, device, options, folder }: Tried): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const { flags, data } = mountFlags(options);
  const parts = [
    `mount ${device}:${folder}`,
    ...(flags === 0 ? [] : [`flags: 0x${flags.toString(16)}`]),
    ...(data === "" ? [] : [`data: ${withoutSecrets(data)}`]),
  ];
  const hint = hintFor(code, type);
  return new HavreError(
    "failed-precondition",
    `failed to mount local volume: ${parts.join(", ")}: ${errnoText(code)}`,
    hint === undefined ? { cause: error } : { cause: error, hint },
  );
}

function withoutSecrets(data: string): string {
  return data.replace(/\b(password|pass)=[^,]*/g, "$1=********");
}

function hintFor(code: string, type: string): string | undefined {
  if (code !== "ENODEV" || knowsFileSystem(type)) return undefined;
  return `This host's kernel has no file system ${JSON.stringify(type)}`;
}

function knowsFileSystem(type: string): boolean {
  return readFileSync("/proc/filesystems", "utf8")
    .split("\n")
    .some((line) => line.split("\t")[1] === type);
}

function errnoText(code: string): string {
  for (const [name, message] of getSystemErrorMap().values()) if (name === code) return message;
  return code;
}
