import type { Digest } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { CopyOp, ExecOp } from "../graph/ops.ts";
import { keyOf } from "../ops/content-key.ts";
import { layered, type Tree } from "./tree.ts";

/** The key of a process in a tree; `tops`: the highest layers of all its inputs, that of its own tree first. */
export function execKey(op: ExecOp, tops: readonly (ImageLayer | undefined)[]): Digest {
  const { passingEnv: _passing, limits, ...what } = op;
  const { shmSize, ulimits } = limits;
  return keyOf(
    "exec-1",
    what,
    shmSize,
    ulimits,
    tops.map((top) => top?.chainId),
  );
}

/** The key of a copy that takes only from trees: their chain ids say what is in them. undefined: it takes other files, too. */
export function treesKey(op: CopyOp, inputs: readonly Tree[]): ((top: ImageLayer | undefined) => Digest) | undefined {
  const sources = inputs.slice(1);
  if (sources.length === 0 || sources.some(({ kind }) => kind !== "layers")) return undefined;
  const chains = sources.map((tree) => layered(tree).layers.at(-1)?.chainId);
  return (top) => keyOf("copy-trees-1", op, chains, top?.chainId);
}
