// The icmp probe: echo bytes against those of iputils and the kernel, and hosts that answer, refuse, drop or are not there,
// asked by root and by an ordinary user.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as module from '../../probes/icmp/probe.js';
import * as packet from '../../probes/icmp/packet.js';
import { echoOf, encodeRequest, parseReply, sameEcho } from '../../probes/icmp/packet.js';
import { internetChecksum } from '../../src/bytes/ip.js';
import { Reader } from '../../src/bytes/reader.js';
import { openLab, type Lab } from '../lab/lab.js';
import { labReason, requireLab, requireServer } from '../lab/requirements.js';
import { describeDecoders } from './decoders.js';
import { described, probed, type Asker } from './lab-hosts.js';
import { describePacketConformance } from './packet-conformance.js';
import type { Sent } from './packets.js';
import { vector } from './vectors.js';

/** What a kernel makes of a request. */
function reply({ payload, family }: Sent): Uint8Array {
  const message = Uint8Array.from(payload);
  message.set([family === 4 ? 0 : 129, 0, 0, 0]);
  const sum = family === 4 ? internetChecksum(message) : 0;
  message.set([sum >> 8, sum & 0xff], 2);
  return message;
}

describePacketConformance(module, { name: 'icmp', carrier: 'icmp', healthy: reply });

const replies = { 4: vector('icmp/linux-6.18-reply.hex'), 6: vector('icmp/linux-6.18-reply-ipv6.hex') } as const;

describeDecoders(packet, {
  parseReply: {
    // The family is the socket's; here the first byte decides, so that both are tried.
    decode: (bytes) => parseReply(bytes, (bytes[0] ?? 0) >= 128 ? 6 : 4) ?? 'another message',
    samples: [replies[4], replies[6], vector('icmp/iputils-20221126-request.hex')],
  },
});

describe('an echo', () => {
  it('is encoded as ping encodes it', () => {
    const asked = vector('icmp/iputils-20221126-request.hex');
    const reader = new Reader(asked.subarray(4), 'echo');
    const echo = { identifier: reader.u16(), sequence: reader.u16(), payload: reader.rest() };
    expect(encodeRequest(echo, 4)).toEqual(asked);
    const answer = parseReply(replies[4], 4);
    expect(answer !== undefined && sameEcho(answer, echo)).toBe(true);
  });

  it('of ICMPv6 leaves the checksum to the kernel', () => {
    const echo = echoOf(Uint8Array.of(1, 2, 3, 4), new Uint8Array(8).fill(9));
    expect([...encodeRequest(echo, 6).subarray(0, 8)]).toEqual([128, 0, 0, 0, 1, 2, 3, 4]);
    expect(parseReply(replies[6], 6)?.identifier).toBe(0x0854);
  });

  it('is no reply where it is a request, an error or of the other family', () => {
    expect(parseReply(vector('icmp/iputils-20221126-request.hex'), 4)).toBeUndefined();
    expect(parseReply(replies[6], 4)).toBeUndefined();
    expect(parseReply(vector('icmp/linux-6.18-error-next-header.hex'), 6)).toBeUndefined();
  });

  it('with a wrong checksum is none', () => {
    const spoilt = Uint8Array.from(replies[4], (byte, at) => (at === 20 ? byte ^ 1 : byte));
    expect(() => parseReply(spoilt, 4)).toThrow('wrong checksum');
  });
});

const RULES = `table inet f { chain c { type filter hook forward priority filter;
  ip daddr 10.3.0.12 icmp type echo-request reject with icmp type admin-prohibited;
  ip6 daddr fd00:3::12 icmpv6 type echo-request reject with icmpv6 type admin-prohibited;
  ip daddr 10.3.0.31 drop; ip6 daddr fd00:3::31 drop;
}; }`;
const ASKERS: readonly Asker[] = ['root', 'an ordinary user'];

describe.concurrent.each(ASKERS)('asked by %s', (asker) => {
  let lab: Lab | undefined;
  beforeAll(async () => {
    if (labReason() !== undefined) return;
    lab = await openLab({ icmpRatelimitMs: 0 });
    await lab.firewall(RULES);
  });
  afterAll(() => lab?.close());

  it.for([
    ['a host', '10.3.0.11', 'open', undefined],
    ['a host over IPv6', 'fd00:3::11', 'open', undefined],
    ['a firewall that rejects', '10.3.0.12', 'blocked', '10.2.0.2'],
    ['a firewall that rejects IPv6', 'fd00:3::12', 'blocked', 'fd00:2::2'],
    ['no host', '10.1.0.99', 'unreachable', undefined],
    ['no host over IPv6', 'fd00:1::99', 'unreachable', undefined],
    ['a network without a route', '10.9.0.1', 'unreachable', '10.1.0.1'],
    ['a network without a route over IPv6', 'fd00:9::1', 'unreachable', 'fd00:1::1'],
  ] as const)('%s, %s: %s', async ([, address, verdict, by], ctx) => {
    requireLab(ctx);
    if (asker !== 'root') requireServer(ctx, 'ping', 'iputils-ping');
    const check = await probed(lab, asker, ['icmp', address, '--timeout', '8s']);
    expect(check.verdict, described(check)).toBe(verdict);
    if (by !== undefined) expect(check.by?.address).toBe(by);
    if (verdict === 'open') {
      expect(check.facts['askedBy']).toBe(asker === 'root' ? 'a raw socket' : 'the system’s ping');
      // Two routers lie between; a raw socket of IPv6 does not show it.
      if (asker !== 'root' || !address.includes(':')) expect(check.facts['ttl']).toBe(62);
    }
  });

  it.for(['10.3.0.31', 'fd00:3::31'] as const)('silence of %s proves nothing', async (address, ctx) => {
    requireLab(ctx);
    if (asker !== 'root') requireServer(ctx, 'ping', 'iputils-ping');
    const check = await probed(lab, asker, ['icmp', address, '--timeout', '900ms']);
    expect({ verdict: check.verdict, how: check.how }, described(check)).toEqual({
      verdict: 'unproven',
      how: 'silence',
    });
  });

  it.for(['10.1.0.2', 'fd00:1::2'] as const)('leaves from the source that the user chose, %s', async (source, ctx) => {
    requireLab(ctx);
    if (asker !== 'root') requireServer(ctx, 'ping', 'iputils-ping');
    const target = source.includes(':') ? 'fd00:3::11' : '10.3.0.11';
    const check = await probed(lab, asker, ['icmp', target, '--source', source, '--timeout', '8s']);
    expect({ verdict: check.verdict, from: check.from.address }, described(check)).toEqual({
      verdict: 'open',
      from: source,
    });
  });
});

it('needs a ping or a privilege, and says how to get it', async (ctx) => {
  requireLab(ctx);
  const lab = await openLab();
  try {
    const check = await probed(lab, 'nobody with a privilege', ['icmp', '10.3.0.11']);
    expect(check).toMatchObject({ verdict: 'unproven', how: 'no-permission', result: 'unproven' });
    expect(check.summary).toContain('no CAP_NET_RAW for a raw socket; no ping either');
    expect(check.advice).toContain('sudo setcap cap_net_raw+ep $(readlink -f $(which node))');
  } finally {
    await lab.close();
  }
});
