import { HavreError } from "../../base/mod.ts";
import { sendJson } from "../docker/answers.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { logOptions, sendLogs } from "../docker/routes/container-output.ts";
import type { UseCases } from "../docker/use-cases.ts";

/** A parameter that must be there; names stand in the query because they may hold slashes. */
function required({ query }: Exchange, name: string): string {
  const value = query.text(name);
  if (value === "") throw new HavreError("invalid-argument", `Parameter ${name} is missing`);
  return value;
}

async function rollback(exchange: Exchange, { imageHistory }: UseCases): Promise<void> {
  const digest = exchange.query.text("digest");
  const target = digest === "" ? { steps: exchange.query.integer("steps") ?? 1 } : { digest };
  const { id, tags } = await imageHistory.rollback(required(exchange, "name"), target);
  sendJson(exchange, 200, { id, tags });
}

async function difference(exchange: Exchange, { comparisons }: UseCases): Promise<void> {
  const [before, after] = [required(exchange, "before"), required(exchange, "after")];
  const found = await comparisons.compare(before, after, exchange.signal);
  // Bytes that are no text have no place in JSON: the readable path is sent alone.
  sendJson(exchange, 200, { ...found, files: found.files.map(({ rawPath: _raw, ...file }) => file) });
}

/** How images came about, where names pointed, what differs, who needs which byte. */
export function historyRoutes(useCases: UseCases): readonly Route[] {
  const { imageHistory, imageAccounts } = useCases;
  return [
    {
      method: "GET",
      path: "/havre/v1/image-log",
      handle: (exchange) => sendJson(exchange, 200, imageHistory.log(required(exchange, "name"))),
    },
    {
      method: "GET",
      path: "/havre/v1/tag-history",
      handle: (exchange) => sendJson(exchange, 200, imageHistory.tagHistory(required(exchange, "name"))),
    },
    {
      method: "GET",
      path: "/havre/v1/removed-logs",
      handle: async (exchange) =>
        sendLogs(
          exchange,
          await useCases.removedLogs.read(required(exchange, "name"), logOptions(exchange), exchange.signal),
        ),
    },
    { method: "POST", path: "/havre/v1/rollback", handle: (exchange) => rollback(exchange, useCases) },
    { method: "GET", path: "/havre/v1/difference", handle: (exchange) => difference(exchange, useCases) },
    {
      method: "GET",
      path: "/havre/v1/image-check",
      handle: async (exchange) =>
        sendJson(exchange, 200, await imageAccounts.check(required(exchange, "name"), exchange.signal)),
    },
    {
      method: "GET",
      path: "/havre/v1/disk-accounts",
      handle: async (exchange) => sendJson(exchange, 200, await imageAccounts.why()),
    },
  ];
}
