import type { EngineEvent } from "../../../engine/mod.ts";

/** One line of `GET /events`, with the fields of before 1.22 beside the new ones, as Docker still sends them. */
export function eventView({ type, action, actor, at }: EngineEvent) {
  const from = type === "container" ? (actor.attributes.image ?? "") : "";
  const hasLegacy = type === "container" || type === "image";
  return {
    ...(hasLegacy ? { status: action, id: actor.id } : {}),
    ...(from === "" ? {} : { from }),
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes: actor.attributes },
    scope: "local",
    time: Math.floor(at / 1000),
    timeNano: Math.floor(at / 1000) * 1e9 + Math.round((at % 1000) * 1e6),
  };
}
