import { HavreError, systemClock } from "../../../base/mod.ts";
import type { Container } from "../../../engine/mod.ts";
import { sendJson } from "../answers.ts";
import type { Exchange, Route } from "../exchange.ts";
import { diskUsageView } from "../projections/disk-usage.ts";
import { infoView } from "../projections/info.ts";
import { versionView } from "../projections/version.ts";
import { sizesOf, surroundingsOf } from "../surroundings.ts";
import type { UseCases } from "../use-cases.ts";

function ping({ request, response }: Exchange): void {
  response.setHeader("Cache-Control", "no-cache, no-store, must-revalidate");
  response.setHeader("Pragma", "no-cache");
  response.setHeader("Builder-Version", "2");
  response.setHeader("Swarm", "inactive");
  const head = request.method === "HEAD";
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": head ? 0 : 2 });
  response.end(head ? undefined : "OK");
}

const USAGE_TYPES = ["container", "image", "volume", "build-cache"];

async function systemDf(exchange: Exchange, useCases: UseCases): Promise<void> {
  const asked = exchange.version.before(42) || !exchange.query.has("type") ? USAGE_TYPES : exchange.query.all("type");
  for (const type of asked) {
    if (!USAGE_TYPES.includes(type)) throw new HavreError("invalid-argument", `unknown object type: ${type}`);
  }
  const measure = async (container: Container) => ({ container, sizes: await sizesOf(container, useCases) });
  const report = {
    images: asked.includes("image") ? useCases.imageAccounts.diskUsage() : undefined,
    containers: asked.includes("container") ? await Promise.all(useCases.containers.list().map(measure)) : undefined,
    volumes: asked.includes("volume") ? await useCases.volumes.usage() : undefined,
    buildCache: asked.includes("build-cache") ? await useCases.buildCache.list() : undefined,
  };
  sendJson(exchange, 200, diskUsageView(report, surroundingsOf(useCases), exchange.version));
}

/** `_ping`, `version`, `info`, `system/df`. */
export function systemRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "GET", path: "/_ping", handle: ping },
    { method: "HEAD", path: "/_ping", handle: ping },
    { method: "GET", path: "/version", handle: (exchange) => sendJson(exchange, 200, versionView(useCases.host)) },
    {
      method: "GET",
      path: "/info",
      handle: async (exchange) => {
        const volumeDrivers = await useCases.volumes.drivers();
        sendJson(exchange, 200, infoView(useCases, exchange.version, { now: systemClock.now(), volumeDrivers }));
      },
    },
    { method: "GET", path: "/system/df", handle: (exchange) => systemDf(exchange, useCases) },
  ];
}
