/** An entry of the catalogue as the daemon tells it. */
export interface CatalogueAnswer {
  readonly name: string;
  readonly version: string;
  readonly reference: string;
  readonly state: "missing" | "current" | "stale";
  readonly owner: string;
  readonly summary: string;
  readonly revision: string;
  readonly usage: string;
  readonly image?: string;
  /** Bytes. */
  readonly size?: number;
}
