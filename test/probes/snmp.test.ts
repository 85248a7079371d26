// The snmp probe: messages against captures, keys against the RFCs' own, real agents of two makes, and whoever lies.
import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import * as module from '../../probes/snmp/probe.js';
import * as packet from '../../probes/snmp/packet.js';
import { engineFacts } from '../../probes/snmp/engine.js';
import { digestBytes, localizedKey, privacyKey } from '../../probes/snmp/usm.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { requireServer, skipFor } from '../lab/requirements.js';
import { scriptedAgent, snmpd, type SnmpUser } from '../lab/servers/snmp.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, loopbackAddress, noFamily, udpPeer, type Asking, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const {
  FLAG,
  PDU,
  VALUE,
  encodeCommunityMessage,
  encodeDiscovery,
  encodePdu,
  encodeScopedPdu,
  encodeSecuredMessage,
  parseMessage,
  parseScopedPdu,
  unspecified,
} = packet;

const captures = vectorsOf('snmp');
const discovered = vector('snmp/snmpd-5.9.3-discovery.hex');
const upTime = vector('snmp/snmpd-5.9.3-v2c-sysuptime.hex');

const SYS_UP_TIME = '1.3.6.1.2.1.1.3.0';
const secrets = {
  community: 'lab-community',
  wrong: 'another-secret',
  auth: 'auth-password-1',
  priv: 'priv-password-1',
};
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bind = (options: object = {}) => module.probe.bind('udp', module.probe.options.parse(options));

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function secured(bytes: Uint8Array): packet.SecuredMessage {
  const message = parseMessage(bytes);
  if (message.version !== 3) throw new Error('not SNMPv3');
  return message;
}

describe('an SNMP message', () => {
  it('of an engine is read as snmpd wrote it', () => {
    const message = secured(discovered);
    expect(message).toMatchObject({ messageId: 0x01020304, flags: 0, boots: 1 });
    expect(hexOf(message.engineId)).toMatch(/^80001f8880/);
    const { engineId, pdu } = parseScopedPdu(message.scoped);
    expect(hexOf(engineId)).toBe(hexOf(message.engineId));
    expect(pdu).toMatchObject({
      type: PDU.report,
      requestId: 0x05060708,
      varBinds: [{ oid: packet.UNKNOWN_ENGINE, tag: VALUE.counter32 }],
    });
  });

  it.each([
    ['v2c-sysuptime', 1, { errorStatus: 0, varBinds: [{ oid: SYS_UP_TIME, tag: VALUE.timeTicks }] }],
    ['v1-sysuptime', 0, { errorStatus: 0, varBinds: [{ oid: SYS_UP_TIME, tag: VALUE.timeTicks }] }],
    ['v2c-no-such-instance', 1, { errorStatus: 0, varBinds: [{ tag: VALUE.noSuchInstance }] }],
    ['v1-no-such-name', 0, { errorStatus: 2, errorIndex: 1 }],
  ])('with a community is read as snmpd wrote it: %s', (name, version, pdu) => {
    const message = parseMessage(vector(`snmp/snmpd-5.9.3-${name}.hex`));
    expect(message).toMatchObject({
      version,
      community: Uint8Array.from(Buffer.from('lab-community')),
      pdu: { type: PDU.response, requestId: 0x05060708, ...pdu },
    });
  });

  it.each(captures.map(({ path, bytes }) => [path, bytes] as const))('comes back from %s', (_, bytes) => {
    const message = parseMessage(bytes);
    expect(
      Uint8Array.from(message.version === 3 ? encodeSecuredMessage(message) : encodeCommunityMessage(message)),
    ).toEqual(bytes);
  });

  it('is as it was though a device pads it', () => {
    const padded = Uint8Array.from([...discovered, 0, 0, 0]);
    expect(parseMessage(padded)).toEqual(parseMessage(discovered));
    expect(Uint8Array.from(packet.wholeOf(padded))).toEqual(discovered);
  });

  it.each([
    ['empty', ''],
    ['of version 2', '3003020102'],
    ['a trap of v1', '300b020100040161a403060129'],
    ['without a PDU', '3006020101040161'],
    ['of another security model', '301a020103300d020101020300ffe3040100020104040004003000'],
    ['without flags', '3018020103300c020101020300ffe304000201033004040004003000'],
    [
      'with a negative boots',
      '302c020103300d020101020300ffe30401000201030410300e04000201ff020100040004000400300604000400a000',
    ],
  ])('is none when it is %s', (_, hex) => {
    expect(() => parseMessage(bytesOf(hex))).toThrow(ProtocolError);
  });

  it('has numbers without a sign, of 32 bits at most', () => {
    const of = (hex: string) => packet.unsignedOf({ oid: '1.3', tag: VALUE.timeTicks, value: bytesOf(hex) });
    expect([of('00'), of('7f'), of('00ff'), of('00ffffffff'), of('07')]).toEqual([0, 127, 255, 4_294_967_295, 7]);
    expect([of(''), of('ff'), of('01ffffffff'), of('000000000001')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('an engine discovery', () => {
  it('is a Get of nothing by nobody for an unknown engine, and says who asks', () => {
    const message = secured(encodeDiscovery(Uint8Array.of(0x81, 2, 3, 4, 0x85, 6, 7, 8)));
    expect(message).toMatchObject({ messageId: 0x01020304, flags: FLAG.reportable, boots: 0, seconds: 0 });
    for (const field of ['engineId', 'user', 'digest', 'salt'] as const) expect(message[field]).toHaveLength(0);
    const { engineId, contextName, pdu } = parseScopedPdu(message.scoped);
    expect(engineId).toHaveLength(0);
    expect(Buffer.from(contextName).toString()).toBe('linecheck test 8102030485060708');
    expect(pdu).toEqual({ type: PDU.get, requestId: 0x05060708, errorStatus: 0, errorIndex: 0, varBinds: [] });
  });
});

describe('an engine id', () => {
  // The forms of RFC 3411 §5, SnmpEngineID.
  it.each([
    ['8000000901c0000207', { enterprise: 9, vendor: 'Cisco', engineAddress: '192.0.2.7' }],
    ['80001f880300005e005301', { enterprise: 8072, vendor: 'net-snmp', engineMac: '00:00:5e:00:53:01' }],
    ['80007ed9046162', { enterprise: 32473, engineText: 'ab' }],
    ['80007ed9041b5b32', { enterprise: 32473, engineText: '.[2' }],
    ['80007ed905c0000207', { enterprise: 32473 }],
    ['000000090100a1c0000207ff', { enterprise: 9, vendor: 'Cisco' }],
  ])('%s tells its maker and, in some forms, its device', (hex, facts) => {
    expect(engineFacts({ engineId: bytesOf(hex), boots: 3, seconds: 60 })).toEqual({
      engineId: hex,
      ...facts,
      engineBoots: 3,
      engineTimeSeconds: 60,
    });
  });

  it('tells nothing where it is shorter than an engine id can be', () => {
    expect(engineFacts({ engineId: bytesOf('80000009'), boots: 0, seconds: 0 })).toEqual({});
  });
});

describe('a key', () => {
  const password = Buffer.from('maplesyrup');
  const engineId = bytesOf('000000000000000000000002');

  // RFC 3414 A.3.1 and A.3.2.
  it.each([
    ['md5', '526f5eed9fcce26f8964c2930787d82b'],
    ['sha', '6695febc9288e36282235fc7151f128497b38f3f'],
  ] as const)('of a password is that of RFC 3414: %s', (how, key) => {
    expect(hexOf(localizedKey(how, password, engineId))).toBe(key);
  });

  // draft-reeder-snmpv3-usm-3desede-00 appendix B, cut to 32 bytes.
  it.each([
    ['md5', '526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12'],
    ['sha', '6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c'],
  ] as const)('is lengthened as Cisco does: %s', (how, key) => {
    expect(hexOf(privacyKey('aes256-cisco', how, password, engineId))).toBe(key);
    expect(hexOf(privacyKey('aes192-cisco', how, password, engineId))).toBe(key.slice(0, 48));
  });

  it('has a digest of the length that RFC 3414 and RFC 7860 give it', () => {
    expect((['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const).map(digestBytes)).toEqual([
      12, 12, 16, 24, 32, 48,
    ]);
  });

  it('is made of no empty password', () => {
    expect(() => localizedKey('sha', new Uint8Array(0), engineId)).toThrow(RangeError);
  });
});

describe('the options of snmp', () => {
  it.each([
    [{ community: 'a', user: 'b' }, 'community'],
    [{ version: 'v1' }, 'version'],
    [{ 'auth-password': 'a' }, 'auth-password'],
    [{ user: 'b', 'priv-password': 'a' }, 'priv-password'],
    [{ user: 'b', auth: 'sha512' }, 'auth'],
    [{ user: 'b', 'auth-password': 'a', priv: 'aes' }, 'priv'],
    [{ context: 'a' }, 'context'],
    [{ user: 'ü'.repeat(17) }, 'user'],
    [{ user: 'b', 'auth-password': 'a', auth: 'sha1' }, 'auth'],
  ])('do not go together: %j', (options, path) => {
    const { error } = module.probe.options.safeParse(options);
    expect(error?.issues.map((issue) => issue.path)).toEqual([[path]]);
  });
});

describeDecoders(packet, {
  parseMessage: {
    decode: parseMessage,
    samples: [...captures.map(({ bytes }) => bytes), encodeDiscovery(new Uint8Array(8))],
  },
  parseScopedPdu: { decode: parseScopedPdu, samples: [secured(discovered).scoped] },
});

/** An agent's answer to an engine discovery, as that of the request. */
function discoveredFor(request: Uint8Array): Uint8Array {
  return encodeSecuredMessage({ ...secured(discovered), messageId: secured(request).messageId });
}

describe('the snmp probe', () => {
  async function askPeer(
    answers: (request: Uint8Array, count: number) => readonly Uint8Array[],
    options: object = {},
    asking: Partial<Asking> = {},
  ): Promise<Outcome> {
    let count = 0;
    const peer = await udpPeer((request, answer) => {
      count += 1;
      for (const bytes of answers(Uint8Array.from(request), count)) answer(bytes);
    });
    closing.push(() => peer.close());
    return (await askOnce(bind(options), peer.port, { deadlineMs: 400, secrets, ...asking })).outcome;
  }
  const user = { user: 'reader', 'auth-password': 'auth', 'priv-password': 'priv' };
  const login = { login: true };

  it('tells what an engine says of itself', async () => {
    expect(await askPeer((request) => [discoveredFor(request)])).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { version: 'v3', enterprise: 8072, vendor: 'net-snmp', engineBoots: 1, engineTimeSeconds: 0 },
    });
  });

  it('names another Report than the usual one', async () => {
    const outcome = await askPeer((request) => {
      const { scoped } = secured(discovered);
      const { pdu } = parseScopedPdu(scoped);
      const varBinds = [{ oid: '1.3.6.1.6.3.11.2.1.3.0', tag: VALUE.counter32, value: Uint8Array.of(1) }];
      const other = encodeScopedPdu({ ...parseScopedPdu(scoped), pdu: { ...pdu, varBinds } });
      return [encodeSecuredMessage({ ...secured(discoveredFor(request)), scoped: other })];
    });
    expect(outcome).toMatchObject({ kind: 'answered', facts: { report: 'snmpUnknownPDUHandlers' } });
  });

  it.each([
    ['its own question, sent back', (request: Uint8Array) => [request]],
    ['the answer to another question', () => [discovered]],
    ['an answer with a community', () => [upTime]],
    ['an answer encrypted for nobody', (request: Uint8Array) => [sealedFor(request)]],
  ])('takes no answer from %s', async (_, answers) => {
    expect(await askPeer(answers)).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('waits for the true answer behind foreign ones', async () => {
    const outcome = await askPeer(
      (request) => [request, discovered, upTime, discoveredFor(request)],
      {},
      { deadlineMs: 10_000 },
    );
    expect(outcome).toMatchObject({ kind: 'answered' });
  });

  /** An agent's response to the request of v2c, changed. */
  const responding =
    (change: Partial<packet.Pdu>, community = 'lab-community', version: 0 | 1 = 1) =>
    (request: Uint8Array) => {
      const asked = parseMessage(request);
      if (asked.version === 3) return [];
      const varBinds = [{ oid: SYS_UP_TIME, tag: VALUE.timeTicks, value: bytesOf('00ffffffff') }];
      const pdu = { ...asked.pdu, type: PDU.response, varBinds, ...change };
      return [encodeCommunityMessage({ version, community: Buffer.from(community), pdu })];
    };

  it.each([
    [
      'the time since the agent started',
      responding({}),
      { kind: 'answered', depth: 'service', facts: { upSeconds: 42_949_672 } },
    ],
    [
      'that the community may not see it',
      responding({ varBinds: [{ oid: SYS_UP_TIME, tag: VALUE.noSuchObject, value: new Uint8Array(0) }] }),
      { kind: 'answered', depth: 'protocol', facts: { sysUpTime: 'not shown' } },
    ],
    [
      'an error',
      responding({ errorStatus: 5, errorIndex: 1 }),
      { kind: 'answered', depth: 'protocol', facts: { error: 'genErr' } },
    ],
    ['an unknown error', responding({ errorStatus: 99 }), { kind: 'answered', facts: { error: 'error 99' } }],
    [
      'that the community is refused',
      responding({ errorStatus: 16 }),
      { kind: 'turned-away', presented: 'secret', by: 'authorizationError' },
    ],
  ])('tells what a community is told: %s', async (_, answers, outcome) => {
    expect(await askPeer(answers, { community: 'community' })).toMatchObject(outcome);
  });

  it.each([
    ['another community', responding({}, 'public')],
    ['another version', responding({}, 'lab-community', 0)],
    ['another request', responding({ requestId: 7 })],
    ['a request', responding({ type: PDU.get })],
    ['SNMPv3', () => [discovered]],
  ])('takes no answer with %s for one to its community, and repeats nothing of it', async (_, answers) => {
    const outcome = await askPeer(answers, { community: 'community' });
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
    expect(JSON.stringify(outcome)).not.toMatch(/lab-community|public/);
  });

  it('names no user without --login', async () => {
    const asked: Uint8Array[] = [];
    const outcome = await askPeer(
      (request) => {
        asked.push(secured(request).user);
        return [discoveredFor(request)];
      },
      user,
      { deadlineMs: 10_000 },
    );
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(asked).toEqual([new Uint8Array(0)]);
  });

  it('believes no response that the user did not sign, and keeps what it had discovered', async () => {
    const outcome = await askPeer(
      (request, count) => {
        if (count === 1) return [discoveredFor(request)];
        const { messageId, engineId } = secured(request);
        const varBinds = [{ oid: SYS_UP_TIME, tag: VALUE.timeTicks, value: Uint8Array.of(9) }];
        const pdu = { type: PDU.response, requestId: 0, errorStatus: 0, errorIndex: 0, varBinds };
        const forged = {
          ...secured(discovered),
          messageId,
          scoped: encodeScopedPdu({ engineId, contextName: new Uint8Array(0), pdu }),
        };
        return [
          encodeSecuredMessage(forged),
          encodeSecuredMessage({ ...forged, flags: FLAG.authenticated, digest: new Uint8Array(24) }),
          encodeSecuredMessage({ ...secured(request), flags: FLAG.authenticated | FLAG.encrypted }),
        ];
      },
      user,
      login,
    );
    expect(outcome).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { vendor: 'net-snmp', userAnswered: false },
    });
  });

  it.each([
    [
      '1.3.6.1.6.3.15.1.1.1.0',
      { kind: 'turned-away', presented: 'credentials', by: 'Report usmStatsUnsupportedSecLevels' },
    ],
    [
      '1.3.6.1.6.3.15.1.1.3.0',
      { kind: 'turned-away', presented: 'credentials', by: 'Report usmStatsUnknownUserNames' },
    ],
    ['1.3.6.1.6.3.15.1.1.5.0', { kind: 'turned-away', presented: 'credentials', by: 'Report usmStatsWrongDigests' }],
    [
      '1.3.6.1.6.3.15.1.1.6.0',
      { kind: 'turned-away', presented: 'credentials', by: 'Report usmStatsDecryptionErrors' },
    ],
    // Not signed: anybody could send us into a loop with it.
    ['1.3.6.1.6.3.15.1.1.2.0', { kind: 'answered', depth: 'protocol', facts: { report: 'usmStatsNotInTimeWindows' } }],
    ['1.3.6.1.6.3.12.1.5.0', { kind: 'answered', depth: 'protocol', facts: { report: 'snmpUnknownContexts' } }],
    ['1.3.6.1.4.1.32473.1', { kind: 'answered', depth: 'protocol', facts: { report: '1.3.6.1.4.1.32473.1' } }],
  ])('understands the Report %s to a user', async (oid, expected) => {
    const outcome = await askPeer(
      (request, count) => {
        if (count === 1) return [discoveredFor(request)];
        const found = parseScopedPdu(secured(discovered).scoped);
        const varBinds = [{ oid, tag: VALUE.counter32, value: Uint8Array.of(1) }];
        const scoped = encodeScopedPdu({ ...found, pdu: { ...found.pdu, varBinds } });
        return [encodeSecuredMessage({ ...secured(discoveredFor(request)), scoped })];
      },
      user,
      login,
    );
    expect(outcome).toMatchObject(expected);
  });
});

/** A discovery's answer with the flag of encryption set. */
function sealedFor(request: Uint8Array): Uint8Array {
  return encodeSecuredMessage({ ...secured(discoveredFor(request)), flags: FLAG.encrypted });
}

describe('the snmp stand-in', () => {
  const reply = (request: Uint8Array): readonly Uint8Array[] =>
    module.standIn.reply?.(request, { address: '192.0.2.1', port: 161 }) ?? [];

  it('names its engine, and knows no user of it', () => {
    const [answer = new Uint8Array(0)] = reply(encodeDiscovery(new Uint8Array(8)));
    const { engineId, scoped } = secured(answer);
    expect(parseScopedPdu(scoped).pdu.varBinds[0]?.oid).toBe(packet.UNKNOWN_ENGINE);
    const asked = { ...secured(encodeDiscovery(new Uint8Array(8))), engineId, user: Buffer.from('somebody') };
    const [other = new Uint8Array(0)] = reply(encodeSecuredMessage(asked));
    expect(parseScopedPdu(secured(other).scoped).pdu.varBinds[0]?.oid).toBe(packet.UNKNOWN_USER);
  });

  it.each([
    [0, { errorStatus: 2, errorIndex: 1, varBinds: [{ oid: SYS_UP_TIME }] }],
    [1, { errorStatus: 0, varBinds: [{ oid: SYS_UP_TIME, tag: VALUE.noSuchObject }] }],
  ] as const)('has nothing to show to a community of version %i', (version, pdu) => {
    const asked = { type: PDU.get, requestId: 5, errorStatus: 0, errorIndex: 0, varBinds: [unspecified(SYS_UP_TIME)] };
    const community = Buffer.from('any');
    const [answer = new Uint8Array(0)] = reply(encodeCommunityMessage({ version, community, pdu: asked }));
    expect(parseMessage(answer)).toMatchObject({ version, pdu: { type: PDU.response, requestId: 5, ...pdu } });
    expect(reply(encodeCommunityMessage({ version, community, pdu: { ...asked, type: PDU.set } }))).toEqual([]);
  });

  it('is silent to what is no message, and to one that wants no Report', () => {
    const request = encodeDiscovery(new Uint8Array(8));
    expect(reply(encodePdu({ type: PDU.get, requestId: 1, errorStatus: 0, errorIndex: 0, varBinds: [] }))).toEqual([]);
    expect(reply(encodeSecuredMessage({ ...secured(request), flags: 0 }))).toEqual([]);
  });
});

const users: readonly SnmpUser[] = [
  { name: 'private', auth: { how: 'SHA-256', password: secrets.auth }, priv: { how: 'AES', password: secrets.priv } },
  {
    name: 'longer',
    auth: { how: 'SHA-512', password: secrets.auth },
    priv: { how: 'AES-256', password: secrets.priv },
  },
  // SHA-1 is too short for this key, and is lengthened.
  { name: 'old', auth: { how: 'SHA', password: secrets.auth }, priv: { how: 'AES-256', password: secrets.priv } },
  { name: 'md5', auth: { how: 'MD5', password: secrets.auth }, priv: { how: 'AES-192', password: secrets.priv } },
  { name: 'signed', auth: { how: 'SHA-384', password: secrets.auth } },
  { name: 'bare' },
];

describe('snmpd', () => {
  const agent = async (ctx: Parameters<typeof requireServer>[0], address = '127.0.0.1') => {
    requireServer(ctx, 'snmpd', 'snmpd');
    const server = await snmpd({ addresses: [address], communities: [secrets.community], users });
    closing.push(() => server.stop());
    return server;
  };
  const asking = (options: object, port: number, given: Partial<Asking> = {}) =>
    askOnce(bind(options), port, { deadlineMs: 10_000, secrets, login: true, ...given });
  const passwords = { 'auth-password': 'auth', 'priv-password': 'priv' };

  it.for([4, 6] as const)('names its engine, and is refused when stopped: IPv%i', async (family, ctx) => {
    skipFor(ctx, noFamily(family));
    const server = await agent(ctx, loopbackAddress[family]);
    const { outcome } = await asking({}, server.port, { family, login: false });
    expect(outcome).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { version: 'v3', vendor: 'net-snmp', engineBoots: 1 },
    });
    await server.stop();
    const stopped = await asking({}, server.port, { family });
    expect(stopped.outcome).toMatchObject({ kind: 'refused', signal: 'refused' });
  });

  it.for(['v1', 'v2c'])('tells a community its time in %s', async (version, ctx) => {
    const server = await agent(ctx);
    const { outcome } = await asking({ community: 'community', version }, server.port, { login: false });
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'service', facts: { version } });
    expect('facts' in outcome && outcome.facts['upSeconds']).toBeTypeOf('number');
  });

  it('is silent to a wrong community, which proves nothing', async (ctx) => {
    const server = await agent(ctx);
    const { outcome } = await asking({ community: 'wrong' }, server.port, { deadlineMs: 300 });
    expect(outcome).toMatchObject({ kind: 'silent' });
    expect(bind({ community: 'wrong' }).traits.silence).toBe('ambiguous');
  });

  it.for([
    [{ user: 'private', ...passwords }, 'authPriv'],
    [{ user: 'longer', ...passwords, auth: 'sha512', priv: 'aes256' }, 'authPriv'],
    [{ user: 'old', ...passwords, auth: 'sha', priv: 'aes256' }, 'authPriv'],
    [{ user: 'md5', ...passwords, auth: 'md5', priv: 'aes192' }, 'authPriv'],
    [{ user: 'signed', 'auth-password': 'auth', auth: 'sha384' }, 'authNoPriv'],
    [{ user: 'bare' }, 'noAuthNoPriv'],
  ] as const)('serves the user of %j', async ([options, securityLevel], ctx) => {
    const server = await agent(ctx);
    const { outcome } = await asking(options, server.port);
    expect(outcome).toMatchObject({
      kind: 'answered',
      depth: 'service',
      facts: { version: 'v3', vendor: 'net-snmp', securityLevel },
    });
    expect('facts' in outcome && outcome.facts['upSeconds']).toBeTypeOf('number');
  });

  it.for([
    [{ user: 'nobody', ...passwords }, 'Report usmStatsUnknownUserNames'],
    [{ user: 'private', ...passwords, 'auth-password': 'wrong' }, 'Report usmStatsWrongDigests'],
    [{ user: 'private', ...passwords, auth: 'sha512' }, 'Report usmStatsWrongDigests'],
    [{ user: 'signed', ...passwords, auth: 'sha384' }, 'Report usmStatsUnsupportedSecLevels'],
    [{ user: 'private', 'auth-password': 'auth' }, 'authorizationError'],
    [{ user: 'private' }, 'authorizationError'],
  ] as const)('turns the user of %j away', async ([options, by], ctx) => {
    const server = await agent(ctx);
    const { outcome } = await asking(options, server.port);
    expect(outcome).toMatchObject({ kind: 'turned-away', presented: 'credentials', by, facts: { vendor: 'net-snmp' } });
  });

  // RFC 3414 §3.2 step 8 has a Report only for a failure to decrypt: what decrypts to rubbish is dropped.
  it('is silent to a wrong privacy password, and its engine is a fact all the same', async (ctx) => {
    const server = await agent(ctx);
    const options = { user: 'private', ...passwords, 'priv-password': 'wrong' };
    const { outcome } = await asking(options, server.port, { deadlineMs: 500 });
    expect(outcome).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { vendor: 'net-snmp', userAnswered: false },
    });
  });

  it('is asked once more where its clock is not what was said of it', async (ctx) => {
    const server = await agent(ctx);
    const seen: number[] = [];
    const between = await relay(server.port, (answer) => {
      const message = secured(answer);
      seen.push(message.seconds);
      // The first answer is not signed; its time can be anybody's.
      return seen.length === 1 ? encodeSecuredMessage({ ...message, seconds: 100_000 }) : answer;
    });
    const { outcome } = await asking({ user: 'private', ...passwords }, between.port);
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'service' });
    expect(seen).toHaveLength(3);
  });

  it('logs nothing of a hundred discoveries but where they came from', async (ctx) => {
    const server = await agent(ctx);
    for (let count = 0; count < 100; count += 1) {
      expect((await asking({}, server.port)).outcome).toMatchObject({ kind: 'answered' });
    }
    const logged = server.logs().split('\n');
    expect(logged.filter((line) => line.startsWith('Connection from UDP')).length).toBeGreaterThanOrEqual(100);
    expect(
      logged.filter((line) => !/^(?:Connection from UDP|NET-SNMP version|Created directory|$)/.test(line)),
    ).toEqual([]);
  });
});

/** Passes datagrams on to a port of loopback, and its answers back, changed. */
async function relay(port: number, change: (answer: Uint8Array) => Uint8Array): Promise<Peer> {
  const onward = createSocket('udp4');
  let back: (answer: Uint8Array) => void = () => undefined;
  onward.on('message', (answer) => back(change(Uint8Array.from(answer))));
  const peer = await udpPeer((request, answer) => {
    back = answer;
    onward.send(request, port, '127.0.0.1');
  });
  closing.push(async () => {
    onward.close();
    await peer.close();
  });
  return peer;
}

describe('an agent of another make', () => {
  // The only one here that lengthens keys as Cisco does.
  it('serves a user whose key is lengthened as Cisco does', async () => {
    const agent = await scriptedAgent({ name: 'cisco', authPassword: secrets.auth, privPassword: secrets.priv });
    closing.push(() => agent.stop());
    const options = {
      user: 'cisco',
      auth: 'sha',
      'auth-password': 'auth',
      priv: 'aes256-cisco',
      'priv-password': 'priv',
    };
    const { outcome } = await askOnce(bind(options), agent.port, { deadlineMs: 10_000, secrets, login: true });
    expect(outcome).toMatchObject({
      kind: 'answered',
      depth: 'service',
      facts: { vendor: 'Cisco', engineAddress: '192.0.2.7', securityLevel: 'authPriv', upSeconds: 123 },
    });
  });
});

describeConformance(module, { name: 'snmp', carrier: 'udp' });
describeConformance(module, {
  name: 'snmp with a community',
  carrier: 'udp',
  options: { community: 'community' },
  secrets,
});
describeConformance(module, {
  name: 'snmp with a user',
  carrier: 'udp',
  options: { user: 'reader', 'auth-password': 'auth', 'priv-password': 'priv' },
  secrets,
  login: true,
  // The stand-in knows no user, and says so.
  healthy: { kind: 'turned-away' },
  // What the engine said before it was asked as a user is worth something though the rest is cut off.
  answersEarly: true,
});
