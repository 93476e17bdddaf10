import { type Digest, HavreError } from "../base/mod.ts";
import type { ContainerConfig, ExecutionConfig } from "../spec/mod.ts";
import type { Container } from "./container.ts";
import { type EngineContext, runtimeName } from "./context.ts";
import { mergeImageConfig } from "./create/mod.ts";
import { getContainer } from "./lookup.ts";

/** What a commit asks for, beside the container. */
export interface CommitOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly author: string;
  readonly comment: string;
  /** Pause the container meanwhile. */
  readonly pause: boolean;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Wins over the container's own configuration, field by field. */
  readonly config?: ContainerConfig;
}

/** Makes images of containers. */
export class ContainerCommits {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** The new image's id. The container's processes stand still meanwhile when asked, and go on whatever happens. */
  commit(ref: string, options: CommitOptions): Promise<Digest> {
    const { id } = getContainer(this.#context.store, ref);
    return this.#context.locks.run(id, async () => {
      const container = getContainer(this.#context.store, id);
      if (!options.pause || container.status.state !== "running") return this.#make(container, options);
      const runtime = runtimeName(this.#context, container);
      await this.#context.runtime.pause(id, runtime);
      try {
        return await this.#make(container, options);
      } finally {
        await this.#context.runtime.resume(id, runtime);
      }
    });
  }

  async #make(container: Container, options: CommitOptions): Promise<Digest> {
    const { repository, tag, author, comment, changes, config } = options;
    const own = container.spec.config;
    if (tag !== undefined && tag !== "" && !repository) {
      throw new HavreError("invalid-argument", "A tag needs a repository to stand in");
    }
    const image = await this.#context.images.commit({
      container: {
        id: container.id,
        imageId: container.spec.imageId,
        layerKey: container.id,
        config: executionConfig(config === undefined ? own : mergeImageConfig(config, executionConfig(own))),
        command: (own.Cmd ?? []).join(" "),
      },
      ...(repository ? { reference: tag ? `${repository}:${tag}` : repository } : {}),
      author,
      message: comment,
      changes,
    });
    this.#context.events.emitContainer(container, "commit", { comment, imageID: image, imageRef: repository ?? "" });
    return image;
  }
}

/** The part of a container's configuration that an image keeps. */
export function executionConfig(config: ContainerConfig): ExecutionConfig {
  return {
    User: config.User,
    Env: config.Env,
    Cmd: config.Cmd,
    Entrypoint: config.Entrypoint,
    WorkingDir: config.WorkingDir,
    Labels: config.Labels,
    Volumes: config.Volumes,
    OnBuild: config.OnBuild,
    ...(config.ExposedPorts === undefined ? {} : { ExposedPorts: config.ExposedPorts }),
    ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
    ...(config.Healthcheck === undefined ? {} : { Healthcheck: config.Healthcheck }),
    ...(config.Shell === undefined ? {} : { Shell: config.Shell }),
  };
}
