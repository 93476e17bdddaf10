import { expect, test } from "bun:test";
import { type Answer, decode, encode, type Question } from "dns-packet";
import { answerLocally, type Membership } from "./answers.ts";
import { readQuery, reply } from "./message.ts";
import { NameTable } from "./names.ts";

const front: Membership = { networkId: "n1", networkName: "Front", links: new Map([["db", "mysql"]]) };
const back: Membership = { networkId: "n2", networkName: "back.net", links: new Map() };

const names = new NameTable();
names.set("c1", [{ networkId: "n1", names: ["web", "www", "0123456789ab"], addresses: ["10.1.0.2", "fd00:1::2"] }]);
names.set("c2", [
  { networkId: "n1", names: ["Api.v1", "www"], addresses: ["10.1.0.3"] },
  { networkId: "n2", names: ["Api.v1", "only-back"], addresses: ["10.2.0.3"] },
]);
names.set("c3", [{ networkId: "n1", names: ["mysql"], addresses: ["10.1.0.4"] }]);

/** Data of the answers; undefined: to be asked of others. */
function ask(memberships: readonly Membership[], name: string, type = "A") {
  const query = readQuery(encode({ type: "query", questions: [{ type, name } as Question] }));
  if (!query || "reply" in query) throw new Error("no query");
  const records = answerLocally(names, memberships, query);
  const answers = records && decode(reply(query, 0, records)).answers;
  return answers?.map((answer) => (answer as Extract<Answer, { data: string }>).data);
}

test("names, aliases and ids have the addresses of the family asked for", () => {
  expect(ask([front], "web")).toEqual(["10.1.0.2"]);
  expect(ask([front], "WEB", "AAAA")).toEqual(["fd00:1::2"]);
  expect(ask([front], "0123456789ab")).toEqual(["10.1.0.2"]);
  expect(ask([front], "www")?.sort()).toEqual(["10.1.0.2", "10.1.0.3"]);
});

test("of a known name everything else is known not to be", () => {
  expect(ask([front], "mysql", "AAAA")).toEqual([]);
  for (const type of ["ANY", "HTTPS", "SRV", "MX", "TXT", "PTR"]) expect(ask([front], "web", type)).toEqual([]);
});

test("a name counts on the asker's networks only", () => {
  expect(ask([back], "web")).toBeUndefined();
  expect(ask([front], "only-back")).toBeUndefined();
  expect(ask([front, back], "only-back")).toEqual(["10.2.0.3"]);
  expect(ask([], "web")).toBeUndefined();
});

test("a name may have dots, and its network behind it", () => {
  expect(ask([front], "api.v1")).toEqual(["10.1.0.3"]);
  expect(ask([front, back], "api.v1.back.net")).toEqual(["10.2.0.3"]);
  expect(ask([front], "api.v1.back.net")).toBeUndefined();
  expect(ask([front], "web.front")).toEqual(["10.1.0.2"]);
  expect(ask([front], "web.other")).toBeUndefined();
  expect(ask([front], ".".repeat(3))).toBeUndefined();
});

test("a link is a name for its owner only", () => {
  expect(ask([front], "db")).toEqual(["10.1.0.4"]);
  expect(ask([{ ...front, links: new Map() }], "db")).toBeUndefined();
});

test("an address has the first name of its container, with the network", () => {
  expect(ask([front], "2.0.1.10.in-addr.arpa", "PTR")).toEqual(["web.Front"]);
  expect(ask([back], "2.0.1.10.in-addr.arpa", "PTR")).toBeUndefined();
  const reverse = `2.0.0.0${".0".repeat(20)}.1.0.0.0.0.0.d.f.ip6.arpa`;
  expect(ask([front], reverse, "PTR")).toEqual(["web.Front"]);
  expect(ask([front], "9.9.9.9.in-addr.arpa", "PTR")).toBeUndefined();
});

test("localhost is this host, whoever calls himself so", () => {
  names.set("evil", [{ networkId: "n1", names: ["localhost"], addresses: ["10.1.0.9"] }]);
  expect(ask([front], "localhost")).toEqual(["127.0.0.1"]);
  expect(ask([], "any.localhost", "AAAA")).toEqual(["::1"]);
  expect(ask([], "1.0.0.127.in-addr.arpa", "PTR")).toEqual(["localhost"]);
  names.delete("evil");
});

test("several come in turn, whoever asks, and whatever else is asked between", () => {
  const table = new NameTable();
  for (const last of [2, 3, 4])
    table.set(`c${last}`, [{ networkId: "n", names: ["app"], addresses: [`10.0.0.${last}`, `fd00::${last}`] }]);
  const first = [0, 1, 2, 3].map(() => {
    const v6 = table.addressesInTurn("n", "app", 6);
    return [table.addressesInTurn("n", "app", 4).join(" "), v6[0]];
  });
  expect(first).toEqual([
    ["10.0.0.2 10.0.0.3 10.0.0.4", "fd00::2"],
    ["10.0.0.3 10.0.0.4 10.0.0.2", "fd00::3"],
    ["10.0.0.4 10.0.0.2 10.0.0.3", "fd00::4"],
    ["10.0.0.2 10.0.0.3 10.0.0.4", "fd00::2"],
  ]);
});

test("a container's names are replaced as a whole, and go with it", () => {
  const table = new NameTable();
  table.set("c", [{ networkId: "n", names: ["old", "both"], addresses: ["10.0.0.2"] }]);
  table.set("d", [{ networkId: "n", names: ["both"], addresses: ["10.0.0.3"] }]);
  table.set("c", [{ networkId: "n", names: ["new"], addresses: ["10.0.0.4"] }]);
  expect(table.knows("n", "old")).toBe(false);
  expect(table.addressesInTurn("n", "both", 4)).toEqual(["10.0.0.3"]);
  expect(table.nameBehind("n", "2.0.0.10.in-addr.arpa")).toBeUndefined();
  expect(table.nameBehind("n", "4.0.0.10.in-addr.arpa")).toBe("new");
  table.delete("c");
  table.delete("d");
  table.delete("d");
  expect(table.knows("n", "both")).toBe(false);
});
