// The snmp-trap probe: nothing but a discovery unless asked for, the notification it then sends, and snmptrapd's own log.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/snmp-trap/packet.js';
import * as module from '../../probes/snmp-trap/probe.js';
import { PDU, VALUE, encodeCommunityMessage, parseMessage, type Pdu } from '../../probes/snmp/packet.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { requireServer, skipFor } from '../lab/requirements.js';
import type { Server } from '../lab/servers.js';
import { snmptrapd, type SnmpUser } from '../lab/servers/snmp.js';
import { describeConformance } from './conformance.js';
import { askOnce, loopbackAddress, noFamily, udpPeer, type Asking } from './scenes.js';
import { vector } from './vectors.js';

const secrets = {
  community: 'lab-community',
  wrong: 'another-secret',
  auth: 'auth-password-1',
  priv: 'priv-password-1',
};
const bind = (options: object = {}) => module.probe.bind('udp', module.probe.options.parse(options));
const nonceOf = (outcome: Outcome): string => {
  const nonce = 'facts' in outcome ? outcome.facts['nonce'] : undefined;
  if (typeof nonce !== 'string') throw new Error(`no nonce in ${JSON.stringify(outcome)}`);
  return nonce;
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('a test notification', () => {
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

  it('says what it is, by an object identifier and in words, with the nonce', () => {
    expect(packet.testText(nonce)).toBe('linecheck test, no action needed, nonce 0102030405060708');
    // RFC 3416 §4.2.6: sysUpTime.0 and snmpTrapOID.0 come first.
    const message = { version: 1, community: new Uint8Array(0) } as const;
    const pdu = { type: PDU.trap, requestId: 1, errorStatus: 0, errorIndex: 0, varBinds: packet.testVariables(nonce) };
    const read = parseMessage(encodeCommunityMessage({ ...message, pdu }));
    expect(read).toMatchObject({
      pdu: {
        varBinds: [
          { oid: '1.3.6.1.2.1.1.3.0', tag: VALUE.timeTicks },
          { oid: '1.3.6.1.6.3.1.1.4.1.0', tag: 0x06 },
          { oid: '1.3.6.1.4.1.32473.162.1.1.0', tag: 0x04 },
        ],
      },
    });
  });
});

describe('the options of snmp-trap', () => {
  it.each([
    [{ send: 'trap' }, 'send'],
    [{ send: 'inform' }, 'send'],
    [{ community: 'a' }, 'send'],
    [{ user: 'a' }, 'send'],
    [{ send: 'inform', community: 'a', user: 'b' }, 'community'],
    [{ send: 'trap', user: 'b' }, 'user'],
    [{ send: 'inform', user: 'b', 'priv-password': 'a' }, 'priv-password'],
    [{ send: 'alarm' }, 'send'],
  ])('do not go together: %j', (options, path) => {
    const { error } = module.probe.options.safeParse(options);
    expect(error?.issues.map((issue) => issue.path)).toContainEqual([path]);
  });

  it.each([
    [{}, 'ambiguous', ['protocol']],
    [{ send: 'trap', community: 'a' }, 'by-design', ['port']],
    [{ send: 'inform', community: 'a' }, 'ambiguous', ['protocol', 'service']],
    [{ send: 'inform', user: 'a' }, 'ambiguous', ['protocol', 'service']],
  ])('decide what silence and an answer mean: %j', (options, silence, depths) => {
    expect(bind(options).traits).toMatchObject({ silence, depths });
  });

  it('name every notification as a test before it is sent', () => {
    const told = (options: object) =>
      bind(options)
        .traits.sends.map(({ what }) => what)
        .join('; ');
    expect(told({})).toBe('SNMPv3 engine discovery');
    for (const options of [
      { send: 'trap', community: 'a' },
      { send: 'inform', community: 'a' },
      { send: 'inform', user: 'a' },
    ]) {
      expect(told(options)).toMatch(/marked as a test/);
    }
  });
});

describe('the snmp-trap probe', () => {
  const inform = { send: 'inform', community: 'community' };
  async function askPeer(change: Partial<Pdu>, community = 'lab-community'): Promise<Outcome> {
    const peer = await udpPeer((request, answer) => {
      const asked = parseMessage(Uint8Array.from(request));
      if (asked.version === 3) return;
      const pdu = { ...asked.pdu, type: PDU.response, ...change };
      answer(encodeCommunityMessage({ version: 1, community: Buffer.from(community), pdu }));
    });
    closing.push(() => peer.close());
    return (await askOnce(bind(inform), peer.port, { deadlineMs: 400, secrets })).outcome;
  }

  it.each([
    ['that an inform is acknowledged', {}, { kind: 'answered', depth: 'service', facts: { acknowledged: true } }],
    ['an error', { errorStatus: 5 }, { kind: 'answered', depth: 'protocol', facts: { error: 'genErr' } }],
    ['that the community is refused', { errorStatus: 16 }, { kind: 'turned-away', presented: 'secret' }],
    ['another request', { requestId: 7 }, { kind: 'stranger', came: 'other-protocol' }],
    ['the inform itself', { type: PDU.inform }, { kind: 'stranger', came: 'other-protocol' }],
  ])('understands %s', async (_, change, outcome) => {
    expect(await askPeer(change)).toMatchObject(outcome);
  });

  it('takes no acknowledgement for another community, and does not repeat it', async () => {
    const outcome = await askPeer({}, 'public');
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
    expect(JSON.stringify(outcome)).not.toMatch(/public/);
  });

  it('sends a user nothing without --login', async () => {
    let requests = 0;
    const peer = await udpPeer((request, answer) => {
      requests += 1;
      for (const reply of module.standIn.reply?.(request, { address: '127.0.0.1', port: 9 }) ?? []) answer(reply);
    });
    closing.push(() => peer.close());
    const bound = bind({ send: 'inform', user: 'a', 'auth-password': 'auth' });
    const { outcome } = await askOnce(bound, peer.port, { deadlineMs: 10_000, secrets });
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(requests).toBe(1);
  });
});

describe('the snmp-trap stand-in', () => {
  const reply = (request: Uint8Array): readonly Uint8Array[] =>
    module.standIn.reply?.(request, { address: '192.0.2.1', port: 162 }) ?? [];
  const notification = (type: number, version: 0 | 1) => {
    const pdu = {
      type,
      requestId: 7,
      errorStatus: 0,
      errorIndex: 0,
      varBinds: packet.testVariables(new Uint8Array(8)),
    };
    return encodeCommunityMessage({ version, community: Buffer.from('any'), pdu });
  };

  it('acknowledges an inform with what it said, and nothing else', () => {
    const [answer = new Uint8Array(0)] = reply(notification(PDU.inform, 1));
    expect(Buffer.from(answer)).toEqual(Buffer.from(notification(PDU.response, 1)));
    for (const type of [PDU.trap, PDU.get, PDU.response, PDU.report]) expect(reply(notification(type, 1))).toEqual([]);
    expect(reply(notification(PDU.inform, 0))).toEqual([]);
  });
});

const users: readonly SnmpUser[] = [
  { name: 'sender', auth: { how: 'SHA-256', password: secrets.auth }, priv: { how: 'AES', password: secrets.priv } },
];

describe('snmptrapd', () => {
  const receiver = async (ctx: Parameters<typeof requireServer>[0], address = '127.0.0.1') => {
    requireServer(ctx, 'snmptrapd', 'snmptrapd');
    const server = await snmptrapd({ addresses: [address], communities: [secrets.community], users });
    closing.push(() => server.stop());
    return server;
  };
  const asking = (options: object, { port }: Server, given: Partial<Asking> = {}) =>
    askOnce(bind(options), port, { deadlineMs: 10_000, secrets, login: true, ...given });
  /** The lines of its log about our notifications, once it is through with what it was sent. */
  const logged = async (server: Server, awaited: string | undefined): Promise<readonly string[]> => {
    const ours = (): readonly string[] =>
      server
        .logs()
        .split('\n')
        .filter((line) => line.includes('32473'));
    for (
      let tries = 0;
      tries < 500 && awaited !== undefined && !ours().some((line) => line.includes(awaited));
      tries += 1
    ) {
      await delay(10);
    }
    return ours();
  };

  it.for([4, 6] as const)(
    'names its engine, logs no notification, and is refused when stopped: IPv%i',
    async (family, ctx) => {
      skipFor(ctx, noFamily(family));
      const server = await receiver(ctx, loopbackAddress[family]);
      const { outcome } = await asking({}, server, { family, login: false });
      expect(outcome).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { version: 'v3', vendor: 'net-snmp' },
      });
      // What was sent after it is logged after it.
      const sent = await asking({ send: 'trap', community: 'community' }, server, { family });
      expect(await logged(server, nonceOf(sent.outcome))).toHaveLength(1);
      await server.stop();
      for (const options of [
        {},
        { send: 'trap', community: 'community' },
        { send: 'inform', community: 'community' },
      ]) {
        const stopped = await asking(options, server, { family });
        expect(stopped.outcome).toMatchObject({ kind: 'refused', signal: 'refused' });
      }
    },
  );

  it('answers a discovery as it did when it was captured', () => {
    expect(parseMessage(vector('snmp/snmptrapd-5.9.3-discovery.hex'))).toMatchObject({
      version: 3,
      messageId: 0x01020304,
    });
  });

  it('logs a trap that says it is a test, and nobody here can know', async (ctx) => {
    const server = await receiver(ctx);
    const { outcome } = await asking({ send: 'trap', community: 'community' }, server);
    expect(outcome).toMatchObject({ kind: 'sent', sent: 1 });
    const [line, ...more] = await logged(server, nonceOf(outcome));
    expect(more).toEqual([]);
    expect(line).toMatch(/1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = OID: \.1\.3\.6\.1\.4\.1\.32473\.162\.0\.1/);
    expect(line).toContain(`linecheck test, no action needed, nonce ${nonceOf(outcome)}`);
  });

  it.for([
    [{ send: 'inform', community: 'community' }, { version: 'v2c' }],
    [
      { send: 'inform', user: 'sender', 'auth-password': 'auth', 'priv-password': 'priv' },
      { version: 'v3', securityLevel: 'authPriv' },
    ],
  ] as const)('acknowledges an inform, and logs it: %j', async ([options, facts], ctx) => {
    const server = await receiver(ctx);
    const { outcome } = await asking(options, server);
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'service', facts: { ...facts, acknowledged: true } });
    expect((await logged(server, nonceOf(outcome))).join()).toContain('linecheck test, no action needed');
  });

  it('is silent to an inform of a community that it does not know, and logs nothing', async (ctx) => {
    const server = await receiver(ctx);
    const { outcome } = await asking({ send: 'inform', community: 'wrong' }, server, { deadlineMs: 300 });
    expect(outcome).toMatchObject({ kind: 'silent' });
    expect(await logged(server, undefined)).toEqual([]);
  });

  it('turns a wrong user and a wrong password away', async (ctx) => {
    const server = await receiver(ctx);
    const passwords = { 'auth-password': 'wrong', 'priv-password': 'priv' };
    for (const [user, by] of [
      ['nobody', 'Report usmStatsUnknownUserNames'],
      ['sender', 'Report usmStatsWrongDigests'],
    ] as const) {
      const { outcome } = await asking({ send: 'inform', user, ...passwords }, server);
      expect(outcome).toMatchObject({ kind: 'turned-away', presented: 'credentials', by });
    }
  });
});

describeConformance(module, { name: 'snmp-trap', carrier: 'udp' });
describeConformance(module, {
  name: 'snmp-trap with a trap',
  carrier: 'udp',
  options: { send: 'trap', community: 'community' },
  secrets,
});
describeConformance(module, {
  name: 'snmp-trap with an inform',
  carrier: 'udp',
  options: { send: 'inform', community: 'community' },
  secrets,
  healthy: { kind: 'answered', depth: 'service' },
});
describeConformance(module, {
  name: 'snmp-trap with an inform of a user',
  carrier: 'udp',
  options: { send: 'inform', user: 'sender', 'auth-password': 'auth', 'priv-password': 'priv' },
  secrets,
  login: true,
  // The stand-in knows no user, and says so; before that it named its engine.
  healthy: { kind: 'turned-away' },
  answersEarly: true,
});
