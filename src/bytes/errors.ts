// The two ways a peer's bytes can disappoint. A probe lets them pass; the attempt turns them into an outcome.

/** What came is not the protocol: malformed, truncated, or too long. The message names what came, for a person. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** The peer ended the stream before the bytes that were wanted. */
export class EndOfStream extends Error {
  override readonly name = 'EndOfStream';
  readonly received: number;
  constructor(received: number) {
    super(`the connection ended after ${String(received)} bytes`);
    this.received = received;
  }
}
