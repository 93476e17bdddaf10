import { isHavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import type { Context } from "../../context.ts";
import { printJson, printList } from "../../output/format.ts";
import { type Evidence, evidenceLine, type Need } from "./answers.ts";

/** `GET /havre/v1/containers/NAME/drift`. */
interface DriftAnswer {
  readonly from: number;
  readonly to: number;
  readonly granted: readonly { readonly grant: string; readonly evidence: readonly Evidence[] }[];
  readonly beyond: readonly Need[];
}

/** Prints what a watched container was granted against what it used. */
export async function showDrift(context: Context, name: string, json: boolean): Promise<void> {
  const client = await context.client();
  const drift = await client.json<DriftAnswer>("GET", `/havre/v1/containers/${encodeURIComponent(name)}/drift`);
  if (json) {
    printJson(context.out, drift);
    return;
  }
  const rows = [
    ...drift.granted.map(({ grant, evidence }) => ({
      grant,
      used: timesText(total(evidence)),
      by: evidence.slice(0, 1).map(evidenceLine).join(""),
    })),
    ...drift.beyond.map(({ grant, evidence }) => ({
      grant,
      used: `${timesText(total(evidence))}, not granted`,
      by: evidence.slice(0, 1).map(evidenceLine).join(""),
    })),
  ];
  context.out.line(`${name} was watched for ${Math.round((drift.to - drift.from) / 1000)} s\n`);
  if (rows.length === 0) {
    context.out.line("It was granted nothing, and used nothing that needs a grant");
    return;
  }
  await printList(context.out, {
    rows: rows.map(({ grant, used, by }) => ({ Grant: () => grant, Used: () => used, By: () => by })),
    headings: { Grant: "GRANT", Used: "USED", By: "BY" },
    typeName: "grant",
    format: "table {{.Grant}}\t{{.Used}}\t{{.By}}",
    fit: true,
  });
}

/** How often a container used each of its grants whose use is seen; undefined: it was not watched. */
export async function usedGrants(client: Client, name: string): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const { granted } = await client.json<DriftAnswer>("GET", `/havre/v1/containers/${encodeURIComponent(name)}/drift`);
    return new Map(granted.map(({ grant, evidence }) => [grant, total(evidence)]));
  } catch (error) {
    if (isHavreError(error, "failed-precondition")) return undefined;
    throw error;
  }
}

/** `never`, `once`, `3 times`. */
export function timesText(times: number): string {
  return times === 0 ? "never" : times === 1 ? "once" : `${times} times`;
}

const total = (evidence: readonly Evidence[]): number => evidence.reduce((sum, { count }) => sum + count, 0);
