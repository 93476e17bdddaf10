import { HavreError, toHavreError } from "../../../../base/mod.ts";
import { nodeFs } from "../../../node-fs.ts";
import { refuse } from "./checks.ts";
import { cut } from "./csv.ts";

/** Variables of `--env-file` or labels of `--label-file`: NAME=value lines, `#` comments; NAME alone asks `lookUp`. */
export function readAssignments(path: string, lookUp?: (name: string) => string | undefined): string[] {
  const assignments: string[] = [];
  for (const [at, bytes] of splitLines(readFile(path)).entries()) {
    const text = decode(bytes, path, at + 1);
    const line = (at === 0 ? text.replace(/^\ufeff/, "") : text).trimStart();
    if (line === "" || line.startsWith("#")) continue;
    const [name, value] = cut(line, "=");
    if (/[ \t]/.test(name)) refuse(`poorly formatted environment: variable '${name}' contains whitespaces`);
    if (name === "") refuse(`poorly formatted environment: no variable name on line '${line}'`);
    if (value !== undefined) assignments.push(`${name}=${value}`);
    else {
      const own = lookUp?.(line);
      if (own !== undefined) assignments.push(`${name.trim()}=${own}`);
    }
  }
  return assignments;
}

function readFile(path: string): Buffer {
  try {
    return nodeFs().readFileSync(path);
  } catch (error) {
    const { kind, message } = toHavreError(error);
    throw new HavreError(kind, kind === "not-found" ? `open ${path}: no such file or directory` : message, {
      cause: error,
    });
  }
}

function splitLines(data: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < data.byteLength; ) {
    const end = data.indexOf(10, at);
    const stop = end < 0 ? data.byteLength : end;
    const carriage = stop > at && data[stop - 1] === 13 ? 1 : 0;
    lines.push(data.subarray(at, stop - carriage));
    at = stop + 1;
  }
  return lines;
}

function decode(bytes: Buffer, path: string, line: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(`env file ${path} contains invalid utf8 bytes at line ${line}: [${[...bytes].join(" ")}]`);
  }
}

/** `--security-opt` values, a seccomp profile's file replaced by its content. */
export function securityOptions(options: readonly string[]): string[] {
  return options.map((option) => {
    const separator = option.includes("=") ? "=" : ":";
    const [name, value] = cut(option, separator);
    if (name === "no-new-privileges") return option;
    if (!value) return refuse(`Invalid --security-opt: ${JSON.stringify(option)}`);
    if (name !== "seccomp" || value === "builtin" || value === "unconfined") return option;
    return `seccomp=${seccompProfile(value)}`;
  });
}

function seccompProfile(path: string): string {
  let content: string;
  try {
    content = nodeFs().readFileSync(path, "utf8");
  } catch (error) {
    const why =
      toHavreError(error).kind === "not-found"
        ? `open ${path}: no such file or directory`
        : toHavreError(error).message;
    return refuse(`opening seccomp profile (${path}) failed: ${why}`);
  }
  try {
    return JSON.stringify(JSON.parse(content));
  } catch (error) {
    return refuse(
      `compacting json for seccomp profile (${path}) failed: ${error instanceof Error ? error.message : error}`,
    );
  }
}
