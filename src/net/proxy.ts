// A tunnel through an HTTP proxy (CONNECT, RFC 9110 §9.3.6). No credentials are sent; who the proxy is, others decide.
import { ProtocolError } from '../bytes/errors.js';
import { lookOf, printable } from '../bytes/text.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';
import type { SocketStream } from './stream.js';

const HEAD_END = new TextEncoder().encode('\r\n\r\n');
const MOST_HEAD_BYTES = 16 * 1024;

/** Statuses by which a proxy itself says no: it wants a login, or its rules forbid. Others may be about the far end. */
const DENIALS: Readonly<Record<number, string>> = {
  401: 'it wants a login',
  403: 'its rules forbid it',
  407: 'it wants a login',
  451: 'its rules forbid it',
};

/**
 * Asks the proxy at the other end of `stream` for a tunnel to the target's host. Rejects with SocketFailed where it says
 * no (the ledger says with which words), ProtocolError for any other answer, and what reading rejects with.
 */
export async function openTunnel(session: Session, stream: SocketStream): Promise<void> {
  const { host, address, port, proxied } = session.target;
  const far = `${host.includes(':') ? `[${host.replace(/%.*$/, '')}]` : host}:${proxied?.port ?? port}`;
  const head = [`CONNECT ${far} HTTP/1.1`, `host: ${far}`, 'user-agent: linecheck', '', ''].join('\r\n');
  const askedMs = session.elapsedMs();
  await stream.write(new TextEncoder().encode(head));
  const answer = await stream.readUntil(HEAD_END, MOST_HEAD_BYTES);
  const found = /^HTTP\/1\.[01] ([1-5]\d\d)(?: ([^\r\n]*))?\r\n/.exec(Buffer.from(answer).toString('latin1'));
  const [, digits = '', words = ''] = found ?? [];
  const status = Number(digits);
  if (found === null) throw new ProtocolError(`the proxy answered CONNECT with ${lookOf(answer)}`);
  if (status >= 200 && status < 300) {
    session.say('note', `the proxy opened a tunnel to ${far}`);
    return;
  }
  const phrase = `HTTP status ${status} ${printable(Buffer.from(words, 'latin1'), 40)}`.trim();
  const denial = DENIALS[status];
  if (denial === undefined) throw new ProtocolError(`the proxy answered CONNECT with ${phrase}`);
  stream.record.refusal = {
    kind: 'refused',
    signal: 'prohibited',
    afterMs: Math.round(session.elapsedMs() - askedMs),
    by: address,
    said: `${phrase} to CONNECT: ${denial}`,
  };
  throw new SocketFailed(`the proxy refused: ${phrase}`);
}
