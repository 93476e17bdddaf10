import { Blobs } from "./blobs.ts";
import type { RegistryContext } from "./context.ts";
import { Manifests } from "./manifests.ts";
import { Referrers } from "./referrers.ts";
import type { Rules } from "./rules.ts";
import { Tags } from "./tags.ts";
import { Uploads } from "./uploads.ts";

/** The use-cases of one registry. */
export class Registry {
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly tags: Tags;
  readonly manifests: Manifests;
  readonly referrers: Referrers;

  constructor(context: RegistryContext, rules: Pick<Rules, "room" | "immutable">) {
    const room = (repository: string) => rules.room(repository);
    this.blobs = new Blobs(context, room);
    this.uploads = new Uploads(context, this.blobs, room);
    this.tags = new Tags(context, (repository, tag) => rules.immutable(repository, tag));
    this.manifests = new Manifests(context, this.tags, room);
    this.referrers = new Referrers(context, this.manifests);
  }
}
