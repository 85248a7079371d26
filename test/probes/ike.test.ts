// The `ike` probe: its bytes against captures, what it takes for an answer, and strongSwan's charon in the lab.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as packet from '../../probes/ike/packet.js';
import {
  encodeIdentity,
  encodeMessage,
  encodeNotification,
  encodePhase1,
  encodeProposals,
  encodeSaInit,
  marked,
  natDetection,
  parseIdentity,
  parseMessage,
  parseNotification,
  parseProposals,
  unmarked,
} from '../../probes/ike/packet.js';
import { notifyName, proposalName, vendorName } from '../../probes/ike/names.js';
import * as module from '../../probes/ike/probe.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe } from '../../src/contract/probe.js';
import { openLab, type Lab } from '../lab/lab.js';
import { NOBODY, linecheck, requireLinecheck, type Said } from '../lab/linecheck.js';
import { labReason } from '../lab/requirements.js';
import type { Server } from '../lab/servers.js';
import { charon, requireCharon } from '../lab/servers/charon.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, udpPeer, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const SPI = Uint8Array.from(Buffer.from('a1b2c3d4e5f60718', 'hex'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const captured = (name: string): Uint8Array => vector(`ike/strongswan-5.9.8-${name}.hex`);
const captures = vectorsOf('ike').map(({ path, bytes }) => ({ path, bytes: unmarked(bytes) ?? bytes }));
const bodiesOf = (major: number, type: number): readonly Uint8Array[] =>
  captures
    .map(({ bytes }) => parseMessage(bytes))
    .filter((message) => message.major === major)
    .flatMap(({ payloads }) => payloads.filter((payload) => payload.type === type).map(({ body }) => body));

const questions = [
  encodeSaInit(
    { initiatorSpi: SPI, random: new Uint8Array(packet.RANDOM_BYTES).fill(7) },
    end('192.0.2.1'),
    end('192.0.2.2'),
  ),
  encodePhase1({ initiatorSpi: SPI, random: new Uint8Array(packet.RANDOM_BYTES) }),
  encodePhase1({ initiatorSpi: SPI, random: new Uint8Array(packet.RANDOM_BYTES) }, { group: 2, identity: 'branch' }),
];

function end(address: string): { readonly address: string; readonly port: number } {
  return { address, port: 500 };
}

describe('an IKE message', () => {
  it.each(captures.map(({ path, bytes }) => [path, bytes] as const))('comes back from %s', (_, bytes) => {
    const message = parseMessage(bytes);
    expect(hex(message.initiatorSpi)).toBe(hex(SPI));
    expect(hex(encodeMessage(message))).toBe(hex(bytes));
  });

  it('has the payloads that charon says it sent', () => {
    // "generating AGGRESSIVE response 0 [ SA KE No ID V V V V V NAT-D NAT-D HASH ]"
    const types = parseMessage(captured('aggressive-mode')).payloads.map(({ type }) => type);
    expect(types).toEqual([1, 4, 10, 5, 13, 13, 13, 13, 13, 20, 20, 8]);
  });

  it('hides what is encrypted', () => {
    const main = parseMessage(captured('main-mode'));
    const secret = encodeMessage({ ...main, payloads: [] });
    secret[16] = 8;
    secret[19] = 1;
    const longer = Uint8Array.from([...secret, 1, 2, 3, 4]);
    longer[27] = longer.length;
    expect(parseMessage(longer).payloads).toEqual([]);
    const encrypted = encodeMessage({
      ...parseMessage(captured('cookie')),
      payloads: [{ type: 46, body: new Uint8Array(20) }],
    });
    expect(parseMessage(encrypted).payloads).toEqual([]);
  });

  it('is refused where its length is not that of the datagram, or a payload has none', () => {
    const bytes = captured('main-mode');
    expect(() => parseMessage(Uint8Array.from([...bytes, 0]))).toThrow(/for 136 bytes on a datagram of 137/);
    const mute = captured('no-proposal-chosen');
    mute.set([0, 3], 30);
    expect(() => parseMessage(mute)).toThrow('an IKE payload of 3 bytes');
  });
});

describe('proposals', () => {
  it.each([1, 2])('come back from captures of version %i', (major) => {
    const bodies = bodiesOf(major, major === 1 ? 1 : 33);
    expect(bodies.length).toBeGreaterThan(0);
    for (const body of bodies.slice(0, 1))
      expect(hex(encodeProposals(parseProposals(body, major), major))).toBe(hex(body));
  });

  it('are named after their algorithms', () => {
    const [chosen] = bodiesOf(2, 33).flatMap((body) => parseProposals(body, 2));
    expect(chosen && proposalName(chosen, 2)).toBe('AES-CBC-128/HMAC-SHA1-96/PRF-HMAC-SHA1/MODP-2048');
    const names = bodiesOf(1, 1)
      .flatMap((body) => parseProposals(body, 1))
      .map((each) => proposalName(each, 1));
    expect(names.sort()).toEqual(['AES-CBC-128/SHA1/PSK/MODP-2048', 'AES-CBC-256/SHA2-256/PSK/MODP-2048']);
  });

  it('of aggressive mode have one group, and none is offered twice', () => {
    const [, , aggressive = new Uint8Array(0)] = questions;
    const body = parseMessage(aggressive).payloads[0]?.body ?? new Uint8Array(0);
    const offered = parseProposals(body, 1).flatMap(({ transforms }) => transforms);
    const groups = offered.map(({ attributes }) => attributes.find(({ type }) => type === 4)?.value);
    expect(new Set(groups)).toEqual(new Set([2]));
    expect(new Set(offered.map(({ attributes }) => JSON.stringify(attributes))).size).toBe(offered.length);
  });
});

describe('NAT detection', () => {
  it('is what charon computes, of both ends', () => {
    const message = parseMessage(unmarked(captured('sa-init-4500')) ?? new Uint8Array(0));
    const hashes = message.payloads
      .filter(({ type }) => type === 41)
      .map(({ body }) => parseNotification(body, 2))
      .filter(({ type }) => notifyName(type, 2).startsWith('NAT_DETECTION'))
      .map(({ body }) => hex(body));
    const gateway = hex(natDetection(message, { address: '10.3.0.11', port: 4500 }));
    const client = hex(natDetection(message, { address: '10.1.0.2', port: 40_500 }));
    expect(hashes).toEqual([gateway, client]);
  });
});

describe('names', () => {
  it('of vendor ids are the known ones, text where it is text, else bytes', () => {
    const [cisco] = [Buffer.from('CISCO-DELETE-REASON', 'latin1')];
    expect(vendorName(cisco)).toBe('CISCO-DELETE-REASON');
    expect(vendorName(Uint8Array.of(1, 2, 0xff))).toBe('0102ff');
    const known = bodiesOf(1, 13).map(vendorName);
    expect(new Set(known)).toEqual(
      new Set(['strongSwan', 'XAUTH', 'dead peer detection (RFC 3706)', 'Cisco Unity', 'NAT-T (RFC 3947)']),
    );
  });

  it('of notifications are those of the version', () => {
    expect([notifyName(14, 1), notifyName(14, 2), notifyName(40_000, 2)]).toEqual([
      'NO-PROPOSAL-CHOSEN',
      'NO_PROPOSAL_CHOSEN',
      'notify-40000',
    ]);
  });
});

const identities = bodiesOf(1, 5);
describeDecoders(packet, {
  parseMessage: { decode: parseMessage, samples: [...captures.map(({ bytes }) => bytes), ...questions] },
  parseProposals: {
    decode: (bytes) => parseProposals(bytes, (bytes[4] ?? 0) === 0 && (bytes[3] ?? 0) === 1 ? 1 : 2),
    samples: [...bodiesOf(1, 1), ...bodiesOf(2, 33)],
  },
  parseNotification: {
    decode: (bytes) => [parseNotification(bytes, 2), bytes.length < 8 ? undefined : parseNotification(bytes, 1)],
    samples: bodiesOf(1, 11),
  },
  parseIdentity: {
    decode: parseIdentity,
    samples: [...identities, encodeIdentity({ type: 1, bytes: Uint8Array.of(192, 0, 2, 1) })],
  },
});

const bind = (options: Readonly<Record<string, unknown>> = {}): BoundProbe =>
  module.probe.bind('udp', module.probe.options.parse(options));

describe('the ike probe', () => {
  const closing: Peer[] = [];
  afterEach(async () => {
    for (const peer of closing.splice(0)) await peer.close();
  });

  /** What the probe makes of a peer that answers each question with `answer`. */
  async function met(
    answer: (request: Uint8Array) => Uint8Array,
    options: Readonly<Record<string, unknown>> = {},
    deadlineMs = 10_000,
  ): Promise<Outcome> {
    const peer = await udpPeer((request, reply) => reply(answer(request)));
    closing.push(peer);
    return (await askOnce(bind(options), peer.port, { deadlineMs })).outcome;
  }
  const answering =
    (name: string) =>
    (request: Uint8Array): Uint8Array => {
      const answer = captured(name).slice();
      const at = unmarked(answer) === undefined ? 0 : 4;
      answer.set(request.subarray(at, at + 8), at);
      return answer;
    };
  const v1 = { version: 1 };
  const aggressive = { version: 1, mode: 'aggressive' };

  it.each([
    [
      'invalid-ke-payload',
      {},
      { version: '2.0', responderSpi: false, notify: ['INVALID_KE_PAYLOAD'], wantedGroup: 'ECP-256' },
    ],
    ['no-proposal-chosen', {}, { version: '2.0', notify: ['NO_PROPOSAL_CHOSEN'] }],
    ['cookie', {}, { responderSpi: false, notify: ['COOKIE'] }],
    ['invalid-major-version', {}, { notify: ['INVALID_MAJOR_VERSION'] }],
    [
      'sa-init-4500',
      { 'nat-t': true },
      {
        responderSpi: true,
        proposal: 'AES-CBC-128/HMAC-SHA1-96/PRF-HMAC-SHA1/MODP-2048',
        natT: true,
        nat: 'at both ends',
      },
    ],
    ['main-mode', v1, { version: '1.0', responderSpi: true, proposal: 'AES-CBC-256/SHA2-256/PSK/MODP-2048' }],
    ['main-mode-refused', v1, { notify: ['NO-PROPOSAL-CHOSEN'] }],
    ['main-mode-no-connection', v1, { notify: ['NO-PROPOSAL-CHOSEN'] }],
    ['aggressive-mode', aggressive, { proposal: 'AES-CBC-128/SHA1/PSK/MODP-2048', identity: 'gateway.lab.example' }],
    ['aggressive-mode-refused', aggressive, { notify: ['AUTHENTICATION-FAILED'] }],
    // A gateway without IKEv2 says so in its own version.
    ['main-mode-no-connection', {}, { version: '1.0', notify: ['NO-PROPOSAL-CHOSEN'] }],
  ] as const)('takes %s for an answer (%j)', async (name, options, facts) => {
    const outcome = await met(answering(name), options);
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'protocol', facts });
  });

  it.each([
    ['with another SPI', (request: Uint8Array) => captured('cookie').with(0, (request[0] ?? 0) ^ 1), {}],
    ['that is its own question', (request: Uint8Array) => request, {}],
    ['that is its own question of IKEv1', (request: Uint8Array) => request, v1],
    ['that is a request', (request: Uint8Array) => answering('cookie')(request).with(19, 0x08), {}],
    ['with another message id', (request: Uint8Array) => answering('cookie')(request).with(23, 1), {}],
    ['of IKEv2 to IKEv1', answering('no-proposal-chosen'), v1],
    ['of main mode to aggressive mode', answering('main-mode'), aggressive],
    ['without the marker of NAT-T', answering('cookie'), { 'nat-t': true }],
    ['with a marker where none belongs', (request: Uint8Array) => marked(answering('cookie')(request)), {}],
  ] as const)('takes no message %s for an answer', async (_, answer, options) => {
    const outcome = await met(answer, options, 400);
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('sends its nonce as initiator SPI, another each time, and an element of the group', async () => {
    const asked: Uint8Array[] = [];
    for (let count = 0; count < 3; count += 1) {
      await met((request) => {
        asked.push(request);
        return answering('cookie')(request);
      });
    }
    const messages = asked.map(parseMessage);
    expect(new Set(messages.map(({ initiatorSpi }) => hex(initiatorSpi))).size).toBe(3);
    for (const { payloads } of messages) {
      const exchange = payloads.find(({ type }) => type === 34)?.body ?? new Uint8Array(0);
      expect(exchange).toHaveLength(260);
      // Below the prime, whose first 64 bits are ones (RFC 3526 §3), and not 0 or 1.
      expect(exchange[4]).toSatisfy((byte: number) => byte >= 0x40 && byte < 0x80);
      expect(payloads.some(({ type, body }) => type === 43 && hex(body) === hex(Buffer.from('linecheck')))).toBe(true);
    }
  });

  it.each([
    [{ mode: 'main' }, 'only version 1 has a mode'],
    [{ version: 1, identity: 'branch' }, 'only aggressive mode sends an identity'],
    [{ version: 1, mode: 'main', group: 2 }, 'only aggressive mode is limited to one group'],
  ])('refuses the options %j', (options, message) => {
    expect(module.probe.options.safeParse(options).error?.issues.map((issue) => issue.message)).toEqual([message]);
  });

  it('knows that a gateway may ignore strangers', () => {
    for (const options of [{}, v1, aggressive]) expect(bind(options).traits.silence).toBe('ambiguous');
  });
});

describe('the ike stand-in', () => {
  const reply = (request: Uint8Array): readonly Uint8Array[] =>
    module.standIn.reply?.(request, { address: '192.0.2.1', port: 500 }) ?? [];

  it.each(questions.map((question, index) => [index, question] as const))(
    'refuses question %i in kind',
    (_, question) => {
      const asked = parseMessage(question);
      for (const [request, strip] of [
        [question, (bytes: Uint8Array) => bytes],
        [marked(question), unmarked],
      ] as const) {
        const [answer] = reply(request).map((bytes) => parseMessage(strip(bytes) ?? new Uint8Array(0)));
        expect(answer).toMatchObject({ major: asked.major, initiatorSpi: SPI });
        const [notify] = answer?.payloads ?? [];
        expect(notify && parseNotification(notify.body, asked.major).type).toBe(14);
      }
    },
  );

  it('answers no answer, and nothing of an exchange under way', () => {
    for (const { bytes } of captures) expect(reply(bytes)).toEqual([]);
    for (const question of questions) {
      expect(reply(question.with(8, 1))).toEqual([]);
      expect(reply(question.with(23, 1))).toEqual([]);
    }
    expect(encodeNotification(14, new Uint8Array(0), 2)).toHaveLength(4);
  });
});

describe('charon in the lab', () => {
  let lab: Lab;
  let running: Server | undefined;
  beforeAll(async () => {
    if (labReason() === undefined) lab = await openLab();
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  afterAll(async () => {
    if (labReason() === undefined) await lab.close();
  });

  /** One probe, as an ordinary user. */
  const probed = (target: string, ...options: readonly string[]): Promise<Said> =>
    linecheck(lab, ['probe', 'ike', target, ...options.flatMap((option) => ['--with', option])], NOBODY);
  const [v4, v6] = ['10.3.0.11', '[fd00:3::11]'];
  const psk = (proposals: string): string => `connections { any { remote_addrs = %any
    proposals = ${proposals}
    aggressive = yes
    local { auth = psk
    id = gateway.lab.example }
    remote { auth = psk } } }
    secrets { ike-any { secret = lab } }`;

  it(
    'answers IKEv2 and IKEv1 on 500 and 4500, over IPv4 and IPv6, and is refused when stopped',
    { timeout: 90_000 },
    async (ctx) => {
      requireLinecheck(ctx);
      requireCharon(ctx);
      running = await charon({ on: lab.place('server1') });
      for (const host of [v4, v6]) {
        for (const port of [500, 4500]) {
          const { verdict, facts } = await probed(`${host}:${String(port)}`);
          expect({ verdict, facts }).toMatchObject({ verdict: 'open', facts: { wantedGroup: 'ECP-256' } });
          expect(facts['natT']).toBe(port === 4500 ? true : undefined);
        }
      }
      // Two half-open SAs of IKEv1: after five from one address charon would be silent for half a minute.
      for (const target of [`${v4}:500`, `${v6}:4500`]) {
        const { verdict, facts } = await probed(target, 'version=1');
        expect({ verdict, facts }).toMatchObject({
          verdict: 'open',
          facts: { proposal: 'AES-CBC-256/SHA2-256/PSK/MODP-2048', responderSpi: true },
        });
      }
      expect((await probed(v4, 'version=1', 'mode=aggressive')).facts).toMatchObject({
        notify: ['AUTHENTICATION-FAILED'],
      });
      // Its log says who asked.
      expect(running.logs()).toContain('received unknown vendor ID: 6c:69:6e:65:63:68:65:63:6b');
      await running.stop();
      for (const host of [v4, v6]) expect((await probed(`${host}:500`)).verdict).toBe('closed');
    },
  );

  it(
    'accepts a proposal, finds no NAT where there is none and ours where there is, and sends cookies under load',
    { timeout: 90_000 },
    async (ctx) => {
      requireLinecheck(ctx);
      requireCharon(ctx);
      const settings = ['i_dont_care_about_security_and_use_aggressive_mode_psk = yes', 'cookie_threshold = 3'];
      running = await charon({ on: lab.place('server1'), connections: psk('aes128-sha1-modp2048'), settings });
      const chosen = 'AES-CBC-128/HMAC-SHA1-96/PRF-HMAC-SHA1/MODP-2048';
      expect(await probed(v4)).toMatchObject({ verdict: 'open', facts: { proposal: chosen, nat: 'none' } });
      const answered = await probed(v4, 'version=1', 'mode=aggressive', 'identity=branch-12');
      expect(answered.facts).toMatchObject({
        proposal: 'AES-CBC-128/SHA1/PSK/MODP-2048',
        identity: 'gateway.lab.example',
        nat: 'none',
      });
      await lab.firewall(
        'table ip nat { chain c { type nat hook postrouting priority srcnat; oifname "lan" masquerade; }; }',
      );
      expect((await probed(`${v4}:4500`)).facts).toMatchObject({ proposal: chosen, nat: 'at this end' });
      await lab.firewall('');
      const cookie = await probed(v4);
      expect(cookie).toMatchObject({ verdict: 'open', facts: { notify: ['COOKIE'], responderSpi: false } });
    },
  );

  it('refuses who has no connection, and that is an answer too', { timeout: 60_000 }, async (ctx) => {
    requireLinecheck(ctx);
    requireCharon(ctx);
    running = await charon({ on: lab.place('server1'), connections: '' });
    expect(await probed(v4)).toMatchObject({ verdict: 'open', facts: { notify: ['NO_PROPOSAL_CHOSEN'] } });
    expect(await probed(v6, 'version=1')).toMatchObject({ verdict: 'open', facts: { notify: ['NO-PROPOSAL-CHOSEN'] } });
  });

  it('is not called open behind a firewall that drops', { timeout: 60_000 }, async (ctx) => {
    requireLinecheck(ctx);
    requireCharon(ctx);
    running = await charon({ on: lab.place('server1') });
    await lab.firewall('table inet f { chain c { type filter hook forward priority filter; udp dport 500 drop; }; }');
    expect(['unproven', 'unreachable', 'blocked']).toContain((await probed(v4)).verdict);
    await lab.firewall('');
  });
});

describeConformance(module, { name: 'ike', carrier: 'udp' });
describeConformance(module, {
  name: 'ike, IKEv1 aggressive mode behind NAT',
  carrier: 'udp',
  options: { version: 1, mode: 'aggressive', 'nat-t': true },
});
