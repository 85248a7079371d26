// The `dhcp` probe: its bytes against captures, what it takes for an answer, and dnsmasq and Kea in the lab.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as packet from '../../probes/dhcp/packet.js';
import {
  DISCOVER,
  INFORM,
  OUR_HARDWARE_ADDRESS,
  addressesIn,
  encodeMessage,
  encodeQuestion,
  messageTypeOf,
  optionOf,
  parseMessage,
} from '../../probes/dhcp/packet.js';
import * as module from '../../probes/dhcp/probe.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe } from '../../src/contract/probe.js';
import { openLab, type Lab } from '../lab/lab.js';
import { NOBODY, linecheck, requireLinecheck, type Said } from '../lab/linecheck.js';
import { saying, temporaryFolder } from '../lab/place.js';
import { labReason, skipFor } from '../lab/requirements.js';
import { dnsmasq, requireDnsmasq, type DhcpServer } from '../lab/servers/dnsmasq.js';
import { kea, requireKea } from '../lab/servers/kea.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, noFamily, udpPeer, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const captures = vectorsOf('dhcp');
const offer = vector('dhcp/dnsmasq-2.90-offer.hex');
const ack = vector('dhcp/kea-2.2.0-ack.hex');
const nonce = Uint8Array.from(Buffer.from('a1b2c3d4e5f60718', 'hex'));

const question = (type: typeof DISCOVER | typeof INFORM): Uint8Array =>
  encodeQuestion({
    type,
    nonce,
    hardwareAddress: OUR_HARDWARE_ADDRESS,
    clientAddress: type === INFORM ? '192.0.2.7' : '0.0.0.0',
    relayAddress: '0.0.0.0',
    broadcastFlag: type === DISCOVER,
  });

describe('a DHCP message', () => {
  it.each(captures.map(({ path, bytes }) => [path, bytes] as const))('of a real server is read: %s', (_, bytes) => {
    const message = parseMessage(bytes);
    expect(message).toMatchObject({ op: 2, xid: 0xa1b2c3d4, hardwareAddress: OUR_HARDWARE_ADDRESS });
    expect(parseMessage(encodeMessage(message))).toEqual(message);
    expect(parseMessage(encodeMessage(message, 'before-end'))).toEqual(message);
  });

  it('has the values that dnsmasq was given', () => {
    const message = parseMessage(offer);
    expect(message.yourAddress).toMatch(/^10\.1\.0\.1[0-4]\d$/);
    expect(messageTypeOf(message)).toBe(2);
    expect(addressesIn(optionOf(message, 6))).toEqual(['192.0.2.53', '192.0.2.54']);
    expect([...(optionOf(message, 51) ?? [])]).toEqual([0, 0, 0x0e, 0x10]);
  });

  it('goes on in file and server name where it says so, and its parts are joined', () => {
    const bytes = question(DISCOVER);
    const long = Uint8Array.from([...bytes.subarray(0, 240), 52, 1, 3, 15, 2, 0x61, 0x62, 255]);
    long.set([15, 1, 0x64, 255], 44);
    long.set([15, 1, 0x63, 0, 53, 1, 2, 255], 108);
    const message = parseMessage(long);
    expect(Buffer.from(optionOf(message, 15) ?? []).toString()).toBe('abcd');
    expect(messageTypeOf(message)).toBe(2);
  });

  it('without its end, its cookie, or with a hardware address of 17 bytes is none', () => {
    expect(() => parseMessage(question(INFORM).subarray(0, 260))).toThrow(/ends early/);
    expect(() => parseMessage(question(INFORM).with(236, 0))).toThrow('without the options of DHCP');
    expect(() => parseMessage(question(INFORM).with(2, 17))).toThrow('a hardware address of 17 bytes');
  });
});

describe('a question', () => {
  it('is an INFORM or a DISCOVER of 300 bytes that names linecheck, with a locally administered address', () => {
    for (const type of [INFORM, DISCOVER] as const) {
      const bytes = question(type);
      const message = parseMessage(bytes);
      expect(bytes).toHaveLength(300);
      expect(messageTypeOf(message)).toBe(type);
      expect((message.hardwareAddress[0] ?? 0) & 3).toBe(2);
      expect(Buffer.from(optionOf(message, 60) ?? []).toString()).toBe('linecheck a1b2c3d4e5f60718');
      // Neither asks for an address of its own choice (option 50) or for a lease (RFC 2131 §4.3.5, table 5).
      expect([optionOf(message, 50), optionOf(message, 51)]).toEqual([undefined, undefined]);
    }
    expect(parseMessage(question(INFORM))).toMatchObject({ clientAddress: '192.0.2.7', flags: 0 });
    expect(parseMessage(question(DISCOVER))).toMatchObject({ clientAddress: '0.0.0.0', flags: 0x8000 });
  });
});

describeDecoders(packet, {
  parseMessage: { decode: parseMessage, samples: [...captures.map(({ bytes }) => bytes), question(INFORM)] },
});

const bind = (options: Readonly<Record<string, unknown>> = {}): BoundProbe =>
  module.probe.bind('udp', module.probe.options.parse(options));

describe('the dhcp probe', () => {
  const closing: Peer[] = [];
  afterEach(async () => {
    for (const peer of closing.splice(0)) await peer.close();
  });
  async function met(
    answer: (request: Uint8Array) => Uint8Array,
    options: Readonly<Record<string, unknown>> = {},
    deadlineMs = 10_000,
  ): Promise<Outcome> {
    const peer = await udpPeer((request, reply) => reply(answer(request)));
    closing.push(peer);
    return (await askOnce(bind(options), peer.port, { deadlineMs })).outcome;
  }
  /** A capture with the question's own transaction id. */
  const answering =
    (bytes: Uint8Array) =>
    (request: Uint8Array): Uint8Array => {
      const answer = bytes.slice();
      answer.set(request.subarray(4, 8), 4);
      return answer;
    };
  const discover = { message: 'discover' };

  it('tells what an ACK says', async () => {
    expect(await met(answering(ack))).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        messageType: 'DHCPACK',
        serverIdentifier: '10.3.0.11',
        routers: ['10.1.0.1'],
        dnsServers: ['192.0.2.53'],
      },
    });
  });

  it('tells what an offer says, its lease time too', async () => {
    const outcome = await met(answering(offer), discover);
    expect(outcome).toMatchObject({
      kind: 'answered',
      facts: {
        messageType: 'DHCPOFFER',
        serverIdentifier: '10.1.0.1',
        leaseSeconds: 3600,
        subnetMask: '255.255.255.0',
        routers: ['10.1.0.1'],
        dnsServers: ['192.0.2.53', '192.0.2.54'],
        domainName: 'lab.example',
      },
    });
  });

  it.each([
    ['for another transaction', (request: Uint8Array) => answering(ack)(request).with(4, (request[4] ?? 0) ^ 1), {}],
    ['for another hardware address', (request: Uint8Array) => answering(ack)(request).with(28, 0x06), {}],
    ['that is its own question', (request: Uint8Array) => request, {}],
    ['that offers what it did not ask for', answering(offer), {}],
    ['that acknowledges what it did not request', answering(ack), discover],
  ] as const)('takes no message %s for an answer', async (_, answer, options) => {
    expect(await met(answer, options, 400)).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('asks with its own address, or as a relay, and with the hardware address it is given', async () => {
    const asked: Uint8Array[] = [];
    const note =
      (bytes: Uint8Array) =>
      (request: Uint8Array): Uint8Array => {
        asked.push(request);
        return answering(bytes)(request);
      };
    await met(note(ack));
    await met(note(offer), discover);
    await met(note(ack), { 'hardware-address': '00:00:5E:00:53:01' }, 300);
    const [inform, relayed, own] = asked.map(parseMessage);
    expect(inform).toMatchObject({ clientAddress: '127.0.0.1', relayAddress: '0.0.0.0', hops: 0, flags: 0 });
    expect(relayed).toMatchObject({ clientAddress: '0.0.0.0', relayAddress: '127.0.0.1', hops: 1, flags: 0 });
    expect([...(own?.hardwareAddress ?? [])]).toEqual([0, 0, 0x5e, 0, 0x53, 1]);
  });

  it('asks nobody over IPv6', async (ctx) => {
    skipFor(ctx, noFamily(6));
    const { outcome, sent } = await askOnce(bind(), 9, { deadlineMs: 10_000, family: 6 });
    expect(outcome).toMatchObject({ kind: 'unable', reason: 'no-family' });
    expect(sent ?? 0).toBe(0);
  });

  it('says that it needs a port of the system, and that a server may ignore strangers', () => {
    expect(bind().traits).toMatchObject({ needs: 'bind to UDP port 68', silence: 'ambiguous' });
    expect(bind(discover).traits.needs).toContain('67');
  });
});

describe('the dhcp stand-in', () => {
  const reply = (request: Uint8Array): readonly Uint8Array[] =>
    module.standIn.reply?.(request, { address: '192.0.2.1', port: 68 }) ?? [];

  it('answers linecheck, and offers nothing', () => {
    const [acknowledged] = reply(question(INFORM)).map(parseMessage);
    const [offered] = reply(question(DISCOVER)).map(parseMessage);
    expect([acknowledged, offered].map((each) => each && messageTypeOf(each))).toEqual([5, 2]);
    expect(offered?.yourAddress).toBe('0.0.0.0');
  });

  it('is silent to clients that seek an address', () => {
    const client = parseMessage(question(DISCOVER));
    const options = client.options.filter(({ code }) => code !== 60);
    expect(reply(encodeMessage({ ...client, options }))).toEqual([]);
  });
});

describe('in the lab', () => {
  let lab: Lab;
  const folder = temporaryFolder();
  const profile = join(folder.path, 'addresses.yaml');
  const running: DhcpServer[] = [];
  beforeAll(async () => {
    writeFileSync(
      profile,
      [
        'linecheck: profile/v1',
        'id: addresses',
        'title: Addresses',
        'source: { title: This test }',
        'roles: { client: { title: Client }, server: { title: Server } }',
        'flows:',
        '  - { id: dhcp, title: Address, from: client, to: server, udp: 67, source-port: 68, broadcast: true,',
        '      probe: dhcp, why: To have one., source: row 1 }',
        '',
      ].join('\n'),
    );
    if (labReason() === undefined) lab = await openLab();
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop();
  });
  afterAll(async () => {
    if (labReason() === undefined) await lab.close();
    folder.remove();
  });

  const probed = (target: string, ...options: readonly string[]): Promise<Said> =>
    linecheck(lab, ['probe', 'dhcp', target, ...options.flatMap((option) => ['--with', option])]);
  const broadcast = (...words: readonly string[]): Promise<Said> =>
    linecheck(lab, ['check', '--profile', profile, '--as', 'client', ...words]);
  async function onTheTechsNetwork(): Promise<DhcpServer> {
    const range = '10.1.0.100,10.1.0.150,255.255.255.0,1h';
    const server = await dnsmasq({ on: lab.place('router'), network: 'tech', range });
    running.push(server);
    return server;
  }

  it('dnsmasq answers a broadcast and a question to it alone, and keeps no lease', { timeout: 90_000 }, async (ctx) => {
    requireLinecheck(ctx);
    requireDnsmasq(ctx);
    const server = await onTheTechsNetwork();
    const offered = {
      messageType: 'DHCPOFFER',
      serverIdentifier: '10.1.0.1',
      leaseSeconds: 3600,
      servers: ['10.1.0.1'],
    };
    // It pings the address first: three seconds.
    const first = await broadcast();
    expect(first).toMatchObject({ verdict: 'open', facts: offered });
    // The same client, so the same address is set aside.
    expect((await broadcast()).facts['offeredAddress']).toBe(first.facts['offeredAddress']);
    expect(await broadcast('--source', '10.1.0.2')).toMatchObject({
      verdict: 'open',
      facts: { messageType: 'DHCPACK', servers: ['10.1.0.1'] },
    });
    expect(await probed('10.1.0.1')).toMatchObject({ verdict: 'open', facts: { messageType: 'DHCPACK' } });
    expect(server.logs()).toContain('vendor class: linecheck');
    expect(server.logs()).not.toContain('DHCPREQUEST');
    expect(server.leases()).toEqual([]);
    await server.stop();
    expect((await probed('10.1.0.1')).verdict).toBe('closed');
    expect((await broadcast('--retries', '0')).verdict).toBe('unproven');
  });

  it('Kea answers an INFORM, and an offer to its relay, and keeps no lease', { timeout: 60_000 }, async (ctx) => {
    requireLinecheck(ctx);
    requireKea(ctx);
    const server = await kea({ on: lab.place('server1'), network: 'lan' });
    running.push(server);
    expect(await probed('10.3.0.11')).toMatchObject({
      verdict: 'open',
      facts: { messageType: 'DHCPACK', serverIdentifier: '10.3.0.11', dnsServers: ['192.0.2.53'] },
    });
    for (let count = 0; count < 3; count += 1) {
      expect(await probed('10.3.0.11', 'message=discover')).toMatchObject({
        verdict: 'open',
        facts: {
          messageType: 'DHCPOFFER',
          leaseSeconds: 3600,
          offeredAddress: expect.stringMatching(/^10\.1\.0\.1\d\d$/) as string,
        },
      });
    }
    expect(server.leases()).toEqual([]);
  });

  it('an ordinary user is told that port 68 is not to be had', { timeout: 60_000 }, async (ctx) => {
    requireLinecheck(ctx);
    const said = await linecheck(lab, ['probe', 'dhcp', '10.1.0.1'], NOBODY);
    expect(said).toMatchObject({ verdict: 'unproven', how: 'no-permission' });
  });

  it("port 68 held by the system's own client is told as such", { timeout: 60_000 }, async (ctx) => {
    requireLinecheck(ctx);
    const holder = lab.start('tech', [
      process.execPath,
      '-e',
      "require('node:dgram').createSocket('udp4').bind(68, () => console.log('held'))",
    ]);
    try {
      await saying(holder, 'held');
      expect(await probed('10.1.0.1')).toMatchObject({ verdict: 'unproven', how: 'port-in-use' });
      expect(await broadcast()).toMatchObject({ verdict: 'unproven', how: 'port-in-use' });
    } finally {
      await holder.stop();
    }
  });

  it('another service on port 67 is not taken for a server', { timeout: 60_000 }, async (ctx) => {
    requireLinecheck(ctx);
    const echo = lab.start('router', [
      process.execPath,
      '-e',
      "const s = require('node:dgram').createSocket('udp4'); s.on('message', (m, f) => s.send(m, f.port, f.address)); s.bind(67, () => console.log('echoes'))",
    ]);
    try {
      await saying(echo, 'echoes');
      expect((await probed('10.1.0.1')).verdict).toBe('wrong-service');
    } finally {
      await echo.stop();
    }
  });
});

describeConformance(module, { name: 'dhcp', carrier: 'udp', families: [4] });
describeConformance(module, {
  name: 'dhcp, DISCOVER',
  carrier: 'udp',
  families: [4],
  options: { message: 'discover' },
});
