import type { EngineEvent } from "../../engine/mod.ts";
import type { Filters } from "./filters.ts";

/** Actions that go on with a colon and what is meant, so that their name alone has to find them. */
const PREFIXED = ["health_status", "exec_create", "exec_start"];
const BY_NAME = ["container", "daemon", "network", "volume", "plugin", "node", "service", "secret", "config"];

function withoutTag(name: string): string {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}

function actionMatches(action: string, filters: Filters): boolean {
  const asksPrefix = filters.values("event").some((value) => PREFIXED.includes(value));
  return asksPrefix ? filters.matchesStart("event", action) : filters.matchesExactly("event", action);
}

function imageMatches({ type, actor }: EngineEvent, filters: Filters): boolean {
  const name = actor.attributes[type === "image" ? "name" : "image"] ?? "";
  return [actor.id, name, withoutTag(actor.id), withoutTag(name)].some((candidate) =>
    filters.matchesExactly("image", candidate),
  );
}

/** `filters` of `GET /events`. */
export function eventMatches(event: EngineEvent, filters: Filters): boolean {
  const { type, action, actor } = event;
  return (
    actionMatches(action, filters) &&
    filters.matchesExactly("type", type) &&
    filters.matchesExactly("scope", "local") &&
    BY_NAME.every(
      (kind) => filters.matchesStart(kind, actor.id) || filters.matchesStart(kind, actor.attributes.name ?? ""),
    ) &&
    imageMatches(event, filters) &&
    filters.matchesPairs("label", actor.attributes)
  );
}
