/** Data as it comes on a descriptor that is a stream or packet socket. Takes the descriptor over. */
export interface SocketHandlers {
  data(bytes: Uint8Array): void;
  /** The socket takes more. */
  drain?(): void;
  /** Once, when the other side is gone; the descriptor is closed. */
  close(): void;
}

export interface EventSocket {
  pause(): void;
  resume(): void;
  /** Bytes taken; 0: wait for `drain`. */
  write(data: Uint8Array): number;
  close(): void;
}

/** Puts a connected socket on the event loop. */
export async function watchSocket(fd: number, handlers: SocketHandlers): Promise<EventSocket> {
  const socket = await connectDescriptor(fd, {
    binaryType: "uint8array",
    data: (_socket, bytes) => handlers.data(bytes),
    drain: () => handlers.drain?.(),
    close: () => handlers.close(),
    error: () => {},
  });
  return {
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    write: (data) => socket.write(data),
    close: () => void socket.terminate(),
  };
}

/** Bun takes a connected descriptor in place of an address; its types do not say so. */
function connectDescriptor(fd: number, socket: Bun.SocketHandler<undefined, "uint8array">) {
  return Bun.connect({ fd, socket } as unknown as Bun.UnixSocketOptions<undefined>);
}
