import type { ExecutionConfig } from "../../spec/mod.ts";
import { type Check, isRoot } from "./practices.ts";

/** What is asked of an image. */
export interface ImageFacts {
  readonly name: string;
  readonly config: ExecutionConfig;
  /** A registry knows it by its digest, or this engine built it of an image that it knows. */
  readonly traced: boolean;
  /** Hosts of the registries that its names lead to; empty: it was made here and never left. */
  readonly registries: readonly string[];
}

const PUBLIC_REGISTRIES = [
  "docker.io",
  "ghcr.io",
  "quay.io",
  "gcr.io",
  "registry.k8s.io",
  "public.ecr.aws",
  "mcr.microsoft.com",
];

/** Everything that is asked of an image. */
export const imageChecks: readonly Check<ImageFacts>[] = [
  {
    practice: "user",
    name: "image-root",
    weight: "low",
    cis: ["4.1"],
    why: "Whoever runs it and says nothing runs it as root",
    kept: "It names a user that is not root",
    look: ({ config }) =>
      isRoot(config.User ?? "")
        ? { found: "It runs as root", remedy: "USER NAME in its Dockerfile, and build it again" }
        : undefined,
  },
  {
    practice: "minimal",
    name: "image-health",
    weight: "low",
    cis: ["4.6"],
    why: "Whoever runs it and says nothing does not notice when it only seems to work",
    kept: "It says how its health is checked",
    look: ({ config }) =>
      config.Healthcheck?.Test?.length
        ? undefined
        : { found: "It has no health check", remedy: "HEALTHCHECK CMD … in its Dockerfile, and build it again" },
  },
  {
    practice: "origin",
    name: "image-origin",
    weight: "low",
    cis: ["4.2"],
    why: "Nobody can tell what is in it, nor make it again",
    kept: "A registry knows it by its digest, or it was built here",
    look: ({ traced }) =>
      traced
        ? undefined
        : {
            found: "It was imported, and nothing tells of what",
            remedy: "havre build it from a Dockerfile, or havre pull it by its name",
          },
  },
  {
    practice: "registry",
    name: "image-registry",
    weight: "low",
    cis: ["4.2"],
    why: "Others decide what the name means tomorrow, and whether it can be had",
    kept: "It depends on no public registry",
    look({ name, registries }) {
      const open = registries.filter((host) => PUBLIC_REGISTRIES.includes(host));
      if (open.length === 0) return undefined;
      return {
        found: `It comes from ${open.join(", ")}`,
        remedy: `havre tag ${name} registry.example/NAME && havre push registry.example/NAME`,
      };
    },
  },
];
