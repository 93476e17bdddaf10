import { expect, test } from "bun:test";
import { DetachDetector, parseDetachKeys } from "./detach.ts";

test("keys by name", () => {
  expect([...parseDetachKeys("")]).toEqual([16, 17]);
  expect([...parseDetachKeys("ctrl-a,x,ctrl-[,ctrl-@")]).toEqual([1, 120, 27, 0]);
  expect(() => parseDetachKeys("ctrl-1")).toThrow("Unknown character: 'ctrl-1'");
});

test("held back until the next key tells, in one piece or several", () => {
  const detector = new DetachDetector(parseDetachKeys(""));
  const push = (text: string) => {
    const { pass, detached } = detector.push(Buffer.from(text));
    return [Buffer.from(pass).toString(), detached];
  };
  expect(push("ab\x10")).toEqual(["ab", false]);
  expect(push("c")).toEqual(["\x10c", false]);
  expect(push("\x10\x10")).toEqual(["\x10", false]);
  expect(push("\x11rest")).toEqual(["", true]);
});

test("a single key detaches at once", () => {
  expect(new DetachDetector(parseDetachKeys("ctrl-a")).push(Buffer.from("x\x01y"))).toMatchObject({ detached: true });
});
