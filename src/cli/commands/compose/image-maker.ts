import { HavreError, toHavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { readJsonLines } from "../../../client/mod.ts";
import type { ImageMaker, OnDetail, Service } from "../../../compose/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import type { Context } from "../../context.ts";
import { registryAuthHeader } from "../../credentials/sign-ins.ts";
import type { ProgressAnswer } from "../../types.ts";

/** Fetches and builds a project's images with the daemon. */
export class ClientImages implements ImageMaker {
  constructor(
    readonly client: Client,
    readonly env: Context["env"],
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

  async build(name: string, _image: string, _service: Service, _onDetail: OnDetail): Promise<void> {
    throw new HavreError("not-implemented", `service ${name}: images cannot be built yet`);
  }
}
