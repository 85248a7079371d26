// The `snmp-trap` probe: a receiver of notifications names its SNMPv3 engine, and no notification is sent (RFC 3414 §4).
// Only where the flow asks for it, one that says it is a test: a trap, which nobody answers, or an inform, which is.
import { z } from 'zod';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Datagrams, Kit, Probe, Traits } from '../../src/contract/probe.js';
import {
  DISCOVERY_SENDS,
  PDU,
  askAsUser,
  communityOption,
  discover,
  encodeCommunityMessage,
  errorName,
  idsOf,
  notOurs,
  parseMessage,
  userOf,
  userOptions,
  userRules,
  userSends,
  type Pdu,
} from '../snmp/packet.js';
import { testVariables } from './packet.js';

export { standIn } from './stand-in.js';

const fields = z.strictObject({
  send: z
    .enum(['trap', 'inform'])
    .describe(
      'Also send a notification marked as a test: trap (SNMPv2c, never answered) or inform (SNMPv2c or v3, acknowledged). ' +
        'Default: none; the receiver is only asked for its engine.',
    )
    .optional(),
  community: communityOption,
  ...userOptions,
});

const options = userRules
  .reduce((object, { check, problem }) => object.refine(check, problem), fields)
  .refine((given) => given.community === undefined || given.user === undefined, {
    error: 'community and user exclude each other',
    path: ['community'],
  })
  .refine((given) => given.send !== undefined || (given.community === undefined && given.user === undefined), {
    error: 'without send nothing is sent that a community or a user could be used for',
    path: ['send'],
  })
  .refine((given) => given.send === undefined || given.community !== undefined || given.user !== undefined, {
    error: 'send needs community, or for an inform user',
    path: ['send'],
  })
  // The sender of an SNMPv3 trap is its authoritative engine (RFC 3412 §2): a receiver would have to know ours.
  .refine((given) => given.send !== 'trap' || given.user === undefined, {
    error: 'a trap is sent with a community; an inform may be sent as a user',
    path: ['user'],
  });

/** An ICMP error takes one round trip; who has not refused in a second will not. */
const REFUSAL_MS = 1000;
const MOST_COMMUNITY_BYTES = 64;

function traitsOf(silence: Traits['silence'], depths: Traits['depths'], sends: Traits['sends']): Traits {
  return { silence, depths, defaultDepth: depths[0] ?? 'protocol', sends };
}

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const { community, send } = parsed;
  if (community !== undefined && send !== undefined) {
    const type = send === 'trap' ? PDU.trap : PDU.inform;
    const bytes = encodeTest(type, new Uint8Array(MOST_COMMUNITY_BYTES), new Uint8Array(8).fill(0x7f)).length;
    const what = `SNMPv2c ${send} marked as a test${send === 'trap' ? '' : ', again each second until acknowledged'}`;
    const sends = [{ what, packets: 1, bytes }];
    return send === 'trap'
      ? { traits: traitsOf('by-design', ['port'], sends), ask: (_target, kit) => trap(kit, kit.secret(community)) }
      : {
          traits: traitsOf('ambiguous', ['protocol', 'service'], sends),
          ask: (_target, kit) => inform(kit, kit.secret(community)),
        };
  }
  const user = userOf(parsed);
  if (user === undefined) {
    return {
      // A receiver of SNMPv2c traps alone ignores SNMPv3.
      traits: traitsOf('ambiguous', ['protocol'], [DISCOVERY_SENDS]),
      ask: async (_target, kit) => {
        const { facts } = await discover(kit, await open(kit));
        return { kind: 'answered', depth: 'protocol', facts };
      },
    };
  }
  const sends = userSends(
    'SNMPv3 inform marked as a test, with --login, at most',
    user,
    testVariables(new Uint8Array(8)),
  );
  return {
    traits: traitsOf('ambiguous', ['protocol', 'service'], [DISCOVERY_SENDS, sends]),
    ask: async (_target, kit) => {
      const socket = await open(kit);
      const question = { type: PDU.inform, varBinds: testVariables(kit.nonce) };
      return askAsUser(kit, socket, await discover(kit, socket), user, question, (pdu, facts) =>
        acknowledged(pdu, { ...facts, ...nonceFact(kit) }, 'credentials'),
      );
    },
  };
}

/** Never to a broadcast address: every receiver of a network would log it. */
function open(kit: Kit): Promise<Datagrams> {
  return kit.udp({ broadcast: false });
}

function encodeTest(type: number, community: Uint8Array, nonce: Uint8Array): Uint8Array {
  const { requestId } = idsOf(nonce);
  const pdu = { type, requestId, errorStatus: 0, errorIndex: 0, varBinds: testVariables(nonce) };
  return encodeCommunityMessage({ version: 1, community, pdu });
}

/** By which the receiver's log is searched. */
function nonceFact(kit: Kit): Facts {
  return { nonce: Buffer.from(kit.nonce).toString('hex') };
}

async function trap(kit: Kit, community: Uint8Array): Promise<Outcome> {
  const socket = await open(kit);
  await socket.send(encodeTest(PDU.trap, community, kit.nonce), REFUSAL_MS, { secret: true });
  return { kind: 'sent', sent: 1, waitedMs: REFUSAL_MS, facts: { version: 'v2c', ...nonceFact(kit) } };
}

async function inform(kit: Kit, community: Uint8Array): Promise<Outcome> {
  const socket = await open(kit);
  const { requestId } = idsOf(kit.nonce);
  const pdu = await socket.exchange(
    encodeTest(PDU.inform, community, kit.nonce),
    (reply) => {
      const message = parseMessage(reply);
      if (message.version !== 1 || !Buffer.from(community).equals(message.community)) throw notOurs();
      if (message.pdu.type !== PDU.response || message.pdu.requestId !== requestId) throw notOurs();
      return message.pdu;
    },
    { secret: true },
  );
  return acknowledged(pdu, { version: 'v2c', ...nonceFact(kit) }, 'secret');
}

/** RFC 3416 §4.2.7: an inform is acknowledged by a response without an error. */
function acknowledged(pdu: Pdu, facts: Facts, presented: 'secret' | 'credentials'): Outcome {
  const error = errorName(pdu.errorStatus);
  if (error === 'authorizationError') return { kind: 'turned-away', presented, by: error, facts };
  if (pdu.errorStatus !== 0) return { kind: 'answered', depth: 'protocol', facts: { ...facts, error } };
  return { kind: 'answered', depth: 'service', facts: { ...facts, acknowledged: true } };
}

export const probe: Probe = {
  name: 'snmp-trap',
  summary:
    'SNMP notifications: the receiver names its engine (SNMPv3) and is sent none; one marked as a test on request',
  carriers: ['udp'],
  defaultPort: 162,
  options,
  bind,
};
