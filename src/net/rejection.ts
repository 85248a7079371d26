// An ICMP error about a packet of ours, written into the attempt's ledger: the evidence, and what it refuses. How it was
// heard (error queue, raw socket) is not known here.
import { networkInterfaces } from 'node:os';
import { canonicalAddress } from '../bytes/ip.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { RefusalSignal } from '../contract/outcome.js';
import type { QueuedError } from './control-message.js';
import { refusalOf } from './icmp.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';

/** What an ICMP error says; `ttl` is that of the error itself. */
export interface Rejection {
  readonly from: string;
  readonly type: number;
  readonly code: number;
  readonly ttl?: number;
}

/** A failure where the error refuses; undefined for news: time exceeded, packet too big. */
export function seeRejection(session: Session, record: SocketRecord, rejection: Rejection): SocketFailed | undefined {
  const { type, code, ttl } = rejection;
  const from = canonicalAddress(rejection.from);
  const known = session.evidence.some(
    (item) => item.kind === 'icmp' && item.from === from && item.type === type && item.code === code,
  );
  const shown = ttl === undefined ? {} : { ttl };
  if (!known) session.see({ kind: 'icmp', from, type, code, ...shown });
  const { target } = session;
  const said = refusalOf(type, code, target.family);
  if (said === undefined) return undefined;
  const signal = signalFrom(from, target.address, said);
  const afterMs = Math.round(session.elapsedMs() - (record.askedMs ?? record.openedMs));
  record.refusal ??= { kind: 'refused', signal, afterMs, by: from, ...shown };
  session.say('refused', `${signal}, says ${from}`);
  return new SocketFailed(`${from} says ${signal}`);
}

/** Writes down what a socket's error queue held. The first failure among them, where one refuses. */
export function seeQueued(
  session: Session,
  record: SocketRecord,
  errors: readonly QueuedError[],
): SocketFailed | undefined {
  let failure: SocketFailed | undefined;
  for (const { origin, from, type, code, ttl } of errors) {
    if (origin !== 'icmp' || from === undefined) continue;
    failure ??= seeRejection(session, record, { from, type, code, ...(ttl === undefined ? {} : { ttl }) });
  }
  return failure;
}

/** What it means that `from` says so of a packet to `target`. */
export function signalFrom(from: string, target: string, said: RefusalSignal): RefusalSignal {
  return canonicalAddress(from) !== canonicalAddress(target) && isOurs(from) ? byOurselves(said) : said;
}

/**
 * What it means that our own kernel says so: a neighbour that did not answer, a route, else our own packet filter.
 * The target's own word from our own address (the target is this machine) is not for here.
 */
function byOurselves(said: RefusalSignal): RefusalSignal {
  if (said === 'host-unreachable') return 'no-neighbour';
  return said === 'net-unreachable' ? 'no-route' : 'local-firewall';
}

function isOurs(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list?.some(
      (own) => own.address === address || (own.family === 'IPv6' && canonicalAddress(own.address) === address),
    ),
  );
}
