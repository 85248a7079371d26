// The `ipsec-over-udp` probe: what little can be said of UDP 10000 without a tunnel. There is no server to be had for it.
import { afterEach, describe, expect, it } from 'vitest';
import * as module from '../../probes/ipsec-over-udp/probe.js';
import { describeConformance } from './conformance.js';
import { askOnce, udpPeer, type Peer } from './scenes.js';

const bound = module.probe.bind('udp', module.probe.options.parse({}));
const closing: Peer[] = [];
afterEach(async () => {
  for (const peer of closing.splice(0)) await peer.close();
});

describe('IPsec over UDP', () => {
  it('is asked with a keepalive, too short to be taken for a packet of a tunnel', async () => {
    const requests: Uint8Array[] = [];
    const peer = await udpPeer((request) => requests.push(request));
    closing.push(peer);
    const { outcome } = await askOnce(bound, peer.port, { deadlineMs: 300 });
    expect(outcome).toMatchObject({ kind: 'silent' });
    expect(requests.map((request) => [...request])).toEqual([[0xff]]);
  });

  it('is not what answers, not even with the keepalive itself', async () => {
    for (const answer of [Uint8Array.of(0xff), new Uint8Array(0), new Uint8Array(64).fill(7)]) {
      const peer = await udpPeer((_request, reply) => reply(answer));
      closing.push(peer);
      const { outcome } = await askOnce(bound, peer.port, { deadlineMs: 300 });
      expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
    }
  });

  it('has a silence that decides nothing', () => {
    expect(bound.traits).toMatchObject({ silence: 'ambiguous', depths: ['port'], defaultDepth: 'port' });
  });
});

describeConformance(module, { name: 'ipsec-over-udp', carrier: 'udp' });
