import { HavreError } from "../../../base/mod.ts";
import { parseReference } from "../../../spec/mod.ts";
import { ProgressStream, sendStream } from "../answers.ts";
import type { Exchange, Route } from "../exchange.ts";
import type { UseCases } from "../use-cases.ts";
import { pull } from "./distribution.ts";
import { download, importAddress } from "./import-source.ts";

async function importImage(exchange: Exchange, { images }: UseCases): Promise<void> {
  const { query, request, signal, version } = exchange;
  const source = query.text("fromSrc");
  const repository = query.optional("repo");
  if (repository !== undefined && parseReference(repository).digest)
    throw new HavreError("invalid-argument", "cannot import digest reference");
  const [tag, platform] = [query.optional("tag"), version.since(32) ? query.optional("platform") : undefined];
  const progress = new ProgressStream(exchange);
  try {
    const address = source === "-" ? undefined : importAddress(source);
    const remote = address && (await download(address, signal));
    if (address) progress.send({ status: `Downloading from ${address}` });
    const id = await images.import(
      {
        source: remote?.body ?? request,
        message: query.text("message") || `Imported from ${source}`,
        changes: query.all("changes").flatMap((change) => change.split("\n")),
        ...(repository === undefined ? {} : { repository }),
        ...(tag === undefined ? {} : { tag }),
        ...(platform === undefined ? {} : { platform }),
      },
      // Of a body that the client sends itself it knows how far it is; and an error keeps its status.
      (message) => {
        const { current } = message.progressDetail ?? {};
        if (remote && current !== undefined)
          progress.send({ ...message, progressDetail: { current, total: remote.size } });
      },
      signal,
    );
    progress.send({ status: id });
    progress.end();
  } catch (error) {
    progress.fail(error);
  }
}

function create(exchange: Exchange, useCases: UseCases): Promise<void> {
  const name = exchange.query.text("fromImage");
  if (name === "") return importImage(exchange, useCases);
  return pull(exchange, useCases, name);
}

async function load(exchange: Exchange, { images }: UseCases): Promise<void> {
  const { request, query, signal } = exchange;
  const quiet = query.flag("quiet", true);
  const progress = new ProgressStream(exchange);
  // dockerd tells every failure of a load in the stream, and its clients look for it there.
  progress.start();
  try {
    await images.load(
      request,
      (message) => {
        if (!quiet || message.progressDetail === undefined) progress.send(message);
      },
      signal,
    );
    progress.end();
  } catch (error) {
    progress.tell(error);
  }
}

async function save(exchange: Exchange, { images }: UseCases, names: readonly string[]): Promise<void> {
  await sendStream(exchange, "application/x-tar", images.save(names, exchange.signal));
}

/** Images in and out of this machine. */
export function imageTransferRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "POST", path: "/images/create", handle: (exchange) => create(exchange, useCases) },
    { method: "POST", path: "/images/load", handle: (exchange) => load(exchange, useCases) },
    { method: "GET", path: "/images/get", handle: (exchange) => save(exchange, useCases, exchange.query.all("names")) },
    {
      method: "GET",
      path: "/images/{name...}/get",
      handle: (exchange) => save(exchange, useCases, [exchange.parameter("name")]),
    },
  ];
}
