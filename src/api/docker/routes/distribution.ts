import { HavreError, isHavreError, toHavreError } from "../../../base/mod.ts";
import type { ProgressMessage } from "../../../images/mod.ts";
import { parseReference } from "../../../spec/mod.ts";
import { ProgressStream, sendJson } from "../answers.ts";
import { readText } from "../body.ts";
import { StatusError } from "../errors.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { progressBar } from "../progress-bar.ts";
import { credentialsOf, registryCredentials } from "../registry-auth.ts";
import type { UseCases } from "../use-cases.ts";

const SEARCH_LIMIT = 25;
const SEARCH_MAX = 100;

/** `POST /images/create?fromImage=…`. */
export async function pull(exchange: Exchange, { distribution }: UseCases, name: string): Promise<void> {
  const { query, signal, version } = exchange;
  const tag = query.text("tag");
  const reference = tag === "" ? name.replace(/:$/, "") : `${name}${tag.startsWith("sha256:") ? "@" : ":"}${tag}`;
  const { domain, path, tag: named, digest } = parseReference(reference);
  if (domain === "docker.io" && path === "library/scratch")
    throw new HavreError("permission-denied", "'scratch' is a reserved name");
  const platform = version.since(32) ? query.text("platform") : "";
  await told(exchange, (progress) =>
    distribution.pull(
      {
        reference,
        // Without a tag the API means all of them; the command line always names one.
        allTags: named === undefined && digest === undefined,
        credentials: registryCredentials(exchange),
        ...(platform === "" ? {} : { platform }),
      },
      (message) => progress.send(withBar(message)),
      signal,
    ),
  );
}

async function push(exchange: Exchange, { distribution }: UseCases): Promise<void> {
  const name = exchange.parameter("name");
  const tag = exchange.query.text("tag");
  const reference = tag === "" ? name : `${name}:${tag}`;
  const { tag: _named, ...repository } = parseReference(reference);
  if (repository.digest !== undefined) throw new HavreError("invalid-argument", "cannot push a digest reference");
  const request = { reference, credentials: registryCredentials(exchange) };
  await told(exchange, (progress) =>
    distribution.push(request, (message) => progress.send(withBar(message)), exchange.signal),
  );
}

/** Runs what tells its progress; a registry that cannot be reached is answered as dockerd answers it. */
async function told(exchange: Exchange, work: (progress: ProgressStream) => Promise<void>): Promise<void> {
  const progress = new ProgressStream(exchange);
  try {
    await work(progress);
    progress.end();
  } catch (error) {
    progress.fail(unreachable(error));
  }
}

function unreachable(error: unknown): unknown {
  if (!isHavreError(error, "unavailable")) return error;
  const { message, hint } = toHavreError(error);
  return new StatusError(500, "unavailable", hint === undefined ? message : `${message}: ${hint}`, error);
}

function withBar(message: ProgressMessage): object {
  const { current, total } = message.progressDetail ?? {};
  return current === undefined ? message : { ...message, progress: progressBar(current, total ?? 0) };
}

async function signIn(exchange: Exchange, { distribution }: UseCases): Promise<void> {
  const { server, ...credentials } = credentialsOf(await readText(exchange.request));
  try {
    await distribution.signIn(server, credentials, exchange.signal);
  } catch (error) {
    throw unreachable(error);
  }
  sendJson(exchange, 200, { Status: "Login Succeeded", IdentityToken: credentials.identityToken ?? "" });
}

async function search(exchange: Exchange, { distribution }: UseCases): Promise<void> {
  const { query, signal } = exchange;
  const limit = query.optional("limit") === undefined ? SEARCH_LIMIT : Number(query.text("limit"));
  if (limit < 1 || limit > SEARCH_MAX || !Number.isInteger(limit))
    throw new HavreError("invalid-argument", `limit ${query.text("limit")} is outside the range of [1, ${SEARCH_MAX}]`);
  const filters = parseFilters(query.text("filters"));
  filters.validate(["is-official", "is-automated", "stars"]);
  const found = await distribution
    .search(query.text("term"), limit, registryCredentials(exchange), signal)
    .catch((error) => Promise.reject(unreachable(error)));
  const [stars = "0"] = filters.values("stars");
  const [official] = filters.values("is-official");
  const [automated] = filters.values("is-automated");
  const wanted = found.filter(
    (item) =>
      item.stars >= Number(stars) &&
      (official === undefined || item.official === isTrue(official)) &&
      (automated === undefined || !isTrue(automated)),
  );
  sendJson(
    exchange,
    200,
    wanted.map((item) => ({
      star_count: item.stars,
      is_official: item.official,
      name: item.name,
      is_automated: false,
      description: item.description,
    })),
  );
}

function isTrue(text: string): boolean {
  return text === "true" || text === "1";
}

async function inspect(exchange: Exchange, { distribution }: UseCases): Promise<void> {
  const name = exchange.parameter("name");
  const { descriptor, platforms } = await distribution
    .inspect(name, registryCredentials(exchange), exchange.signal)
    .catch((error) => Promise.reject(unreachable(error)));
  const { mediaType, digest, size } = descriptor;
  sendJson(exchange, 200, { Descriptor: { mediaType, digest, size }, Platforms: platforms });
}

/** What this machine asks of registries; `pull` hangs on `/images/create`. */
export function distributionRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "POST", path: "/auth", handle: (exchange) => signIn(exchange, useCases) },
    { method: "POST", path: "/images/{name...}/push", handle: (exchange) => push(exchange, useCases) },
    { method: "GET", path: "/images/search", handle: (exchange) => search(exchange, useCases) },
    { method: "GET", path: "/distribution/{name...}/json", handle: (exchange) => inspect(exchange, useCases) },
  ];
}
