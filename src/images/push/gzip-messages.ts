/** What a worker is to compress; it has one at a time. */
export type Piece = FilePiece | Uint8Array;

export interface FilePiece {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export type FromWorker = { readonly bytes: Uint8Array } | { readonly failure: string };
