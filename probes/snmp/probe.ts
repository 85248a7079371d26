// The `snmp` probe: SNMPv3 engine discovery, which needs no user (RFC 3414 §4); with a community a Get of sysUpTime in
// SNMPv2c or v1 (RFC 3416), with a user one in SNMPv3. It sets nothing.
import { z } from 'zod';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Datagrams, Kit, Probe, Traits } from '../../src/contract/probe.js';
import {
  DISCOVERY_SENDS,
  PDU,
  VALUE,
  askAsUser,
  communityOption,
  discover,
  encodeCommunityMessage,
  errorName,
  idsOf,
  notOurs,
  parseMessage,
  unsignedOf,
  unspecified,
  userOf,
  userOptions,
  userRules,
  userSends,
  type Pdu,
} from './packet.js';

export { standIn } from './stand-in.js';

/** RFC 3418, sysUpTime: every agent has it, and it gives nothing away. */
export const SYS_UP_TIME = '1.3.6.1.2.1.1.3.0';
const VERSION_NUMBERS = { v1: 0, v2c: 1 } as const;

const fields = z.strictObject({
  community: communityOption,
  version: z.enum(['v1', 'v2c']).describe('Of the question with a community; default: v2c.').optional(),
  ...userOptions,
});

const options = userRules
  .reduce((object, { check, problem }) => object.refine(check, problem), fields)
  .refine((given) => given.community === undefined || given.user === undefined, {
    error: 'community and user exclude each other',
    path: ['community'],
  })
  .refine((given) => given.version === undefined || given.community !== undefined, {
    error: 'version needs community',
    path: ['version'],
  });

function traitsOf(depths: Traits['depths'], sends: Traits['sends']): Traits {
  // A v2c agent ignores SNMPv3, any agent a wrong community, and who is on no list of clients hears nothing at all.
  return { silence: 'ambiguous', depths, defaultDepth: 'protocol', sends };
}

/** A secret may be any length; what is longer than this is no community. */
const MOST_COMMUNITY_BYTES = 64;

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const { community, version = 'v2c' } = parsed;
  if (community !== undefined) {
    const bytes = encodeGet(version, new Uint8Array(MOST_COMMUNITY_BYTES), 0x7fff_ffff).length;
    return {
      traits: traitsOf(['protocol', 'service'], [{ what: `SNMP${version} Get of sysUpTime`, packets: 1, bytes }]),
      ask: async (_target, kit) => askWithCommunity(kit, await open(kit), version, kit.secret(community)),
    };
  }
  const user = userOf(parsed);
  if (user === undefined) {
    return {
      traits: traitsOf(['protocol'], [DISCOVERY_SENDS]),
      ask: async (_target, kit) => {
        const { facts } = await discover(kit, await open(kit));
        return { kind: 'answered', depth: 'protocol', facts };
      },
    };
  }
  const varBinds = [unspecified(SYS_UP_TIME)];
  return {
    traits: traitsOf(
      ['protocol', 'service'],
      [DISCOVERY_SENDS, userSends('SNMPv3 Get of sysUpTime, with --login, at most', user, varBinds)],
    ),
    ask: async (_target, kit) => {
      const socket = await open(kit);
      return askAsUser(kit, socket, await discover(kit, socket), user, { type: PDU.get, varBinds }, (pdu, facts) =>
        told(pdu, facts, 'credentials'),
      );
    },
  };
}

/** Never to a broadcast address: that would ask every agent of a network. */
function open(kit: Kit): Promise<Datagrams> {
  return kit.udp({ broadcast: false });
}

function encodeGet(version: 'v1' | 'v2c', community: Uint8Array, requestId: number): Uint8Array {
  return encodeCommunityMessage({
    version: VERSION_NUMBERS[version],
    community,
    pdu: { type: PDU.get, requestId, errorStatus: 0, errorIndex: 0, varBinds: [unspecified(SYS_UP_TIME)] },
  });
}

async function askWithCommunity(
  kit: Kit,
  socket: Datagrams,
  version: 'v1' | 'v2c',
  community: Uint8Array,
): Promise<Outcome> {
  const { requestId } = idsOf(kit.nonce);
  const pdu = await socket.exchange(
    encodeGet(version, community, requestId),
    (reply) => {
      const message = parseMessage(reply);
      if (message.version === 3) throw notOurs();
      const same = message.version === VERSION_NUMBERS[version] && Buffer.from(community).equals(message.community);
      if (!same || message.pdu.type !== PDU.response || message.pdu.requestId !== requestId) throw notOurs();
      return message.pdu;
    },
    { secret: true },
  );
  return told(pdu, { version }, 'secret');
}

/** RFC 3416 §4.2.1, and of v1 RFC 1157 §4.1.2. */
function told(pdu: Pdu, facts: Facts, presented: 'secret' | 'credentials'): Outcome {
  const error = errorName(pdu.errorStatus);
  if (error === 'authorizationError') return { kind: 'turned-away', presented, by: error, facts };
  if (pdu.errorStatus !== 0) return { kind: 'answered', depth: 'protocol', facts: { ...facts, error } };
  const [first] = pdu.varBinds;
  const ticks = first?.oid === SYS_UP_TIME && first.tag === VALUE.timeTicks ? unsignedOf(first) : undefined;
  // An agent may take who asks for somebody, and show him nothing (RFC 3415).
  if (ticks === undefined) return { kind: 'answered', depth: 'protocol', facts: { ...facts, sysUpTime: 'not shown' } };
  return { kind: 'answered', depth: 'service', facts: { ...facts, upSeconds: Math.floor(ticks / 100) } };
}

export const probe: Probe = {
  name: 'snmp',
  summary:
    'SNMP: an agent names its engine, without a user (SNMPv3, RFC 3414); with a community or a user it tells sysUpTime',
  carriers: ['udp'],
  defaultPort: 161,
  options,
  bind,
};
