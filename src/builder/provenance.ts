import { type Digest, VERSION } from "../base/mod.ts";
import { formatReference, type Platform, parseReference, withDefaultTag } from "../spec/mod.ts";
import type { SourceFile } from "./dockerfile/mod.ts";
import { type BuildGraph, endOf } from "./graph/graph.ts";
import type { GraphOptions } from "./graph/options.ts";
import { inOrder } from "./graph/vertex.ts";
import type { Material } from "./solver/remembered.ts";

/** What a build is asked to say of itself. */
export interface ProvenanceWish {
  /** `max` tells of the values of build arguments and of the Dockerfile itself, too. */
  readonly mode: "min" | "max";
  /** Who builds, as a URI; undefined: this machine. */
  readonly builderId?: string;
  /** Who asked for it, as they call themselves. */
  readonly requestedBy?: string;
  /** Where the context is from. */
  readonly source?: { readonly remote?: string; readonly commit?: string };
}

/** What of a build provenance tells. */
export interface BuildFacts {
  readonly wish: ProvenanceWish;
  readonly dockerfile: SourceFile;
  readonly options: GraphOptions;
  readonly plan: BuildGraph;
  readonly materials: readonly Material[];
  /** Of the manifest of an image. */
  digestOf(id: Digest): Digest | undefined;
  readonly host: string;
  readonly invocation: string;
  /** Milliseconds since the epoch. */
  readonly began: number;
  readonly ended: number;
}

const BUILD_TYPE = "https://mobyproject.org/buildkit@v1";

/** How an image was built: a predicate of SLSA provenance v1 (slsa.dev/spec/v1.0/provenance). */
export function provenance(facts: BuildFacts): object {
  const { wish, dockerfile, options, plan, materials, host, invocation, began, ended } = facts;
  const { remote, commit } = wish.source ?? {};
  const { target, labels, platform, buildArgs, network } = options;
  const args = Object.entries(buildArgs).map(([name, value]) => [`build-arg:${name}`, value] as const);
  const source = {
    ...(remote === undefined ? {} : { uri: remote }),
    ...(commit === undefined ? {} : { digest: { sha1: commit.replace(/-dirty$/, "") } }),
    path: dockerfile.name,
  };
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        configSource: source,
        request: {
          frontend: "dockerfile.v0",
          args: {
            ...(target === undefined ? {} : { target }),
            platform: platformText(platform),
            ...(network === "bridge" ? {} : { network }),
            ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label:${name}`, value])),
            ...(wish.mode === "max" ? Object.fromEntries(args) : {}),
          },
          ...(wish.requestedBy === undefined ? {} : { requestedBy: wish.requestedBy }),
        },
      },
      internalParameters: {
        builderPlatform: platformText(options.buildPlatform),
        ...(commit === undefined ? {} : { revision: commit }),
        ...(wish.mode === "max"
          ? { dockerfile: { name: dockerfile.name, data: Buffer.from(dockerfile.text).toString("base64") } }
          : {}),
      },
      resolvedDependencies: [...baseImages(plan, facts), ...sourceOf(remote, commit), ...materials],
    },
    runDetails: {
      builder: { id: wish.builderId ?? `havre://${host}`, version: { havre: VERSION } },
      metadata: {
        invocationId: invocation,
        startedOn: new Date(began).toISOString(),
        finishedOn: new Date(ended).toISOString(),
      },
    },
  };
}

function sourceOf(remote: string | undefined, commit: string | undefined): readonly Material[] {
  if (remote === undefined || commit === undefined) return [];
  return [{ uri: remote, digest: { sha1: commit.replace(/-dirty$/, "") } }];
}

/** Every image that a step stands on or copies from, each once. */
function baseImages(plan: BuildGraph, { digestOf, options }: BuildFacts): readonly Material[] {
  const found = new Map<string, Material>();
  for (const { op, name } of inOrder(endOf(plan.target))) {
    if (op.kind !== "image") continue;
    const { domain, path, tag, digest: named } = withDefaultTag(parseReference(name.replace(/^.*FROM /, "")));
    const digest = digestOf(op.id) ?? named;
    const platform = `?platform=${encodeURIComponent(platformText(options.platform))}`;
    const uri = `pkg:docker/${formatReference({ domain, path })}@${tag ?? named ?? "latest"}${platform}`;
    found.set(uri, { uri, digest: digest === undefined ? {} : { sha256: digest.slice(digest.indexOf(":") + 1) } });
  }
  return [...found.values()];
}

/** `os/architecture[/variant]`. */
export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}
