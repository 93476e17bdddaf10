import { CALLS, type Encoder, type Instruction, le32, type Register, type Value } from "./instructions.ts";

/** x19 … x26, which a called function preserves. */
const REGISTERS: Readonly<Record<Register, number>> = { a: 19, b: 20, c: 21, d: 22, e: 23, f: 24, g: 25, h: 26 };
/** Where system calls have their number (syscall(2)); their arguments are in x0 … x3, their result is in x0. */
const NUMBER = 8;
const ZERO = 31;
const STACK = 31;

/** ORR with the zero register. */
const move = (to: number, from: number): number[] => le32(0xaa0003e0 | (from << 16) | to);
/** ADD or SUB of a small number; of the stack pointer too. */
const add = (to: number, from: number, value: number): number[] =>
  le32((value < 0 ? 0xd1000000 : 0x91000000) | (Math.abs(value) << 10) | (from << 5) | to);

/** MOVZ or, for what is below zero, MOVN; and MOVK for the upper half. Always two words. */
function set(to: number, value: number): number[] {
  const low = value & 0xffff;
  const high = (value >>> 16) & 0xffff;
  const first = value < 0 ? 0x92800000 | ((~value & 0xffff) << 5) : 0xd2800000 | (low << 5);
  return [...le32(first | to), ...le32(0xf2a00000 | (high << 5) | to)];
}

/** LDR, STR, LDRB, STRB with an offset counted in their size. */
const MEMORY = { load: { 8: 0xf9400000, 1: 0x39400000 }, store: { 8: 0xf9000000, 1: 0x39000000 } } as const;
const CONDITIONS = { equal: 0, different: 1, below: 11 } as const;

/** 64-bit Arm (Arm Architecture Reference Manual for A-profile, chapter C6). */
export const arm64: Encoder = {
  machine: 183,
  encode(instruction: Instruction, here: number, where: (label: string) => number): readonly number[] {
    const number = (value: Value): number => (typeof value === "number" ? value : where(value.at));
    const words = (to: string, from: number): number => (where(to) - from) / 4;
    switch (instruction.op) {
      case "label":
        return [];
      case "set":
        return set(REGISTERS[instruction.to], number(instruction.value));
      case "copy":
        return move(REGISTERS[instruction.to], REGISTERS[instruction.from]);
      case "stack":
        return add(REGISTERS[instruction.to], STACK, 0);
      case "add":
        return add(REGISTERS[instruction.to], REGISTERS[instruction.to], instruction.value);
      case "load":
      case "store": {
        const { op, size, register, base, offset } = instruction;
        return le32(MEMORY[op][size] | ((offset / size) << 10) | (REGISTERS[base] << 5) | REGISTERS[register]);
      }
      case "call":
        return [
          ...instruction.arguments.flatMap((value, index) =>
            typeof value === "string" ? move(index, REGISTERS[value]) : set(index, number(value)),
          ),
          ...set(NUMBER, CALLS[instruction.name].arm64),
          ...le32(0xd4000001),
          ...move(REGISTERS[instruction.result], 0),
        ];
      case "jump":
        return le32(0x14000000 | (words(instruction.to, here) & 0x3ffffff));
      case "jumpIf": {
        const { register, value, is, to } = instruction;
        // SUBS, or ADDS for what is below zero, into the zero register.
        const compare = (value < 0 ? 0xb1000000 : 0xf1000000) | (Math.abs(value) << 10);
        return [
          ...le32(compare | (REGISTERS[register] << 5) | ZERO),
          ...le32(0x54000000 | ((words(to, here + 4) & 0x7ffff) << 5) | CONDITIONS[is]),
        ];
      }
    }
  },
};
