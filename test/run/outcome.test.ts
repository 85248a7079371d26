// Tests of what an exception means, by what the sockets saw. Pure: ledgers written out.
import { describe, expect, it } from 'vitest';
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import type { Ledger, SocketRecord } from '../../src/contract/ledger.js';
import { outcomeOf, timingsOf } from '../../src/run/outcome.js';

const socket = (change: Partial<SocketRecord>): SocketRecord => ({
  carrier: 'tcp',
  state: 'open',
  openedMs: 0,
  sent: 0,
  received: 0,
  strangers: 0,
  ...change,
});

const ledger = (
  change: Partial<SocketRecord> | undefined,
  aborted?: Ledger['aborted'],
  seen?: Ledger['seen'],
): Ledger => ({
  sockets: change === undefined ? [] : [socket(change)],
  evidence: [],
  wire: [],
  ...(aborted === undefined ? {} : { aborted }),
  ...(seen === undefined ? {} : { seen }),
});

const refusal = { kind: 'refused', signal: 'refused', afterMs: 1 } as const;

describe('an exception means', () => {
  it.each([
    ['a refusal, before anything else', ledger({ refusal }), new ProtocolError('x'), refusal],
    [
      'that we could not look, before a refusal',
      ledger({ refusal, unable: { reason: 'no-resources', detail: 'EMFILE' } }),
      new Error('x'),
      { kind: 'unable', reason: 'no-resources', detail: 'EMFILE' },
    ],
    [
      'nothing about the network when the run was interrupted',
      ledger({ refusal }, 'interrupted'),
      new Error('x'),
      { kind: 'unable', reason: 'interrupted' },
    ],
    [
      'silence at the deadline of a handshake',
      ledger({ state: 'opening' }, 'deadline'),
      undefined,
      { kind: 'silent', sent: 1 },
    ],
    [
      'silence after accept at the deadline of an open connection',
      ledger({}, 'deadline'),
      undefined,
      { kind: 'stranger', came: 'silence', facts: {} },
    ],
    [
      'a stall at the deadline where bytes came',
      ledger({ received: 7 }, 'deadline'),
      undefined,
      { kind: 'stranger', came: 'silence', facts: { receivedBytes: 7 } },
    ],
    [
      'silence at the deadline of datagrams',
      ledger({ carrier: 'udp', sent: 3 }, 'deadline'),
      undefined,
      { kind: 'silent', sent: 3, waitedMs: 1000 },
    ],
    [
      'a stranger at the deadline of datagrams that something else answered',
      ledger({ carrier: 'udp', sent: 3, strangers: 2, strangerLook: 'an HTTP answer' }, 'deadline'),
      undefined,
      { kind: 'stranger', came: 'other-protocol', detail: 'an HTTP answer' },
    ],
    [
      'what the probe had seen by its deadline, if it said so',
      ledger({ carrier: 'udp', sent: 3 }, 'deadline', { kind: 'answered', depth: 'port', facts: { a: 1 } }),
      undefined,
      { kind: 'answered', depth: 'port', facts: { a: 1 } },
    ],
    [
      'a refusal even so',
      ledger({ refusal }, 'deadline', { kind: 'answered', depth: 'port', facts: {} }),
      undefined,
      refusal,
    ],
    [
      'another protocol',
      ledger({ state: 'ended' }),
      new ProtocolError('an HTTP answer'),
      { came: 'other-protocol', detail: 'an HTTP answer' },
    ],
    ['a close', ledger({ state: 'ended' }), new EndOfStream(0), { came: 'close' }],
    ['a reset', ledger({ state: 'reset' }), new Error('read ECONNRESET'), { came: 'reset' }],
    [
      "the kernel's own timeout",
      ledger({ state: 'opening', timedOut: true }),
      new Error('connect ETIMEDOUT'),
      { kind: 'silent' },
    ],
    [
      'a bug where a program failed before the handshake was over',
      ledger({ state: 'opening' }),
      new Error('x'),
      { kind: 'unable', reason: 'bug' },
    ],
    [
      'a bug where a program failed, though the far end closed meanwhile',
      ledger({ state: 'ended' }),
      new TypeError('x is undefined'),
      { kind: 'unable', reason: 'bug' },
    ],
    ['a bug where no socket saw anything', ledger(undefined), new TypeError('x'), { kind: 'unable', reason: 'bug' }],
    ['a bug where the connection was fine', ledger({}), new TypeError('x'), { kind: 'unable', reason: 'bug' }],
  ])('%s', (_, seen, thrown, outcome) => {
    expect(outcomeOf(thrown, seen, 1000)).toMatchObject(outcome);
  });
});

describe('timings', () => {
  it('are the steps of the last socket', () => {
    const seen = ledger({ openedMs: 1, connectedMs: 11, securedMs: 31, askedMs: 12, repliedMs: 36 });
    expect(timingsOf(seen)).toEqual({ connectMs: 10, tlsMs: 20, replyMs: 5 });
  });

  it('know no connect for datagrams, and nothing that did not happen', () => {
    expect(timingsOf(ledger({ carrier: 'udp', connectedMs: 1, askedMs: 2, repliedMs: 5 }))).toEqual({ replyMs: 3 });
    expect(timingsOf(ledger({ state: 'opening' }))).toEqual({});
    expect(timingsOf(ledger(undefined))).toEqual({});
  });
});
