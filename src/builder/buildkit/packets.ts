import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { HavreError } from "../../base/mod.ts";
import type { ClientCall } from "./rpc/client.ts";
import { type Packet, Packet_Type, PacketSchema } from "./wire/session.ts";

/** Packets of fsutil's protocol on their way in. */
export type Packets = AsyncIterator<Uint8Array>;

/** The next one. `unavailable` when there is none, `invalid-argument` when the other side says what went wrong. */
export async function nextPacket(packets: Packets): Promise<Packet> {
  const { done, value } = await packets.next();
  if (done) throw new HavreError("unavailable", "The client stopped sending files");
  const packet = fromBinary(PacketSchema, value);
  if (packet.type !== Packet_Type.ERR) return packet;
  throw new HavreError("invalid-argument", `error from the client: ${Buffer.from(packet.data)}`);
}

export function sendPacket(call: ClientCall, packet: MessageInitShape<typeof PacketSchema>): Promise<void> {
  return call.send(toBinary(PacketSchema, create(PacketSchema, packet)));
}

export function outOfTurn({ type }: Packet): HavreError {
  return new HavreError(
    "invalid-argument",
    `The client sent a packet of type ${Packet_Type[type] ?? type} out of turn`,
  );
}
