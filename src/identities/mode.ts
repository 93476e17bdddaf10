import { HavreError } from "../base/mod.ts";

/** Ids that a container gets unless it asks for more: all that 16 bits name, as users of distributions have. */
export const USUAL_SIZE = 65_536;
const LEAST = 1000;
const MOST = 1 << 30;
/** Above these programs take ids for negative numbers. */
const HIGHEST = 0x7ffffffe;

/** What a container asks: the host's ids, ids of its own from the host's stock, or these. */
export type UsernsMode =
  | { readonly kind: "host" }
  | { readonly kind: "auto"; readonly size: number }
  | { readonly kind: "range"; readonly first: number; readonly size: number };

/**
 * Reads `--userns`: `host`, `auto`, `auto:size=N` (podman's words), or `FIRST:SIZE`, the host's ids to have. `undefined` for
 * "", the daemon's default. `invalid-argument` in Docker's words.
 */
export function parseUserns(text: string): UsernsMode | undefined {
  if (text === "") return undefined;
  if (text === "host") return { kind: "host" };
  if (text === "auto" || text === "private") return { kind: "auto", size: USUAL_SIZE };
  const size = /^auto:size=(\d+)$/.exec(text)?.[1];
  if (size !== undefined) return { kind: "auto", size: sizeIn(text, Number(size)) };
  const [, first, length = String(USUAL_SIZE)] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (first === undefined) throw invalid(text, "Use host, auto, auto:size=N or FIRST:SIZE");
  const range = { first: Number(first), size: sizeIn(text, Number(length)) };
  if (range.first < LEAST || range.first + range.size > HIGHEST)
    throw invalid(text, `Use ids between ${LEAST} and ${HIGHEST}: below are the host's own users`);
  return { kind: "range", ...range };
}

function sizeIn(text: string, size: number): number {
  if (size > 0 && size <= MOST) return size;
  throw invalid(text, `Ask for 1 to ${MOST} ids`);
}

function invalid(text: string, hint: string): HavreError {
  return new HavreError("invalid-argument", `invalid user namespace mode: ${text}`, { hint });
}
