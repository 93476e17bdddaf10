import { HavreError } from "../../base/mod.ts";
import type { SearchResult } from "../distribution.ts";
import type { Credentials } from "./credentials.ts";
import { registryError } from "./failures.ts";
import type { Registries } from "./registry.ts";

const HUB_INDEX = "index.docker.io";

/** Asks a registry's search (Docker's registry API v1, which Docker Hub still answers). `host/term` asks that host. */
export async function searchRegistry(
  registries: Registries,
  term: string,
  limit: number,
  credentials: Credentials,
  signal?: AbortSignal,
): Promise<readonly SearchResult[]> {
  const slash = term.indexOf("/");
  const first = slash < 0 ? "" : term.slice(0, slash);
  const isHost = first.includes(".") || first.includes(":") || first === "localhost";
  const [host, words] =
    isHost && first !== "docker.io" ? [first, term.slice(slash + 1)] : [HUB_INDEX, term.replace(/^docker\.io\//, "")];
  return registries.withSession(host, credentials, async (session) => {
    const query = new URLSearchParams({ q: words.replace(/^library\//, ""), n: String(limit) });
    const response = await session.send(
      { method: "GET", url: `${session.endpoint.base}/v1/search?${query}`, signal },
      [],
    );
    if (response.status !== 200) throw await registryError(response, `Searching ${host}`);
    return results(Buffer.from(await response.bytes(4 << 20)).toString("utf8"), host);
  });
}

function results(text: string, host: string): readonly SearchResult[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new HavreError("unavailable", `${host} answered the search with something that is not JSON`, { cause });
  }
  const list = (parsed as { results?: unknown } | null)?.results;
  return (Array.isArray(list) ? (list as Record<string, unknown>[]) : []).map((item) => ({
    name: String(item.name ?? ""),
    description: String(item.description ?? ""),
    stars: Number(item.star_count ?? 0),
    official: item.is_official === true,
  }));
}
