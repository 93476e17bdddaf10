import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../base/mod.ts";
import { type Endpoint, ownHostRecords } from "../../networks/mod.ts";
import type { Container } from "../container.ts";
import { containerFolder, type EngineContext } from "../context.ts";

/**
 * Brings the lines of a running container's own addresses in its /etc/hosts up to date. The file is written in place:
 * the container has it bound by its inode. What the container added itself stays.
 */
export async function updateHostsFile(
  context: EngineContext,
  container: Container,
  before: readonly Endpoint[],
  after: readonly Endpoint[],
): Promise<void> {
  const path = join(containerFolder(context, container.id), "hosts");
  const { Hostname, Domainname } = container.spec.config;
  const addresses = (endpoints: readonly Endpoint[]) =>
    endpoints.flatMap(({ ipAddress, ipv6Address }) => [ipAddress, ipv6Address]).filter((one) => one !== "");
  const gone = addresses(before).filter((one) => !addresses(after).includes(one));
  const come = addresses(after).filter((one) => !addresses(before).includes(one));
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  const kept = text.split("\n").filter((line) => !gone.some((address) => line.startsWith(`${address}\t`)));
  const ended = kept.join("\n").replace(/\n*$/, "\n");
  await writeFile(path, `${ended}${ownHostRecords(Hostname, Domainname, come)}`);
}
