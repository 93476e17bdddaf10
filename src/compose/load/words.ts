import { mounts } from "../schema/mounts.ts";
import { ports } from "../schema/ports.ts";
import type { Service } from "../schema/service.ts";
import { toPlain } from "../shape/plain.ts";
import { readShape } from "../shape/read.ts";
import type { Shape, TypeOf } from "../shape/shape.ts";
import { child, makeMapping, type Node } from "../source/node.ts";
import { absolutePaths } from "./paths.ts";

/** Ports in the short form, as a command line has them. `invalid-argument` for what is none. */
export function readPorts(words: readonly string[]): NonNullable<Service["ports"]> {
  return readWords("--publish", words, ports);
}

/** Mounts in the short form; paths are meant from `folder`. */
export function readMounts(words: readonly string[], folder: string): NonNullable<Service["volumes"]> {
  const at = { source: { path: "--volume", text: words.join("\n") }, offset: 0 };
  const list: Node = { value: words.map((value) => ({ value, at })), at };
  const service = makeMapping(at, [["volumes", readShape(list, mounts)]]);
  const whole = absolutePaths(makeMapping(at, [["services", makeMapping(at, [["run", service]])]]), folder, "/root");
  const volumes = child(child(child(whole, "services"), "run"), "volumes");
  return volumes ? toPlain(volumes, mounts) : [];
}

function readWords<S extends Shape>(flag: string, words: readonly string[], shape: S): TypeOf<S> {
  const at = { source: { path: flag, text: words.join("\n") }, offset: 0 };
  return toPlain(readShape({ value: words.map((value) => ({ value, at })), at }, shape), shape);
}
