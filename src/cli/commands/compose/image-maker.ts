import { HavreError, toHavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { readJsonLines } from "../../../client/mod.ts";
import type { ImageMaker, OnDetail, Project, Service } from "../../../compose/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import type { Context } from "../../context.ts";
import { registryAuthHeader } from "../../credentials/sign-ins.ts";
import type { ProgressAnswer } from "../../types.ts";
import { failedStep } from "../image/build/failure.ts";
import { nativeBuild } from "../image/build/native.ts";
import { type BuildWishes, serviceBuild } from "./build-request.ts";
import { BuildTeller } from "./build-teller.ts";

const NO_WISHES: BuildWishes = { ssh: [], allPlatforms: false };

/** Fetches and builds a project's images with the daemon. */
export class ClientImages implements ImageMaker {
  constructor(
    readonly client: Client,
    readonly context: Context,
    /** Whose images they are; what is built is marked with it. */
    readonly project: Project | undefined,
    readonly wishes: BuildWishes = NO_WISHES,
  ) {}

  async pull(image: string, platform: string, onDetail: OnDetail): Promise<void> {
    const { tag, digest, domain, path } = withDefaultTag(parseReference(image));
    try {
      const answer = await this.client.request("POST", "/images/create", {
        headers: await registryAuthHeader(this.context.env, domain),
        query: { fromImage: familiarReference({ domain, path }), tag: digest ?? tag, platform: platform || undefined },
      });
      for await (const message of readJsonLines<ProgressAnswer>(answer.body)) {
        if (message.error !== undefined || message.errorDetail)
          throw new HavreError("unavailable", message.errorDetail?.message ?? message.error ?? "The pull failed");
        if (message.status !== undefined)
          onDetail(message.id === undefined ? message.status : `${message.id} ${message.status}`);
      }
    } catch (error) {
      const { kind, message, hint } = toHavreError(error);
      throw new HavreError(kind, message, {
        cause: error,
        hint:
          hint ??
          `It is not on this machine, and could not be fetched. Is ${image} its name? One made here needs build: in its service`,
      });
    }
  }

  async build(name: string, image: string, service: Service, onDetail: OnDetail, signal: AbortSignal): Promise<void> {
    if (!this.project) throw new HavreError("internal", `A build of ${image} needs the project's files`);
    await using build = await serviceBuild(this.context, this.project, name, service, this.wishes);
    const teller = new BuildTeller(onDetail);
    const listener = { line: teller.line.bind(teller), files: () => {} };
    const end = await nativeBuild(this.client, { ...build, signal }, listener);
    if (end?.kind !== "failed") return;
    const { message, hint } = end;
    const lines = [`failed to build ${name}: ${message}`, ...failedStep(end)];
    throw new HavreError("failed-precondition", lines.join("\n"), hint === undefined ? {} : { hint });
  }
}
