import { expect, test } from "bun:test";
import { systemClock } from "../../base/mod.ts";
import { RegistryHttp } from "./http.ts";

/** What the second request carries when the first, with credentials, is led from one address to another. */
async function carriedOver(from: string, to: string): Promise<string | null> {
  const seen: Headers[] = [];
  const http = new RegistryHttp([], systemClock, async (_url, init) => {
    seen.push(new Headers((init as RequestInit).headers));
    return seen.length === 1 ? new Response(null, { status: 307, headers: { location: to } }) : new Response("blob");
  });
  const answer = await http.send({ method: "GET", url: from, headers: { Authorization: "Basic c2VjcmV0" } });
  expect(Buffer.from(await answer.bytes()).toString()).toBe("blob");
  expect(seen[0]?.get("authorization")).toBe("Basic c2VjcmV0");
  return seen[1]?.get("authorization") ?? null;
}

test("credentials follow a redirect within their host, never to another one or out of encryption", async () => {
  const from = "https://registry.test/v2/a/blobs/x";
  expect(await carriedOver(from, "/v2/b/blobs/x")).toBe("Basic c2VjcmV0");
  expect(await carriedOver("http://registry.test/v2/", "https://registry.test/v2/")).toBe("Basic c2VjcmV0");
  expect(await carriedOver(from, "https://cdn.test/x")).toBeNull();
  expect(await carriedOver(from, "https://registry.test:8443/x")).toBeNull();
  expect(await carriedOver(from, "http://registry.test/x")).toBeNull();
});
