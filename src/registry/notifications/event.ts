import { randomUUID } from "node:crypto";
import type { RepositoryChange } from "../context.ts";

/** The media type of an envelope (Docker Registry, § Notifications): what receivers in the field know. */
export const ENVELOPE_TYPE = "application/vnd.docker.distribution.events.v1+json";

/** One event as receivers read it. */
export interface NotificationEvent {
  readonly id: string;
  readonly timestamp: string;
  readonly action: "push" | "delete";
  readonly target: {
    readonly mediaType?: string;
    readonly digest: string;
    readonly size?: number;
    readonly length?: number;
    readonly repository: string;
    readonly url: string;
    readonly tag?: string;
  };
  readonly request: {
    readonly id: string;
    readonly addr: string;
    readonly host: string;
    readonly method: string;
    readonly useragent: string;
  };
  readonly actor: { readonly name?: string };
  readonly source: { readonly addr: string; readonly instanceID: string };
}

/** `url`: this registry's address; `instance`: one run of it. */
export function eventOf(change: RepositoryChange, now: number, url: string, instance: string): NotificationEvent {
  const { action, repository, digest, mediaType, size, tag, actor } = change;
  return {
    id: randomUUID(),
    timestamp: new Date(now).toISOString(),
    action,
    target: {
      ...(mediaType === undefined ? {} : { mediaType }),
      digest,
      ...(size === undefined ? {} : { size, length: size }),
      repository,
      url: `${url}/v2/${repository}/manifests/${digest}`,
      ...(tag === undefined ? {} : { tag }),
    },
    request: {
      id: randomUUID(),
      addr: actor.remote,
      host: actor.host,
      method: actor.method,
      useragent: actor.agent,
    },
    actor: actor.name === undefined ? {} : { name: actor.name },
    source: { addr: url.replace(/^https?:\/\//, ""), instanceID: instance },
  };
}
