import type { Client } from "../../../client/mod.ts";
import type { RefusalAnswer } from "./answers.ts";
import { inspect, removeCopy, startCopy } from "./copy.ts";
import { exercise } from "./exercise.ts";

/** What a watched copy of a container is refused, run as long as the original's start would take to fail, or `patience` milliseconds. */
export async function whyOfCopy(client: Client, name: string, patience: number): Promise<RefusalAnswer> {
  const id = await startCopy(client, await inspect(client, name));
  try {
    await exercise(client, id, { tests: [], patience });
    return { ...(await client.json<RefusalAnswer>("GET", `/havre/v1/containers/${id}/why`)), name };
  } finally {
    await removeCopy(client, id);
  }
}
