import { forgetConversations, listAddresses, NetlinkSocket } from "../../kernel/mod.ts";
import { addressBytes, parseAddress } from "../ip.ts";
import { familyOf } from "./addresses.ts";
import { PROTOCOL_NUMBERS } from "./elements.ts";
import type { PortTarget, PublishedPort } from "./model.ts";

/**
 * Lets clients that never end a conversation (UDP; TCP's begin anew by themselves) find where a port leads now: those
 * that talked to the host before it was published, and those of the container that no longer has it.
 */
export function startAnew(
  ports: readonly PublishedPort[],
  target: PortTarget,
  led: "to the host" | "to the container",
): void {
  const lasting = ports.filter(({ protocol }) => protocol !== "tcp");
  if (lasting.length === 0) return;
  using socket = new NetlinkSocket();
  const own = new Set(led === "to the host" ? listAddresses(socket).map(({ address }) => text(address)) : []);
  for (const { protocol, hostAddress, hostPort } of lasting) {
    const family = familyOf(hostAddress) === "ip" ? 4 : 6;
    const container = parseAddress(family === 4 ? target.ipAddress : target.ipv6Address);
    if (!container) continue;
    const inside = text(addressBytes(container.family, container.address));
    forgetConversations(family, PROTOCOL_NUMBERS[protocol], hostPort, ({ address, answerer }) =>
      led === "to the container"
        ? text(answerer) === inside
        : own.has(text(address)) && text(answerer) === text(address),
    );
  }
}

/**
 * Lets connections begin anew that a container was asked for and has not answered, being busy: what the client sends again
 * would go to that container still, when it has long given its ports to another.
 */
export function startUnansweredAnew(ports: readonly PublishedPort[], target: PortTarget): void {
  for (const { protocol, hostAddress, hostPort } of ports) {
    if (protocol !== "tcp") continue;
    const family = familyOf(hostAddress) === "ip" ? 4 : 6;
    const container = parseAddress(family === 4 ? target.ipAddress : target.ipv6Address);
    if (!container) continue;
    const inside = text(addressBytes(container.family, container.address));
    forgetConversations(
      family,
      PROTOCOL_NUMBERS.tcp,
      hostPort,
      ({ answerer, unanswered }) => unanswered && text(answerer) === inside,
    );
  }
}

function text(address: Uint8Array): string {
  return Buffer.from(address).toString("hex");
}
