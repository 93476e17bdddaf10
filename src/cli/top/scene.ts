import type { Board } from "./board.ts";
import type { Glyphs } from "./glyphs.ts";
import { Line } from "./line.ts";
import type { Row } from "./rows.ts";
import type { TopState } from "./state.ts";

/** Everything a frame is made of. */
export interface Scene {
  readonly state: TopState;
  readonly board: Board;
  readonly rows: readonly Row[];
  /** The end of the selected container's log, the newest line last. */
  readonly log: readonly string[];
  /** Why nothing new is coming. */
  readonly trouble: string | undefined;
  readonly glyphs: Glyphs;
  readonly coloured: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function paint({ coloured }: Pick<Scene, "coloured">, width: number, base = ""): Line {
  return new Line(width, base, coloured);
}
