import { execFile } from "node:child_process";
import { HavreError } from "../base/mod.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  nft: "nftables",
  "iptables-restore": "iptables",
  apparmor_parser: "apparmor",
};

/**
 * Runs one of the programs that own a format of the kernel's; its standard output. `unavailable` when it is not
 * installed, `internal` with its words when it fails.
 */
export function runProgram(command: string, args: readonly string[], input: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const path = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  const env = { ...process.env, PATH: path };
  const child = execFile(command, [...args], { env, timeout: 20_000 }, (error, stdout, stderr) => {
    if (!error) return resolve(stdout);
    if ("code" in error && error.code === "ENOENT") {
      const hint = `Install the package that has ${command} (Debian: ${PACKAGES[command] ?? command})`;
      return reject(new HavreError("unavailable", `${command} is not installed`, { cause: error, hint }));
    }
    const said = stderr.trim() || error.message;
    reject(new HavreError("internal", `${command} ${args.join(" ")} failed: ${said}`, { cause: error }));
  });
  // A program that ends before it read everything reports through its exit, not through this pipe.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return promise;
}
