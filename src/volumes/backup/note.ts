import { HavreError } from "../../base/mod.ts";

type Pairs = Readonly<Record<string, string>>;

/** What a backup is of, told in it. */
export interface BackupNote {
  readonly format: 1;
  readonly volume: string;
  readonly labels: Pairs | null;
  /** Milliseconds since the epoch. */
  readonly taken: number;
  /** The containers that had the volume stood still meanwhile. */
  readonly paused: boolean;
}

/** `invalid-argument` for anything else, and for a note of a format from after this program. */
export function parseNote(text: string): BackupNote {
  const wrong = (why: string, cause?: unknown) =>
    new HavreError("invalid-argument", `The backup's note ${why}`, cause === undefined ? {} : { cause });
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw wrong("is not JSON", cause);
  }
  return noteFrom(raw);
}

export function noteFrom(raw: unknown): BackupNote {
  const fields = (typeof raw === "object" && raw !== null ? raw : {}) as Readonly<Record<string, unknown>>;
  const { format, volume, labels, taken, paused } = fields;
  if (format !== 1)
    throw new HavreError(
      "invalid-argument",
      `The backup has format ${String(format)}, which this program does not know`,
    );
  if (typeof volume !== "string" || typeof taken !== "number" || typeof paused !== "boolean")
    throw new HavreError("invalid-argument", "The backup's note is incomplete");
  return { format, volume, taken, paused, labels: isPairs(labels) ? labels : null };
}

function isPairs(value: unknown): value is Pairs {
  return typeof value === "object" && value !== null && Object.values(value).every((item) => typeof item === "string");
}
