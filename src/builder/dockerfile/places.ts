import type { SourceRange, Word } from "./source.ts";
import type { Instruction } from "./tree.ts";

/** Where a word of an instruction stands; the instruction's own place when it has no such word. */
export function placeOf(source: Instruction, word: string): SourceRange {
  const fits = ({ text }: Word) => text === word || text.endsWith(`=${word}`);
  const pairs = source.pairs.flatMap(({ key, value }) => [key, value]);
  return [...source.arguments, ...pairs, ...source.flags].find(fits)?.range ?? source.range;
}

/** The instruction as if it stood elsewhere: an `ONBUILD` trigger is complained about where its stage begins. */
export function standingAt(source: Instruction, place: Instruction): Instruction {
  const moved = ({ text }: Word): Word => ({ text, range: place.range });
  return {
    ...source,
    file: place.file,
    range: place.range,
    name: moved(source.name),
    flags: source.flags.map(moved),
    arguments: source.arguments.map(moved),
    pairs: source.pairs.map(({ key, value, legacy }) => ({ key: moved(key), value: moved(value), legacy })),
  };
}
