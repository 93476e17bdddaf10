import { describe, expect, test } from "bun:test";
import type { EngineEvent } from "../../engine/mod.ts";
import { type ListQuery, selectContainers } from "./container-filters.ts";
import { eventMatches } from "./event-filters.ts";
import { parseFilters } from "./filters.ts";
import { container, EPOCH, IMAGE_ID, image } from "./fixtures/objects.ts";
import { selectNetworks } from "./network-filters.ts";
import { parseMoment } from "./relative-time.ts";

describe("filters", () => {
  test("are read in both of Docker's forms", () => {
    for (const text of ['{"name":["a","b"]}', '{"name":{"a":true,"b":true}}']) {
      expect(parseFilters(text).values("name")).toEqual(["a", "b"]);
    }
    expect(parseFilters("").has("name")).toBeFalse();
    expect(parseFilters("{}").has("name")).toBeFalse();
  });

  test("that are no such thing are refused", () => {
    for (const text of ["x", "[]", '"x"', '{"name":"a"}', '{"name":[1]}', '{"name":{"a":"b"}}']) {
      expect(() => parseFilters(text)).toThrow("invalid filter");
    }
  });

  test("of yes and no", () => {
    const flag = (value: string) => parseFilters(`{"dangling":${value}}`).flag("dangling");
    expect(["[]", '["x"]', '["1","0"]'].map((value) => () => flag(value)).every((call) => throws(call))).toBeTrue();
    expect([flag('["true"]'), flag('["1"]'), flag('["0"]'), flag('{"false":true}')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(() => flag('["x"]')).toThrow("invalid filter 'dangling=[x]'");
  });
});

test("networks' dangling filter is refused in its own words", () => {
  const select = (value: string) => selectNetworks([], parseFilters(`{"dangling":${value}}`));
  expect(select('["1"]')).toEqual([]);
  expect(() => select('["x"]')).toThrow(
    `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
  );
  expect(() => select('["1","0"]')).toThrow('got more than one value for filter key "dangling"');
});

function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

describe("docker ps", () => {
  const CHILD_ID = `sha256:${"9".repeat(64)}` as const;
  const child = { ...image, id: CHILD_ID, parent: IMAGE_ID, tags: [] };
  const all = [
    container({
      id: `a${"0".repeat(63)}`,
      name: "web",
      created: EPOCH,
      body: { Labels: { tier: "front", v: "1" }, ExposedPorts: { "80/tcp": {} } },
      status: {
        state: "running",
        startedAt: EPOCH,
        endpoints: [endpointOf("bridge")],
        health: { status: "healthy", failingStreak: 0, log: [] },
      },
    }),
    container({
      id: `ab${"0".repeat(62)}`,
      name: "web2",
      created: EPOCH + 1,
      body: { Labels: { tier: "back" } },
      imageId: CHILD_ID,
      status: { state: "exited", exitCode: 3, startedAt: EPOCH, finishedAt: EPOCH },
    }),
    container({
      id: `b${"0".repeat(63)}`,
      name: "db",
      created: EPOCH + 2,
      body: { HostConfig: { NetworkMode: "host" } },
      status: { state: "paused", startedAt: EPOCH },
      mounts: [mountOf("/data", "/var/db")],
    }),
    container({ id: `c${"0".repeat(63)}`, name: "new", created: EPOCH + 3, status: { state: "created" } }),
  ];

  function endpointOf(name: string) {
    return {
      networkId: "d1",
      networkName: name,
      endpointId: "e1",
      ipAddress: "1.2.3.4",
      prefixLength: 8,
      gateway: "1.0.0.1",
      macAddress: "",
      hostInterface: "",
      ipv6Address: "",
      ipv6PrefixLength: 0,
      ipv6Gateway: "",
      interfaceName: "eth0",
      aliases: [],
      dnsNames: [],
      links: [],
      driverOptions: {},
      gatewayPriority: 0,
    };
  }
  function mountOf(source: string, destination: string) {
    return { type: "bind", source, destination, mode: "", writable: true, propagation: "rprivate" } as const;
  }
  function names(filters: object = {}, change: Partial<ListQuery> = {}): readonly string[] {
    const query: ListQuery = {
      all: true,
      limit: 0,
      filters: parseFilters(JSON.stringify(filters)),
      before: undefined,
      since: undefined,
      findImage: (name) => [image, child].find(({ id, tags }) => id === name || tags.includes(`${name}:latest`)),
      networkIds: new Map([
        ["bridge", "d1"],
        ["host", "h1"],
      ]),
      ...change,
    };
    return selectContainers(all, query).map(({ name }) => name);
  }

  test("newest first; running ones unless asked for all or the last", () => {
    expect(names()).toEqual(["new", "db", "web2", "web"]);
    expect(names({}, { all: false })).toEqual(["db", "web"]);
    expect(names({}, { all: false, limit: 2 })).toEqual(["new", "db"]);
    expect(names({ status: ["exited"] }, { all: false })).toEqual(["web2"]);
  });

  const table: readonly (readonly [object, readonly string[]])[] = [
    [{ name: ["web"] }, ["web2", "web"]],
    [{ name: ["^/?web$"] }, ["web"]],
    [{ name: ["("] }, []],
    [{ name: ["db", "new"] }, ["new", "db"]],
    [{ id: ["b"] }, ["db"]],
    [{ id: ["a"] }, []],
    [{ id: ["b", "c"], name: ["db"] }, ["db"]],
    [{ label: ["tier"] }, ["web2", "web"]],
    [{ label: ["tier=front"] }, ["web"]],
    [{ label: ["tier=front", "v=1"] }, ["web"]],
    [{ label: ["tier=front", "v=2"] }, []],
    [{ status: ["paused", "created"] }, ["new", "db"]],
    [{ health: ["healthy"] }, ["web"]],
    [{ health: ["none"] }, ["new", "db", "web2"]],
    [{ exited: ["3"] }, ["web2"]],
    [{ exited: ["0"] }, []],
    [{ ancestor: ["bb"] }, ["new", "db", "web2", "web"]],
    [{ ancestor: [CHILD_ID] }, ["web2"]],
    [{ ancestor: ["nosuch"] }, []],
    [{ before: ["db"] }, ["web2", "web"]],
    [{ since: ["web2"] }, ["new", "db"]],
    [{ since: ["web"], before: ["new"] }, ["db", "web2"]],
    [{ volume: ["/data"] }, ["db"]],
    [{ volume: ["/var/db"] }, ["db"]],
    [{ network: ["host"] }, ["db"]],
    [{ network: ["bridge"] }, ["new", "web2", "web"]],
    [{ network: ["d1"] }, ["web2", "web"]],
    [{ expose: ["80"] }, ["web"]],
    [{ expose: ["70-90/tcp"] }, ["web"]],
    [{ expose: ["80/udp"] }, []],
    [{ publish: ["80"] }, []],
    [{ "is-task": ["true"] }, []],
    [{ "is-task": ["false"] }, ["new", "db", "web2", "web"]],
    [{ isolation: ["default"] }, ["new", "db", "web2", "web"]],
  ];
  for (const [filters, expected] of table)
    test(JSON.stringify(filters), () => expect(names(filters)).toEqual(expected));

  test("refuses in Docker's words", () => {
    const texts: readonly (readonly [object, string])[] = [
      [{ foo: ["1"] }, "invalid filter 'foo'"],
      [{ "is-task": ["x"] }, "invalid filter 'is-task=[x]'"],
      [{ status: ["x"] }, "invalid filter 'status=x'"],
      [{ exited: ["x"] }, `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
      [{ health: ["x"] }, "unrecognized filter value for health: x"],
      [{ publish: ["x:1"] }, "filter for 'publish' should not contain ':': x:1"],
      [{ before: ["x"] }, "No such container: x"],
    ];
    for (const [filters, message] of texts) expect(() => names(filters)).toThrow(message);
  });
});

describe("docker events", () => {
  const event: EngineEvent = {
    type: "container",
    action: "exec_create: sh",
    actor: { id: "c1aa", attributes: { image: "bb:latest", name: "web", tier: "front" } },
    at: EPOCH,
  };
  const table: readonly (readonly [object, boolean])[] = [
    [{}, true],
    [{ type: ["container"] }, true],
    [{ type: ["image"] }, false],
    [{ event: ["exec_create"] }, true],
    [{ event: ["exec_create: sh"] }, true],
    [{ event: ["exec"] }, false],
    [{ container: ["c1"] }, true],
    [{ container: ["web"] }, true],
    [{ container: ["db"] }, false],
    [{ image: ["bb"] }, true],
    [{ image: ["bb:latest"] }, true],
    [{ image: ["b"] }, false],
    [{ label: ["tier=front"] }, true],
    [{ label: ["tier=back"] }, false],
    [{ scope: ["swarm"] }, false],
  ];
  for (const [filters, expected] of table) {
    test(JSON.stringify(filters), () =>
      expect(eventMatches(event, parseFilters(JSON.stringify(filters)))).toBe(expected),
    );
  }
});

test("moments are durations back, seconds or dates", () => {
  expect(parseMoment("1h30m", EPOCH)).toBe(EPOCH - 90 * 60_000);
  expect(parseMoment("1767225600", 0)).toBe(EPOCH);
  expect(parseMoment("2026-01-01T00:00:00Z", 0)).toBe(EPOCH);
  expect(() => parseMoment("yesterday", 0)).toThrow("failed to parse value as time or duration");
});
