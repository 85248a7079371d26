// From what a probe threw and what its sockets saw to an outcome. Pure.
import { EndOfStream, ProtocolError } from '../bytes/errors.js';
import type { Ledger, SocketRecord } from '../contract/ledger.js';
import type { Facts, Outcome, Timings } from '../contract/outcome.js';

const stranger = (
  came: Extract<Outcome, { kind: 'stranger' }>['came'],
  detail: string,
  facts: Facts = {},
): Outcome => ({
  kind: 'stranger',
  came,
  detail,
  facts,
});

function strangerAt(socket: SocketRecord): Outcome {
  const look = socket.strangerLook ?? 'something else';
  return stranger('other-protocol', look, { strangeDatagrams: socket.strangers });
}

/** What an attempt saw that its deadline cut short. */
function outcomeAtDeadline(ledger: Ledger, waitedMs: number): Outcome {
  const socket = ledger.sockets.at(-1);
  if (socket === undefined)
    return { kind: 'unable', reason: 'bug', detail: 'the probe asked nothing before its deadline' };
  if (socket.carrier !== 'tcp') {
    return socket.strangers > 0 ? strangerAt(socket) : { kind: 'silent', sent: socket.sent, waitedMs };
  }
  if (socket.state === 'opening') return { kind: 'silent', sent: 1, waitedMs };
  const received = socket.received;
  return received === 0
    ? stranger('silence', `nothing came for ${waitedMs} ms after the connection was accepted`)
    : stranger('silence', `${received} bytes came, and then no more`, { receivedBytes: received });
}

/**
 * What an asking saw when the probe threw `thrown` instead of returning an outcome. What the sockets saw decides before
 * any library's words do.
 * @param waitedMs how long the attempt lasted
 */
export function outcomeOf(thrown: unknown, ledger: Ledger, waitedMs: number): Outcome {
  if (ledger.aborted === 'interrupted') {
    return { kind: 'unable', reason: 'interrupted', detail: 'the run ended before the answer could come' };
  }
  for (const { unable } of ledger.sockets) if (unable !== undefined) return { kind: 'unable', ...unable };
  for (const { refusal } of ledger.sockets) if (refusal !== undefined) return refusal;
  if (ledger.aborted === 'deadline') return ledger.seen ?? outcomeAtDeadline(ledger, waitedMs);
  if (thrown instanceof ProtocolError) return stranger('other-protocol', thrown.message);
  const socket = ledger.sockets.at(-1);
  const facts: Facts = socket === undefined || socket.received === 0 ? {} : { receivedBytes: socket.received };
  if (isFault(thrown)) return bug(thrown);
  if (socket?.timedOut === true) return { kind: 'silent', sent: 1, waitedMs };
  if (socket?.state === 'reset') return stranger('reset', 'the connection was accepted and then reset', facts);
  if (thrown instanceof EndOfStream || socket?.state === 'ended' || socket?.state === 'closed') {
    return stranger('close', 'the connection was accepted and then closed', facts);
  }
  return bug(thrown);
}

/** What only a mistake in a program throws, ours or a library's: no network makes it. */
function isFault(thrown: unknown): boolean {
  return [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => thrown instanceof kind);
}

function bug(thrown: unknown): Outcome {
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return { kind: 'unable', reason: 'bug', detail };
}

/** The steps of an attempt, ms, from its ledger. */
export function timingsOf(ledger: Ledger): Timings {
  const socket = ledger.sockets.at(-1);
  if (socket === undefined) return {};
  const { carrier, openedMs, connectedMs, securedMs, askedMs, repliedMs } = socket;
  const span = (from: number | undefined, to: number | undefined): number | undefined =>
    from === undefined || to === undefined ? undefined : Math.round((to - from) * 100) / 100;
  const connectMs = carrier === 'tcp' ? span(openedMs, connectedMs) : undefined;
  const tlsMs = span(connectedMs, securedMs);
  const replyMs = span(securedMs ?? askedMs ?? connectedMs, repliedMs);
  return {
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(tlsMs === undefined ? {} : { tlsMs }),
    ...(replyMs === undefined || replyMs <= 0 ? {} : { replyMs }),
  };
}
