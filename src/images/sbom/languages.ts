import type { Package } from "./package.ts";

/** A package of Node: its package.json. */
export function readPackageJson(text: string, place: string): Package | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { name, version, license } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || typeof version !== "string" || name === "" || version === "") return undefined;
  return { kind: "npm", name, version, ...(typeof license === "string" ? { license } : {}), place };
}

/** A package of Python: the METADATA or PKG-INFO of one that is installed (core metadata specification). */
export function readPythonMetadata(text: string, place: string): Package | undefined {
  const [head = ""] = text.split(/\r?\n\r?\n/, 1);
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "mi").exec(head)?.[1]?.trim();
  const [name, version] = [field("Name"), field("Version")];
  if (!name || !version) return undefined;
  const license = field("License-Expression") ?? field("License");
  return { kind: "pypi", name, version, ...(license && license !== "UNKNOWN" ? { license } : {}), place };
}
