import type { Socket } from "node:net";
import { HavreError } from "../../../base/mod.ts";
import type { Exchange, Route } from "../exchange.ts";
import type { UseCases } from "../use-cases.ts";

const PROTOCOL = "h2c";
const SESSION_ID = "x-docker-expose-session-uuid";

/** Takes the connection out of HTTP/1: what follows is HTTP/2. `invalid-argument` when the client did not ask for that. */
function upgradeToHttp2(exchange: Exchange): Socket {
  const { socket, head } = requireUpgrade(exchange);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}

function requireUpgrade({ upgrade, request }: Exchange): NonNullable<Exchange["upgrade"]> {
  const protocol = String(request.headers.upgrade ?? "");
  if (upgrade === undefined || protocol.toLowerCase() !== PROTOCOL) {
    const asked = protocol === "" ? "no upgrade proto in request" : `protocol ${protocol} not supported`;
    throw new HavreError("invalid-argument", asked, { hint: `BuildKit's clients send Upgrade: ${PROTOCOL}` });
  }
  return upgrade;
}

/** `POST /grpc` and `POST /session`: the two connections of BuildKit's clients (Docker Engine API, § Session). */
export function buildkitRoutes({ buildkit }: UseCases): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/grpc",
      hijacks: true,
      handle: (exchange) => buildkit.control(upgradeToHttp2(exchange)),
    },
    {
      method: "POST",
      path: "/session",
      hijacks: true,
      handle: (exchange) => {
        const { headers } = exchange.request;
        requireUpgrade(exchange);
        // Once the connection is out of HTTP there is no answer that says so.
        if (!headers[SESSION_ID]) throw new HavreError("invalid-argument", `A session needs the header ${SESSION_ID}`);
        return buildkit.session(upgradeToHttp2(exchange), headers);
      },
    },
  ];
}
