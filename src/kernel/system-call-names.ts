import { CString, dlopen, type Library } from "bun:ffi";

const FUNCTIONS = {
  seccomp_syscall_resolve_num_arch: { args: ["u32", "int"], returns: "ptr" },
  free: { args: ["ptr"], returns: "void" },
} as const;

/** Above every number in use. */
const NUMBERS = 1024;
/** AUDIT_ARCH_… of this host's own programs, by Node's name. */
const NATIVE: Readonly<Record<string, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** undefined: a machine that nobody has tried this on. */
export function nativeArchitecture(): number | undefined {
  return NATIVE[process.arch];
}

/**
 * Names of system calls by number, from the library that the runtimes compile filters with: every host that runs
 * containers has it. Numbers it does not know have no name.
 */
export class SystemCallNames {
  readonly #library: Library<typeof FUNCTIONS> = dlopen("libseccomp.so.2", FUNCTIONS);
  readonly #known = new Map<string, string | undefined>();

  /** All that an architecture has. */
  all(architecture: number): readonly string[] {
    return Array.from({ length: NUMBERS }, (_, number) => this.nameOf(architecture, number) ?? []).flat();
  }

  /** @param architecture AUDIT_ARCH_…, which is libseccomp's own token too. */
  nameOf(architecture: number, number: number): string | undefined {
    const key = `${architecture} ${number}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const { symbols } = this.#library;
    const at = symbols.seccomp_syscall_resolve_num_arch(architecture, number);
    const name = at === null ? undefined : new CString(at).toString();
    if (at !== null) symbols.free(at);
    this.#known.set(key, name);
    return name;
  }
}
