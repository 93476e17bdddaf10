/** What comes back for bytes that a worker was given; it has them one at a time. */
export type FromWorker = Member | { readonly failure: string };

/** A gzip member with the name it has as a chunk. */
export interface Member {
  readonly bytes: Uint8Array;
  readonly name: string;
}
