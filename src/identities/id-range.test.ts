import { describe, expect, test } from "bun:test";
import { parseSubIds } from "./host-user.ts";
import { findFree, type OwnIds } from "./id-range.ts";
import { parseUserns } from "./mode.ts";

const SPACE = { uid: 1_000_000, gid: 2_000_000, count: 1000 };
const own = (at: number, size: number): OwnIds => ({
  id: `c${at}`,
  kind: "own",
  uid: SPACE.uid + at,
  gid: SPACE.gid + at,
  size,
});

describe("ranges", () => {
  test("the lowest gap that is wide enough; from a place on, then from the beginning", () => {
    expect(findFree(SPACE, 100, [])).toBe(0);
    expect(findFree(SPACE, 100, [own(0, 100), own(150, 100)])).toBe(250);
    expect(findFree(SPACE, 50, [own(0, 100), own(150, 100)])).toBe(100);
    expect(findFree(SPACE, 100, [own(900, 100)], 900)).toBe(0);
    expect(() => findFree(SPACE, 100, [own(50, 900)])).toThrow("No 100 user ids are left for another container");
  });

  test("a range chosen by hand counts, wherever its ids lie", () => {
    const chosen: OwnIds = { id: "x", kind: "own", uid: SPACE.uid + 30, gid: 5, size: 10 };
    expect(findFree(SPACE, 40, [chosen])).toBe(40);
  });

  test("whatever is taken and given back, no two have an id in common", () => {
    let seed = 7;
    const random = (limit: number) => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed % limit;
    };
    let taken: OwnIds[] = [];
    for (let turn = 0; turn < 500; turn++) {
      const size = 1 + random(80);
      try {
        const next = { ...own(findFree(SPACE, size, taken, random(1000)), size), id: String(turn) };
        for (const other of taken) expect(next.uid < other.uid + other.size && other.uid < next.uid + size).toBe(false);
        expect(next.uid + size).toBeLessThanOrEqual(SPACE.uid + SPACE.count);
        taken.push(next);
      } catch (error) {
        if (!String(error).includes("are left")) throw error;
        taken = taken.filter(() => random(2) === 0);
      }
    }
  });
});

test("words of --userns", () => {
  expect(parseUserns("")).toBeUndefined();
  expect(parseUserns("host")).toEqual({ kind: "host" });
  expect(parseUserns("auto")).toEqual({ kind: "auto", size: 65_536 });
  expect(parseUserns("auto:size=20")).toEqual({ kind: "auto", size: 20 });
  expect(parseUserns("200000:1000")).toEqual({ kind: "range", first: 200_000, size: 1000 });
  for (const bad of ["keep-id:x", "0:1000", "999", "auto:size=0", "4000000000", "-1", "auto:"])
    expect(() => parseUserns(bad)).toThrow(`invalid user namespace mode: ${bad}`);
});

test("a user's first run in a subuid file, by name or number", () => {
  const text = "# none\nother:1:2\nhavre:100:200\nhavre:500:1\n1000:7:8\nbroken:x:9\n";
  expect(parseSubIds(text, ["havre"])).toEqual({ first: 100, count: 200 });
  expect(parseSubIds(text, ["me", "1000"])).toEqual({ first: 7, count: 8 });
  expect(parseSubIds(text, ["broken"])).toBeUndefined();
});
