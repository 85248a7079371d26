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

/** The peer speaks TLS and ended the handshake with an alert (RFC 8446 §6). */
export class TlsAlert extends ProtocolError {
  /** The alert's number and its name in RFC 8446 §6: 40, `handshake_failure`. */
  readonly alert: number;
  readonly description: string;
  /** The alert says that a client certificate was demanded and ours was missing or unfit. */
  readonly clientCertificateRequested: boolean;
  constructor(alert: number, description: string, clientCertificateRequested: boolean) {
    super(`TLS alert ${description} (${String(alert)})`);
    this.alert = alert;
    this.description = description;
    this.clientCertificateRequested = clientCertificateRequested;
  }
}
