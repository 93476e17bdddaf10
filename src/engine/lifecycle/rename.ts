import { HavreError, isHavreError } from "../../base/mod.ts";
import { type Container, containerKind } from "../container.ts";
import { type EngineContext, setStatus } from "../context.ts";
import { getContainer } from "../lookup.ts";
import { dnsNames } from "../networking/mod.ts";
import { checkName, nameInUse } from "./create.ts";

/** Another name for a container, by which others on its networks find it at once. `already-exists` when it is in use. */
export async function renameContainer(
  context: EngineContext,
  { id, name: oldName }: Container,
  given: string,
): Promise<void> {
  if (given === "" || given === "/") {
    throw new HavreError("invalid-argument", "Neither old nor new names may be empty");
  }
  const name = checkName(given);
  if (name === oldName) {
    throw new HavreError("invalid-argument", "Renaming a container with the same name as its current name");
  }
  try {
    await context.store.update((tx) => {
      const container = tx.get(containerKind, id);
      if (container) tx.put(containerKind, { ...container, name });
    });
  } catch (error) {
    throw isHavreError(error, "already-exists") ? nameInUse(context, name) : error;
  }
  await context.locks.run(id, () => renameOnNetworks(context, getContainer(context.store, id)));
  context.events.emitContainer(getContainer(context.store, id), "rename", { oldName: `/${oldName}` });
}

/** Has others find a running container by its present name, if they do not yet. Call with its lock held. */
export async function renameOnNetworks(context: EngineContext, container: Container): Promise<void> {
  const { id, name: present } = container;
  if (context.networks.endpointsOf(id).every(({ dnsNames: [name = present] }) => name === present)) return;
  const endpoints = await context.networks.setNames(id, ({ dnsNames: former, aliases }) =>
    former.length === 0 ? [] : dnsNames(container, aliases),
  );
  await setStatus(context, id, { endpoints });
}
