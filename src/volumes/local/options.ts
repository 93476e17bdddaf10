import { HavreError } from "../../base/mod.ts";

/** What the local driver mounts at the volume's folder, in the words of mount(8); undefined options: a folder like any. */
export interface LocalMount {
  readonly type: string;
  readonly device: string;
  /** Comma-separated, as `mount -o` has them. */
  readonly options: string;
}

const KNOWN = ["type", "o", "device", "size"];
/** An option is nothing without those after it. */
const NEEDS: readonly (readonly [string, readonly string[]])[] = [
  ["device", ["type"]],
  ["type", ["device"]],
  ["o", ["device", "type"]],
];

/** Checks `type`, `o` and `device` of a local volume. `invalid-argument` in Docker's words. */
export function parseLocalOptions(options: Readonly<Record<string, string>>): LocalMount | undefined {
  const refuse = (why: string) => new HavreError("invalid-argument", why);
  const names = Object.keys(options);
  if (names.length === 0) return undefined;
  const unknown = names.find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) throw refuse(`invalid option: ${JSON.stringify(unknown)}`);
  // Docker needs quotas of XFS for it, which it asks of the file system of its root.
  if (names.includes("size")) throw refuse("quota size requested but no quota support");
  for (const [name, needed] of NEEDS) {
    const missing = names.includes(name) ? needed.find((other) => !names.includes(other)) : undefined;
    if (missing !== undefined) throw refuse(`missing required option: ${JSON.stringify(missing)}`);
  }
  return { type: options.type ?? "", device: options.device ?? "", options: options.o ?? "" };
}

/** Checks the name of a local volume: it becomes that of a folder. `invalid-argument` in Docker's words. */
export function checkLocalName(name: string): void {
  if (name.length === 1)
    throw new HavreError(
      "invalid-argument",
      "volume name is too short, names should be at least two alphanumeric characters",
    );
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) && name.length <= 255) return;
  throw new HavreError(
    "invalid-argument",
    `${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}
