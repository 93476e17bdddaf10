import { HavreError } from "../../base/mod.ts";
import type { Lock, Opener, Retention, VolumeSchedule } from "../../volumes/mod.ts";
import { sendJson, sendStatus, sendStream } from "../docker/answers.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import type { UseCases } from "../docker/use-cases.ts";
import { Body } from "./body.ts";

const ARCHIVE = "application/vnd.havre.volume+tar";

function lockOf(body: Body): { readonly lock?: Lock } {
  const passphrase = body.optionalText("passphrase");
  const recipients = body.texts("recipients");
  if (passphrase !== undefined && recipients.length > 0)
    throw new HavreError("invalid-argument", "A backup has a passphrase or recipients, not both");
  if (passphrase !== undefined) return { lock: { passphrase } };
  return recipients.length > 0 ? { lock: { recipients } } : {};
}

function openerOf(body: Body): Opener {
  const passphrase = body.optionalText("passphrase");
  return { identities: body.texts("identities"), ...(passphrase === undefined ? {} : { passphrase }) };
}

function retentionOf(body: Body): Retention {
  const rules = (["last", "daily", "weekly", "monthly"] as const).flatMap((rule) => {
    const count = body.count(rule, 1);
    return count === undefined ? [] : [[rule, count] as const];
  });
  return Object.fromEntries(rules);
}

async function addSchedule(exchange: Exchange, { volumeData: { schedules } }: UseCases): Promise<void> {
  const body = await Body.read(exchange);
  const spec: VolumeSchedule["spec"] = {
    volume: body.text("volume"),
    target: body.text("target"),
    every: body.count("every") ?? 0,
    pause: body.flag("pause"),
    recipients: body.texts("recipients"),
    retention: retentionOf(body.object("keep")),
  };
  sendJson(exchange, 201, await schedules.add(body.text("name"), spec));
}

async function clone(exchange: Exchange, { volumeData: { archives } }: UseCases): Promise<void> {
  const body = await Body.read(exchange);
  const how = { pause: body.flag("pause"), frozen: body.flag("frozen") };
  const copied = await archives.clone(body.text("volume"), body.text("target"), how, exchange.signal);
  sendJson(exchange, 201, copied);
}

async function readArchive(exchange: Exchange, { volumeData: { archives } }: UseCases): Promise<void> {
  const { query, signal } = exchange;
  await using archive = await archives.read(query.text("name"), { pause: query.flag("pause") }, signal);
  await sendStream(exchange, ARCHIVE, archives.marked(archive));
}

async function writeArchive(exchange: Exchange, { volumeData: { archives } }: UseCases): Promise<void> {
  const { query, request, signal } = exchange;
  const archive = await archives.unmarked(request as AsyncIterable<Uint8Array>);
  const name = query.text("name") || archive.note.volume;
  await archives.write(name, archive, { force: query.flag("force") }, signal);
  sendJson(exchange, 201, { volume: name });
}

/** Backups, restores, copies and schedules of volumes. Paths are of the daemon's host. */
export function volumeDataRoutes(useCases: UseCases): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/havre/v1/volumes/backup",
      handle: async (exchange) => {
        const body = await Body.read(exchange);
        const request = {
          volume: body.text("volume"),
          target: body.text("target"),
          pause: body.flag("pause"),
          force: body.flag("force"),
        };
        sendJson(
          exchange,
          201,
          await useCases.volumeData.backups.backup({ ...request, ...lockOf(body) }, exchange.signal),
        );
      },
    },
    {
      method: "POST",
      path: "/havre/v1/volumes/restore",
      handle: async (exchange) => {
        const body = await Body.read(exchange);
        const backup = body.optionalText("backup");
        const request = {
          source: body.text("source"),
          volume: body.optionalText("volume") ?? "",
          force: body.flag("force"),
          opener: openerOf(body),
          ...(backup ? { backup } : {}),
        };
        sendJson(exchange, 201, await useCases.volumeData.backups.restore(request, exchange.signal));
      },
    },
    {
      method: "POST",
      path: "/havre/v1/volumes/verify",
      handle: async (exchange) => {
        const body = await Body.read(exchange);
        sendJson(exchange, 200, await useCases.volumeData.backups.verify(body.text("source"), openerOf(body)));
      },
    },
    {
      method: "POST",
      path: "/havre/v1/volumes/backups",
      handle: async (exchange) => {
        const body = await Body.read(exchange);
        sendJson(exchange, 200, await useCases.volumeData.backups.list(body.text("source"), openerOf(body)));
      },
    },
    { method: "POST", path: "/havre/v1/volumes/clone", handle: (exchange) => clone(exchange, useCases) },
    { method: "GET", path: "/havre/v1/volumes/archive", handle: (exchange) => readArchive(exchange, useCases) },
    { method: "POST", path: "/havre/v1/volumes/archive", handle: (exchange) => writeArchive(exchange, useCases) },
    {
      method: "GET",
      path: "/havre/v1/volume-schedules",
      handle: (exchange) => sendJson(exchange, 200, useCases.volumeData.schedules.list()),
    },
    { method: "POST", path: "/havre/v1/volume-schedules", handle: (exchange) => addSchedule(exchange, useCases) },
    {
      method: "DELETE",
      path: "/havre/v1/volume-schedules/{name}",
      handle: async (exchange) => {
        await useCases.volumeData.schedules.remove(exchange.parameter("name"));
        sendStatus(exchange, 204);
      },
    },
  ];
}
