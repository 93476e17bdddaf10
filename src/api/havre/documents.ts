import { HavreError } from "../../base/mod.ts";
import type { DocumentKind } from "../../images/mod.ts";
import { sendJson } from "../docker/answers.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { registriesOf } from "../docker/registry-auth.ts";
import type { UseCases } from "../docker/use-cases.ts";

const KINDS: readonly DocumentKind[] = ["provenance", "spdx", "cyclonedx"];

/** What is said about an image: how it was built, what is in it. */
async function document(exchange: Exchange, { documents }: UseCases): Promise<void> {
  const { query, signal } = exchange;
  const [name, asked] = [query.text("name"), query.text("kind")];
  const kind = KINDS.find((one) => one === asked);
  if (name === "") throw new HavreError("invalid-argument", "Parameter name is missing");
  if (!kind) throw new HavreError("invalid-argument", `Unknown kind: ${asked}`, { hint: KINDS.join(", ") });
  sendJson(exchange, 200, await documents.about(name, kind, registriesOf(exchange), signal));
}

export function documentRoutes(useCases: UseCases): readonly Route[] {
  return [{ method: "GET", path: "/havre/v1/image-document", handle: (exchange) => document(exchange, useCases) }];
}
