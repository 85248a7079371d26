// The esp probe: its one packet, hosts without ESP and with it, firewalls, and no right to ask.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as module from '../../probes/esp/probe.js';
import { ESP, PACKET_BYTES, RANDOM_BYTES, encodePacket } from '../../probes/esp/packet.js';
import { openLab, type Lab } from '../lab/lab.js';
import { saying } from '../lab/place.js';
import { labReason, requireLab, requireServer, serverReason } from '../lab/requirements.js';
import { described, probed } from './lab-hosts.js';
import { describePacketConformance } from './packet-conformance.js';
import { capturedBy } from './tcpdump.js';

describePacketConformance(module, { name: 'esp', carrier: { ipProtocol: ESP } });

const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe('an ESP packet', () => {
  it('reads as such to tcpdump', (ctx) => {
    requireServer(ctx, 'tcpdump', 'tcpdump');
    const random = Uint8Array.from({ length: RANDOM_BYTES }, (_, at) => at);
    const payload = encodePacket(random, nonce);
    expect(capturedBy({ protocol: ESP, local: '192.0.2.1', remote: '192.0.2.2', payload })).toContain(
      `192.0.2.1 > 192.0.2.2: ESP(spi=0x80010203,seq=0x1), length ${PACKET_BYTES}`,
    );
  });

  it('never bears a reserved SPI, and carries the nonce', () => {
    const packet = encodePacket(new Uint8Array(RANDOM_BYTES), nonce);
    expect(packet.length).toBe(PACKET_BYTES);
    expect([...packet.subarray(0, 16)]).toEqual([0x80, 0, 0, 0, 0, 0, 0, 1, ...nonce]);
  });
});

describe.concurrent('in the lab', () => {
  let lab: Lab | undefined;
  beforeAll(async () => {
    if ((labReason() ?? serverReason('python3', 'python3-minimal')) !== undefined) return;
    lab = await openLab({ icmpRatelimitMs: 0 });
    await lab.firewall(`table inet f { chain c { type filter hook forward priority filter;
      ip daddr 10.3.0.31 drop; ip6 daddr fd00:3::31 drop;
      ip daddr 10.3.0.32 meta l4proto 50 reject with icmp type admin-prohibited;
      ip6 daddr fd00:3::32 meta l4proto 50 reject with icmpv6 type admin-prohibited;
    }; }`);
    // A socket takes the packets as a host with IPsec would, and says nothing either.
    const taker = `import socket,time
for family, address in ((socket.AF_INET, '10.3.0.12'), (socket.AF_INET6, 'fd00:3::12')):
  taken = socket.socket(family, socket.SOCK_RAW, 50); taken.bind((address, 0)); globals()[address] = taken
print('ready', flush=True)
time.sleep(1000)`;
    const running = lab.start('server2', ['python3', '-c', taker]);
    await saying(running, 'ready');
  });
  afterAll(() => lab?.close());

  it.for(['10.3.0.11', 'fd00:3::11'] as const)(
    '%s, a host without ESP, is closed: the path is open',
    async (address, ctx) => {
      requireLab(ctx);
      const check = await probed(lab, 'root', ['esp', address]);
      const [type, code] = address.includes(':') ? [4, 1] : [3, 2];
      expect(check, described(check)).toMatchObject({
        verdict: 'closed',
        evidence: [{ kind: 'icmp', from: address, type, code }],
      });
    },
  );

  it.for(['10.3.0.12', 'fd00:3::12', '10.3.0.31', 'fd00:3::31'] as const)(
    '%s takes it or drops it, which one end cannot tell',
    async (address, ctx) => {
      requireLab(ctx);
      const check = await probed(lab, 'root', ['esp', address]);
      expect(check, described(check)).toMatchObject({ verdict: 'unproven', how: 'one-way', result: 'unproven' });
    },
  );

  it.for([
    ['10.3.0.32', '10.2.0.2'],
    ['fd00:3::32', 'fd00:2::2'],
  ] as const)('a firewall that rejects is named: %s by %s', async ([address, by], ctx) => {
    requireLab(ctx);
    const check = await probed(lab, 'root', ['esp', address]);
    expect(check, described(check)).toMatchObject({ verdict: 'blocked', how: 'rejected', by: { address: by } });
  });

  it('says what an ordinary user lacks, and how to get it', async (ctx) => {
    requireLab(ctx);
    const check = await probed(lab, 'an ordinary user', ['esp', '10.3.0.11']);
    expect(check).toMatchObject({ verdict: 'unproven', how: 'no-permission', evidence: [] });
    expect(check.advice).toContain('sudo setcap cap_net_raw+ep $(readlink -f $(which node))');
  });
});
