import { Blobs } from "./blobs.ts";
import type { RegistryContext } from "./context.ts";
import { Manifests } from "./manifests.ts";
import { Referrers } from "./referrers.ts";
import { type Immutable, Tags } from "./tags.ts";
import { type Admission, Uploads } from "./uploads.ts";

/** What an operator's rules decide. */
export interface Rules {
  readonly admit: Admission;
  readonly immutable: Immutable;
}

/** The use-cases of one registry. */
export class Registry {
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly tags: Tags;
  readonly manifests: Manifests;
  readonly referrers: Referrers;

  constructor(context: RegistryContext, rules: Rules) {
    this.blobs = new Blobs(context);
    this.uploads = new Uploads(context, this.blobs, rules.admit);
    this.tags = new Tags(context, rules.immutable);
    this.manifests = new Manifests(context, this.tags);
    this.referrers = new Referrers(context, this.manifests);
  }
}
