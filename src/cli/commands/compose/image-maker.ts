import { HavreError, toHavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { readJsonLines } from "../../../client/mod.ts";
import type { ImageMaker, OnDetail, Service } from "../../../compose/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import type { Context } from "../../context.ts";
import { registryAuthHeader } from "../../credentials/sign-ins.ts";
import type { ProgressAnswer } from "../../types.ts";
import { buildRequest } from "./build-request.ts";

/** Lines of a failed build's output that are shown with its failure. */
const TAIL = 20;

/** Fetches and builds a project's images with the daemon. */
export class ClientImages implements ImageMaker {
  constructor(
    readonly client: Client,
    readonly env: Context["env"],
    /** Marks what is built for it. */
    readonly project: string,
  ) {}

  async pull(image: string, platform: string, onDetail: OnDetail): Promise<void> {
    const { tag, digest, domain, path } = withDefaultTag(parseReference(image));
    try {
      const answer = await this.client.request("POST", "/images/create", {
        headers: await registryAuthHeader(this.env, domain),
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

  async build(name: string, image: string, service: Service, onDetail: OnDetail): Promise<void> {
    const { query, body } = buildRequest(name, image, service, this.project);
    const answer = await this.client.request("POST", "/build", { query, ...(body ? { body } : {}) });
    const said: string[] = [];
    for await (const message of readJsonLines<ProgressAnswer>(answer.body)) {
      if (message.error !== undefined || message.errorDetail) {
        const why = message.errorDetail?.message ?? message.error ?? "The build failed";
        throw new HavreError("failed-precondition", [`service ${name}: ${why}`, ...said.slice(-TAIL)].join("\n"));
      }
      const text = message.stream ?? message.status ?? "";
      for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
        said.push(line);
        onDetail(line);
      }
    }
  }
}
