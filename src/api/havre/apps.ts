import { HavreError } from "../../base/mod.ts";
import { sendJson, sendStream } from "../docker/answers.ts";
import type { Route } from "../docker/exchange.ts";
import type { UseCases } from "../docker/use-cases.ts";

const ARCHIVE = "application/vnd.havre.application+tar";

/** Whole applications, out and in. */
export function applicationRoutes(useCases: UseCases): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/havre/v1/apps/archive",
      handle: async (exchange) => {
        const { query, signal } = exchange;
        const project = query.text("project");
        if (project === "") throw new HavreError("invalid-argument", "Parameter project is missing");
        await sendStream(exchange, ARCHIVE, useCases.apps.export(project, { pause: query.flag("pause") }, signal));
      },
    },
    {
      method: "POST",
      path: "/havre/v1/apps/archive",
      handle: async (exchange) => {
        const archive = exchange.request as AsyncIterable<Uint8Array>;
        sendJson(exchange, 201, await useCases.apps.import(archive, exchange.signal));
      },
    },
  ];
}
