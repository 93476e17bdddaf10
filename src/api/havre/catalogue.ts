import { HavreError } from "../../base/mod.ts";
import type { CatalogueItem } from "../../catalogue/mod.ts";
import { ProgressStream, sendJson } from "../docker/answers.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import type { UseCases } from "../docker/use-cases.ts";

function required({ query }: Exchange): string {
  const name = query.text("name");
  if (name === "") throw new HavreError("invalid-argument", "Parameter name is missing");
  return name;
}

/** An entry with what there is of it on this machine. */
function view({ entry, reference, image, state }: CatalogueItem) {
  const { name, version, owner, summary, revision, usage, file } = entry;
  const made = image === undefined ? {} : { image: image.id, size: image.size };
  return { name, version, reference, state, owner, summary, revision, usage, file, ...made };
}

async function build(exchange: Exchange, { catalogue }: UseCases): Promise<void> {
  const name = required(exchange);
  const { reference } = catalogue.find(name);
  const progress = new ProgressStream(exchange);
  try {
    const force = exchange.query.flag("force");
    const { image, fresh } = await catalogue.build(name, force, (message) => progress.send(message), exchange.signal);
    progress.send({ status: `${fresh ? "Made" : "Up to date:"} ${reference}` });
    progress.send({ aux: { ID: image.id, Reference: reference } });
    progress.end();
  } catch (error) {
    progress.fail(error);
  }
}

/** The catalogue of base images. */
export function catalogueRoutes(useCases: UseCases): readonly Route[] {
  const { catalogue } = useCases;
  return [
    {
      method: "GET",
      path: "/havre/v1/catalogue",
      handle: (exchange) => sendJson(exchange, 200, catalogue.list().map(view)),
    },
    { method: "POST", path: "/havre/v1/catalogue/build", handle: (exchange) => build(exchange, useCases) },
    {
      method: "GET",
      path: "/havre/v1/catalogue/verify",
      handle: async (exchange) => sendJson(exchange, 200, await catalogue.verify(required(exchange))),
    },
    {
      method: "GET",
      path: "/havre/v1/catalogue/outdated",
      handle: async (exchange) =>
        sendJson(exchange, 200, await catalogue.outdated(required(exchange), exchange.signal)),
    },
  ];
}
