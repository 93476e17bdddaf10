import { cstring, libcSymbols } from "./libc.ts";

const libc = libcSymbols({ if_nametoindex: { args: ["ptr"], returns: "u32" } });

/** Whether the calling thread's network namespace has an interface of this name. Never waits, whatever the kernel is busy with. */
export function interfaceExists(name: string): boolean {
  return libc().if_nametoindex(cstring(name)) !== 0;
}
