import type { Digest } from "../../base/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { Lines, Vertex } from "../graph/vertex.ts";
import type { BuildEvent } from "../solver/events.ts";

/** What happens in a build, as one line of JSON each. Times in milliseconds since the epoch. */
export type BuildLine =
  | { readonly kind: "planned"; readonly vertices: readonly PlannedVertex[] }
  | { readonly kind: "started"; readonly vertex: Digest; readonly at: number }
  | {
      readonly kind: "log";
      readonly vertex: Digest;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
      readonly at: number;
    }
  | {
      readonly kind: "progress";
      readonly vertex: Digest;
      readonly id: string;
      readonly current: number;
      readonly total: number;
      readonly done: boolean;
    }
  | {
      readonly kind: "finished";
      readonly vertex: Digest;
      readonly at: number;
      readonly cached: boolean;
      readonly failed: boolean;
    }
  /** Docker's progress of an image that is fetched. */
  | { readonly kind: "fetching"; readonly name: string; readonly message: object }
  | {
      readonly kind: "warning";
      readonly rule: string;
      readonly message: string;
      readonly description: string;
      readonly url: string;
      readonly file: string;
      readonly lines: Lines;
      readonly quoted: string;
    }
  /** A file of a cache in a folder of the client, which is to send it (`PUT /havre/v1/build/files/{id}`). */
  | { readonly kind: "wanted"; readonly id: string; readonly folder: string; readonly digest: Digest }
  /** A file for such a cache: its bytes follow in frames of standard error. */
  | { readonly kind: "blob"; readonly folder: string; readonly digest: Digest; readonly size: number }
  /** All of such a cache is there: its index is to name this manifest. */
  | { readonly kind: "cached"; readonly folder: string; readonly manifest: Descriptor }
  /** The last of a build that was only to be checked. */
  | { readonly kind: "checked" }
  /** The last of a build: an image, or files that have been sent. */
  | { readonly kind: "made"; readonly id?: Digest; readonly digest?: Digest; readonly names?: readonly string[] }
  /** The last of a build that failed. */
  | {
      readonly kind: "failed";
      readonly error: string;
      readonly message: string;
      readonly hint?: string;
      readonly step?: string;
      readonly output?: string;
      readonly exitCode?: number;
      /** An image of what the step began with. */
      readonly state?: Digest;
      readonly file?: string;
      readonly line?: number;
      readonly quoted?: string;
    };

export interface PlannedVertex {
  readonly digest: Digest;
  readonly name: string;
  readonly inputs: readonly Digest[];
  readonly lines?: Lines;
}

/** Of vertices that are only ways to others nothing is told. */
function isShown({ op }: Vertex): boolean {
  return op.kind !== "scratch" && op.kind !== "merge";
}

export function lineOf(event: BuildEvent): BuildLine | undefined {
  switch (event.kind) {
    case "planned":
      return {
        kind: "planned",
        vertices: event.vertices.filter(isShown).map(({ digest, name, inputs, lines }) => ({
          digest,
          name,
          inputs: inputs.map((input) => input.digest),
          ...(lines ? { lines } : {}),
        })),
      };
    case "log": {
      const { kind, vertex, stream, data, at } = event;
      return { kind, vertex, stream, text: Buffer.from(data).toString(), at };
    }
    case "finished": {
      const { kind, vertex, at, cached, error } = event;
      return { kind, vertex, at, cached, failed: error !== undefined };
    }
    case "running":
      return undefined;
    default:
      return event;
  }
}
