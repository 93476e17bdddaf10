import { HavreError } from "../base/mod.ts";
import type { ProcessIdentity } from "../runtime/mod.ts";
import type { ReadTransaction, Store } from "../store/mod.ts";
import { type Container, containerKind } from "./container.ts";

function visible(container: Container | undefined): container is Container {
  return container !== undefined && container.status.state !== "removing";
}

/** The container that `ref` names: full id, name (with or without slash), then unambiguous id prefix, in that order. */
export function findContainer(store: Store, ref: string): Container | undefined {
  return store.view((tx) => findIn(tx, ref));
}

function findIn(tx: ReadTransaction, ref: string): Container | undefined {
  const byId = tx.get(containerKind, ref);
  if (visible(byId)) return byId;
  const byName = tx.find(containerKind, "name", ref.replace(/^\//, ""))[0];
  if (visible(byName)) return byName;
  if (!/^[0-9a-f]+$/.test(ref)) return undefined;
  const matches = tx.findByIdPrefix(containerKind, ref).filter(visible);
  if (matches.length > 1) throw new HavreError("invalid-argument", `Multiple IDs found with provided prefix: ${ref}`);
  return matches[0];
}

/** As `findContainer`; `not-found` with Docker's text when there is none. */
export function getContainer(store: Store, ref: string): Container {
  const container = findContainer(store, ref);
  if (!container) throw new HavreError("not-found", `No such container: ${ref}`);
  return container;
}

/** A container with a process. */
type Running = Container & { readonly status: { readonly init: ProcessIdentity } };

/** True while the container has a process: running or paused. */
export function hasProcess(container: Container): container is Running {
  return container.status.state === "running" || container.status.state === "paused";
}

/** `conflict` with Docker's text unless the container has a process. */
export function requireRunning(container: Container, id = container.id): void {
  if (!hasProcess(container)) throw new HavreError("conflict", `container ${id} is not running`);
}
