/** The few instructions that the program which confines a container is written in, the same for every processor. */

/** Registers that a system call leaves alone. */
export type Register = "a" | "b" | "c" | "d" | "e" | "f" | "g" | "h";

/** A value known when the program is made: a number (32 bits, signed) or the address of something labelled. */
export type Value = number | { readonly at: string };

export type Instruction =
  /** A place to jump to. */
  | { readonly op: "label"; readonly name: string }
  | { readonly op: "set"; readonly to: Register; readonly value: Value }
  | { readonly op: "copy"; readonly to: Register; readonly from: Register }
  /** Where the kernel has put the arguments and the environment (elf(5), auxiliary vectors). */
  | { readonly op: "stack"; readonly to: Register }
  /** -2048 … 2047. */
  | { readonly op: "add"; readonly to: Register; readonly value: number }
  /** 8 bytes, or one without a sign; `offset`: 0 … 4088, a multiple of the size. */
  | {
      readonly op: "load" | "store";
      readonly register: Register;
      readonly base: Register;
      readonly offset: number;
      readonly size: 1 | 8;
    }
  /** A system call of up to four arguments; -errno when it fails. */
  | {
      readonly op: "call";
      readonly name: CallName;
      readonly arguments: readonly (Register | Value)[];
      readonly result: Register;
    }
  | { readonly op: "jump"; readonly to: string }
  /** `value`: -2048 … 2047; `below` with a sign. */
  | {
      readonly op: "jumpIf";
      readonly register: Register;
      readonly is: "equal" | "different" | "below";
      readonly value: number;
      readonly to: string;
    };

/** System calls by number (syscalls(2)): those of before Landlock have one for each processor. */
export const CALLS = {
  openat: { x64: 257, arm64: 56 },
  close: { x64: 3, arm64: 57 },
  write: { x64: 1, arm64: 64 },
  execve: { x64: 59, arm64: 221 },
  exit_group: { x64: 231, arm64: 94 },
  landlock_create_ruleset: { x64: 444, arm64: 444 },
  landlock_add_rule: { x64: 445, arm64: 445 },
  landlock_restrict_self: { x64: 446, arm64: 446 },
} as const;
export type CallName = keyof typeof CALLS;

/** A processor's way of writing instructions down. */
export interface Encoder {
  /** ELF's number of the machine. */
  readonly machine: number;
  /** The bytes of one instruction, at `here`; `where` tells the address of a label. The length never depends on either. */
  encode(instruction: Instruction, here: number, where: (label: string) => number): readonly number[];
}

/** 32 bits, the lowest byte first. */
export const le32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
