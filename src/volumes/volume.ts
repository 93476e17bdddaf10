import { defineKind, type ReadTransaction } from "../store/mod.ts";

/** Docker's mark of a volume that was made for one container, or without a name. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** A volume as asked for. What is in it is its driver's to say. */
export interface Volume {
  /** Its name. */
  readonly id: string;
  readonly driver: string;
  /** null: none were given. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>> | null;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Gone for everyone; its files are going. Finished by the next daemon if this one dies. */
  readonly removing?: true;
  /** Containers see it read-only, whatever they ask for: a snapshot. */
  readonly frozen?: true;
}

export const volumeKind = defineKind<Volume>("volume");

/** The volume of this name, unless it is on its way out. */
export function findVolume(tx: ReadTransaction, name: string): Volume | undefined {
  const volume = tx.get(volumeKind, name);
  return volume?.removing === true ? undefined : volume;
}

export function isAnonymous({ labels }: Pick<Volume, "labels">): boolean {
  return labels !== null && Object.hasOwn(labels, ANONYMOUS_LABEL);
}

/** A volume that only its driver knows of. */
export function stranger(id: string, driver: string): Volume {
  return { id, driver, labels: null, options: null, created: 0 };
}
