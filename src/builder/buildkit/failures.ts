import { DockerfileError, type SourceFile } from "../dockerfile/mod.ts";
import type { Vertex } from "../graph/vertex.ts";
import { BuildFailed } from "../solver/failure.ts";
import { type ErrorDetail, RpcError, toRpcError } from "./rpc/status.ts";

const TYPES = "github.com/moby/buildkit/";
const UNKNOWN = 2;

/** An error of a build as a client can show it: with the lines of the Dockerfile, the vertex, and the exit code of its process. */
export function buildRpcError(error: unknown, dockerfile: SourceFile | undefined): RpcError {
  if (error instanceof DockerfileError) {
    const { file, range } = error;
    return new RpcError(UNKNOWN, error.message, [source(file, range.start.line, range.end.line)]);
  }
  if (error instanceof BuildFailed) {
    const { vertex, exitCode } = error;
    const details: ErrorDetail[] = [{ type: `${TYPES}errdefs.Vertex+json`, value: { digest: vertex.digest } }];
    if (exitCode !== undefined)
      details.push({ type: `${TYPES}gatewayapi.ExitMessage+json`, value: { Code: exitCode } });
    if (vertex.lines && dockerfile) details.push(source(dockerfile, vertex.lines.first, vertex.lines.last));
    return new RpcError(UNKNOWN, stepFailure(vertex, error, exitCode), details);
  }
  return toRpcError(error);
}

/** BuildKit's words for a step that failed. */
export function stepFailure({ op }: Vertex, { message }: Error, exitCode: number | undefined): string {
  if (exitCode === undefined || op.kind !== "exec") return message;
  return `process ${JSON.stringify(op.args.join(" "))} did not complete successfully: exit code: ${exitCode}`;
}

function source({ name, text }: SourceFile, first: number, last: number): ErrorDetail {
  const lines = Array.from({ length: Math.max(1, last - first + 1) }, (_, index) => ({ line: first + index }));
  return {
    type: `${TYPES}errdefs.Source+json`,
    value: {
      info: { filename: name, data: Buffer.from(text).toString("base64"), language: "Dockerfile" },
      ranges: lines.map((line) => ({ start: line, end: line })),
    },
  };
}
