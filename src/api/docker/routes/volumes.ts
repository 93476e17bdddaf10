import { HavreError } from "../../../base/mod.ts";
import { decodeVolumeCreate, emptyVolumeCreate } from "../../../spec/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import { readJsonText } from "../body.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { volumeView } from "../projections/volume.ts";
import type { UseCases } from "../use-cases.ts";
import { selectVolumes, volumePruneFilters } from "../volume-filters.ts";

async function list(exchange: Exchange, { volumes }: UseCases): Promise<void> {
  const filters = parseFilters(exchange.query.text("filters"));
  const { volumes: all, warnings } = await volumes.list();
  const shown = selectVolumes(all, filters).map(volumeView);
  sendJson(exchange, 200, { Volumes: shown, Warnings: warnings.length === 0 ? null : warnings });
}

async function create(exchange: Exchange, { volumes }: UseCases): Promise<void> {
  const text = await readJsonText(exchange.request);
  const body = text === undefined ? emptyVolumeCreate() : decodeVolumeCreate(text);
  if (body.ClusterVolumeSpec !== null) throw noSwarm();
  const volume = await volumes.create({
    name: body.Name,
    driver: body.Driver,
    labels: body.Labels,
    options: body.DriverOpts,
  });
  sendJson(exchange, 201, volumeView(volume));
}

async function prune(exchange: Exchange, { volumes }: UseCases): Promise<void> {
  const filters = parseFilters(exchange.query.text("filters"));
  const { removed, reclaimed } = await volumes.prune(volumePruneFilters(filters, exchange.version.before(42)));
  sendJson(exchange, 200, { VolumesDeleted: removed, SpaceReclaimed: reclaimed });
}

function noSwarm(): HavreError {
  return new HavreError(
    "unavailable",
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}

/** Volumes. Cluster volumes, and changes to them, are Swarm's alone. */
export function volumeRoutes(useCases: UseCases): readonly Route[] {
  const { volumes } = useCases;
  const name = "/volumes/{name...}";
  return [
    { method: "GET", path: "/volumes", handle: (exchange) => list(exchange, useCases) },
    { method: "POST", path: "/volumes/create", handle: (exchange) => create(exchange, useCases) },
    { method: "POST", path: "/volumes/prune", handle: (exchange) => prune(exchange, useCases) },
    {
      method: "GET",
      path: name,
      handle: async (exchange) => sendJson(exchange, 200, volumeView(await volumes.get(exchange.parameter("name")))),
    },
    {
      method: "DELETE",
      path: name,
      handle: async (exchange) => {
        await volumes.remove(exchange.parameter("name"), exchange.query.flag("force"));
        sendStatus(exchange, 204);
      },
    },
    {
      method: "PUT",
      path: name,
      handle: () => {
        throw new HavreError("unavailable", "volume update only valid for cluster volumes, but swarm is unavailable");
      },
    },
  ];
}
