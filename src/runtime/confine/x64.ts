import { CALLS, type Encoder, type Instruction, le32, type Register, type Value } from "./instructions.ts";

/** The processor's own numbers; rsp, rax, rcx and r11 are the kernel's or a system call's to change. */
const REGISTERS: Readonly<Record<Register, number>> = { a: 3, b: 5, c: 12, d: 13, e: 14, f: 15, g: 9, h: 8 };
const RAX = 0;
const RSP = 4;
/** rdi, rsi, rdx, r10: where system calls look for their arguments (syscall(2)). */
const ARGUMENTS = [7, 6, 2, 10];

/** REX prefix for 64 bits; `reg` and `rm` are the two registers' numbers. */
const rex = (reg: number, rm: number): number => 0x48 | ((reg >> 3) << 2) | (rm >> 3);
/** ModRM of two registers. */
const pair = (reg: number, rm: number): number => 0xc0 | ((reg & 7) << 3) | (rm & 7);
const move = (to: number, from: number): number[] => [rex(from, to), 0x89, pair(from, to)];
const set = (to: number, value: number): number[] => [rex(0, to), 0xc7, pair(0, to), ...le32(value)];

/** ModRM, and SIB where the base is r12, of `[base + offset]`. */
function memory(reg: number, base: number, offset: number): number[] {
  return [0x80 | ((reg & 7) << 3) | (base & 7), ...((base & 7) === RSP ? [0x24] : []), ...le32(offset)];
}

const JUMPS = { equal: 0x84, different: 0x85, below: 0x8c } as const;

/** x86-64 (AMD64 Architecture Programmer's Manual, volume 3). */
export const x64: Encoder = {
  machine: 62,
  encode(instruction: Instruction, here: number, where: (label: string) => number): readonly number[] {
    const number = (value: Value): number => (typeof value === "number" ? value : where(value.at));
    const distance = (to: string, length: number): number[] => le32(where(to) - here - length);
    switch (instruction.op) {
      case "label":
        return [];
      case "set":
        return set(REGISTERS[instruction.to], number(instruction.value));
      case "copy":
        return move(REGISTERS[instruction.to], REGISTERS[instruction.from]);
      case "stack":
        return move(REGISTERS[instruction.to], RSP);
      case "add": {
        const to = REGISTERS[instruction.to];
        return [rex(0, to), 0x81, pair(0, to), ...le32(instruction.value)];
      }
      case "load":
      case "store": {
        const [register, base] = [REGISTERS[instruction.register], REGISTERS[instruction.base]];
        const bytes = memory(register, base, instruction.offset);
        if (instruction.op === "store") return [rex(register, base), instruction.size === 8 ? 0x89 : 0x88, ...bytes];
        return [rex(register, base), ...(instruction.size === 8 ? [0x8b] : [0x0f, 0xb6]), ...bytes];
      }
      case "call":
        return [
          ...instruction.arguments.flatMap((value, index) => {
            const to = ARGUMENTS[index] as number;
            return typeof value === "string" ? move(to, REGISTERS[value]) : set(to, number(value));
          }),
          ...set(RAX, CALLS[instruction.name].x64),
          ...[0x0f, 0x05],
          ...move(REGISTERS[instruction.result], RAX),
        ];
      case "jump":
        return [0xe9, ...distance(instruction.to, 5)];
      case "jumpIf": {
        const register = REGISTERS[instruction.register];
        const compare = [rex(0, register), 0x81, pair(7, register), ...le32(instruction.value)];
        return [...compare, 0x0f, JUMPS[instruction.is], ...distance(instruction.to, compare.length + 6)];
      }
    }
  },
};
