// The gre probe: GRE headers, a tunnel's end of another make, hosts without one, firewalls, and no right to ask.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import * as module from '../../probes/gre/probe.js';
import * as packet from '../../probes/gre/packet.js';
import { GRE, encodeGre, encodeKeepalive, isKeepalive, parseGre } from '../../probes/gre/packet.js';
import { readIpPacket } from '../../src/bytes/ip.js';
import { openLab, type Lab } from '../lab/lab.js';
import { saying } from '../lab/place.js';
import { labReason, requireLab, requireServer, serverReason } from '../lab/requirements.js';
import { describeDecoders } from './decoders.js';
import { described, probed } from './lab-hosts.js';
import { describePacketConformance } from './packet-conformance.js';
import { capturedBy } from './tcpdump.js';
import { vector } from './vectors.js';

describePacketConformance(module, {
  name: 'gre',
  carrier: { ipProtocol: GRE },
  // A tunnel's end: the outer header off, and what was inside on its way.
  healthy: ({ payload }) => readIpPacket(parseGre(payload).payload).payload,
});

const returned = vector('gre/returned-keepalive.hex');
const decorated = vector('gre/checksum-key-sequence.hex');
const nonce = Uint8Array.from(Buffer.from('9b9e1952c6d2c5d4', 'hex'));

describeDecoders(packet, { parseGre: { decode: parseGre, samples: [returned.subarray(20), decorated] } });

describe('a GRE packet', () => {
  it('is read with checksum, key and sequence number', () => {
    expect(parseGre(decorated)).toEqual({
      protocolType: 0x0800,
      key: 0xdeadbeef,
      sequence: 41,
      payload: returned,
    });
  });

  it('with a wrong checksum, a source route or another version is refused', () => {
    const spoilt = Uint8Array.from(decorated, (byte, at) => (at === 30 ? byte ^ 1 : byte));
    expect(() => parseGre(spoilt)).toThrow('wrong checksum');
    expect(() => parseGre(Uint8Array.of(0x40, 0, 8, 0))).toThrow('source route');
    // RFC 2637 §4.1: PPTP's.
    expect(() => parseGre(Uint8Array.of(0x30, 0x81, 0x88, 0x0b))).toThrow('GRE of version 1');
  });

  it('carries what it is given', () => {
    const given = { protocolType: 0x86dd, key: 7, sequence: 0xffff_ffff, payload: Uint8Array.of(1, 2, 3) };
    expect(parseGre(encodeGre(given))).toEqual(given);
  });
});

describe('a keepalive', () => {
  it('is known by its nonce when it comes back', () => {
    const { protocol, source, destination, payload } = readIpPacket(returned);
    expect({ protocol, source, destination }).toEqual({ protocol: 47, source: '10.3.0.11', destination: '10.1.0.2' });
    expect(isKeepalive(parseGre(payload), nonce)).toBe(true);
    expect(isKeepalive(parseGre(payload), new Uint8Array(8))).toBe(false);
  });

  it.for([
    ['10.1.0.2', '10.3.0.11', /GREv0, .*length 56.* 10\.3\.0\.11 > 10\.1\.0\.2: .*GREv0.*length 32/s],
    ['fd00:1::2', 'fd00:3::11', /GREv0, .*key=0x7,.*length 80.* fd00:3::11 > fd00:1::2: .*GREv0.*length 32/s],
  ] as const)('reads as such to tcpdump, from %s to %s', ([local, remote, expected], ctx) => {
    requireServer(ctx, 'tcpdump', 'tcpdump');
    const payload = encodeKeepalive({ local, remote, nonce, ...(local.includes(':') ? { key: 7 } : {}) });
    expect(capturedBy({ protocol: GRE, local, remote, payload })).toMatch(expected);
  });
});

describe.concurrent('in the lab', () => {
  let lab: Lab | undefined;
  const endpoint = (address: string, ...key: readonly string[]): Promise<void> => {
    if (lab === undefined) throw new Error('no lab');
    const script = join(import.meta.dirname, '../lab/gre.py');
    return saying(lab.start('server1', ['python3', script, address, ...key]), 'ready');
  };
  beforeAll(async () => {
    if ((labReason() ?? serverReason('python3', 'python3-minimal')) !== undefined) return;
    lab = await openLab({ icmpRatelimitMs: 0 });
    await lab.firewall(`table inet f { chain c { type filter hook forward priority filter;
      ip daddr 10.3.0.31 drop; ip6 daddr fd00:3::31 drop;
      ip daddr 10.3.0.32 meta l4proto 47 reject with icmp type host-prohibited;
      ip6 daddr fd00:3::32 meta l4proto 47 reject with icmpv6 type admin-prohibited;
    }; }`);
    await Promise.all([endpoint('10.3.0.11'), endpoint('fd00:3::11', '7')]);
  });
  afterAll(() => lab?.close());

  it.for([
    ['a tunnel’s end', '10.3.0.11', []],
    ['a tunnel’s end with a key, over IPv6', 'fd00:3::11', ['--with', 'key=7']],
  ] as const)('%s returns the keepalive', async ([, address, options], ctx) => {
    requireLab(ctx);
    requireServer(ctx, 'python3', 'python3-minimal');
    const check = await probed(lab, 'root', ['gre', address, ...options, '--timeout', '8s']);
    expect(check, described(check)).toMatchObject({
      verdict: 'open',
      result: 'pass',
      facts: { keepalive: 'returned' },
      tool: { tier: 3, can: expect.arrayContaining(['errno', 'raw']) as unknown },
    });
  });

  it.for(['10.3.0.12', 'fd00:3::12'] as const)(
    '%s, a host without GRE, is closed: the path is open',
    async (address, ctx) => {
      requireLab(ctx);
      requireServer(ctx, 'python3', 'python3-minimal');
      const check = await probed(lab, 'root', ['gre', address, '--timeout', '8s']);
      const [type, code] = address.includes(':') ? [4, 1] : [3, 2];
      expect(check, described(check)).toMatchObject({
        verdict: 'closed',
        evidence: [{ kind: 'icmp', from: address, type, code }],
      });
    },
  );

  it.for([
    ['10.3.0.32', '10.2.0.2'],
    ['fd00:3::32', 'fd00:2::2'],
  ] as const)('a firewall that rejects is named: %s by %s', async ([address, by], ctx) => {
    requireLab(ctx);
    requireServer(ctx, 'python3', 'python3-minimal');
    const check = await probed(lab, 'root', ['gre', address, '--timeout', '8s']);
    expect(check, described(check)).toMatchObject({ verdict: 'blocked', how: 'rejected', by: { address: by } });
  });

  it.for([
    ['dropped', '10.3.0.31'],
    ['dropped over IPv6', 'fd00:3::31'],
    ['without the tunnel’s key', 'fd00:3::11'],
  ] as const)('silence proves nothing: %s', async ([, address], ctx) => {
    requireLab(ctx);
    requireServer(ctx, 'python3', 'python3-minimal');
    const check = await probed(lab, 'root', ['gre', address, '--timeout', '900ms']);
    expect(check, described(check)).toMatchObject({ verdict: 'unproven', how: 'silence', result: 'unproven' });
  });

  it('says what an ordinary user lacks, and how to get it', async (ctx) => {
    requireLab(ctx);
    requireServer(ctx, 'python3', 'python3-minimal');
    const check = await probed(lab, 'an ordinary user', ['gre', '10.3.0.11']);
    expect(check).toMatchObject({
      verdict: 'unproven',
      how: 'no-permission',
      evidence: [],
      tool: { can: expect.not.arrayContaining(['raw']) as unknown },
    });
    expect(check.summary).toContain('no CAP_NET_RAW for a raw socket');
    expect(check.advice).toContain('open a raw socket (CAP_NET_RAW)');
    expect(check.advice).toContain('sudo setcap cap_net_raw+ep $(readlink -f $(which node))');
  });
});
