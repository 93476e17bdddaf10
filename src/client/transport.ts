/** What happens on a connection, told to whoever opened it. */
export interface ConnectionEvents {
  data(chunk: Uint8Array): void;
  /** Everything written has left; more may be written without piling up. */
  drain(): void;
  /** The peer sends no more. */
  end(): void;
  closed(error: Error | undefined): void;
}

/** A byte stream to the daemon. */
export interface Connection {
  write(data: Uint8Array | string): void;
  /** Bytes written but not yet accepted by the kernel. */
  readonly pending: number;
  /** Half-close: no more is written, reading goes on. */
  endWrite(): void;
  /** Nothing is read until `resume`: the peer has to wait. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** How the daemon is reached; injected into the client. */
export interface Transport {
  /** For messages: `unix:///run/havre/havre.sock`. */
  readonly address: string;
  connect(events: ConnectionEvents): Promise<Connection>;
}
