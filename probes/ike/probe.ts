// The `ike` probe: the first message of IKEv2 (RFC 7296 §1.2) or of IKEv1 main or aggressive mode (RFC 2409 §5), and what a
// gateway says to it. It ends there: no second message, no identity of a user, no secret.
import { z } from 'zod';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Endpoint, Kit, Probe, Target } from '../../src/contract/probe.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import { printable } from '../../src/bytes/text.js';
import { addressText } from '../../src/bytes/ip.js';
import { groupName, hashV1, notifyName, proposalName, vendorName } from './names.js';
import {
  FLAG_RESPONSE,
  IKE_SA_INIT,
  INFORMATIONAL_V1,
  INFORMATIONAL_V2,
  INVALID_KE_PAYLOAD,
  NAT_DETECTION_DESTINATION_IP,
  NAT_DETECTION_SOURCE_IP,
  NAT_T_PORT,
  NON_ESP_MARKER,
  RANDOM_BYTES,
  SPI_BYTES,
  V1,
  V2,
  encodePhase1,
  encodeSaInit,
  marked,
  natDetection,
  parseIdentity,
  parseMessage,
  parseNotification,
  parseProposals,
  unmarked,
  type Asked,
  type Message,
} from './packet.js';

const options = z
  .strictObject({
    version: z.literal([1, 2]).default(2).describe('Version of IKE to ask in: 2 (RFC 7296) or 1 (RFC 2409).'),
    mode: z
      .enum(['main', 'aggressive'])
      .describe('Exchange of IKEv1; default: main. Only a gateway that knows the identity answers aggressive mode.')
      .optional(),
    identity: z
      .string()
      .regex(/^[\x21-\x7e]{1,64}$/)
      .describe('Identity that aggressive mode sends, a domain name or group name; default: linecheck.')
      .optional(),
    group: z
      .literal([2, 5, 14])
      .describe('Diffie-Hellman group of aggressive mode, which has one: 2, 5 or 14; default: 14.')
      .optional(),
    'nat-t': z
      .boolean()
      .describe('Frame messages for NAT-T, four zero bytes first (RFC 3948); default: yes on port 4500, no on others.')
      .optional(),
  })
  .refine(({ version, mode }) => version === 1 || mode === undefined, {
    error: 'only version 1 has a mode',
    path: ['mode'],
  })
  .refine(({ mode, identity }) => mode === 'aggressive' || identity === undefined, {
    error: 'only aggressive mode sends an identity',
    path: ['identity'],
  })
  .refine(({ mode, group }) => mode === 'aggressive' || group === undefined, {
    error: 'only aggressive mode is limited to one group',
    path: ['group'],
  });
type Options = z.output<typeof options>;

export { standIn } from './stand-in.js';

export const probe: Probe = {
  name: 'ike',
  summary:
    'IKE: a VPN gateway answers the first message of a key exchange, IKEv2 or IKEv1, on 500 or 4500 (RFC 7296, 2409).',
  carriers: ['udp'],
  defaultPort: 500,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    const blank = { initiatorSpi: new Uint8Array(SPI_BYTES), random: new Uint8Array(RANDOM_BYTES) };
    const nowhere = { address: '0.0.0.0', port: 0 };
    const bytes = questionOf(parsed, blank, nowhere, nowhere).length;
    const marker = parsed['nat-t'] === false ? 0 : NON_ESP_MARKER.length;
    return {
      traits: {
        // RFC 7296 §2.21 wants a notification even where policy refuses us, and §2.21.1 leaves it to the gateway whether it
        // answers errors before authentication at all: many ignore who is not in their configuration, and all do under
        // load (§2.6). RFC 2408 §5.4 makes the notification of IKEv1 optional. So a healthy gateway may be silent.
        silence: 'ambiguous',
        depths: ['protocol'],
        defaultDepth: 'protocol',
        sends: [
          {
            what: `${exchangeOf(parsed)}${marker === 0 ? '' : ', on port 4500 after the four bytes of the non-ESP marker'}`,
            packets: 1,
            bytes: bytes + marker,
          },
        ],
      },
      ask: (target, kit) => ask(parsed, target, kit),
    };
  },
};

const exchangeOf = ({ version, mode = 'main' }: Options): string =>
  version === 2 ? 'IKE_SA_INIT request' : `first message of IKEv1 ${mode} mode`;

function questionOf(parsed: Options, asked: Asked, local: Endpoint, remote: Endpoint): Uint8Array {
  if (parsed.version === 2) return encodeSaInit(asked, local, remote);
  if (parsed.mode !== 'aggressive') return encodePhase1(asked);
  return encodePhase1(asked, { group: parsed.group ?? 14, identity: parsed.identity ?? 'linecheck' });
}

async function ask(parsed: Options, target: Target, kit: Kit): Promise<Outcome> {
  const socket = await kit.udp();
  const ends = { local: socket.local, remote: { address: target.address, port: target.port } };
  // The nonce as initiator's SPI: RFC 7296 §2.6 has exactly its eight bytes for something unique to this asking.
  const random = { initiatorSpi: kit.nonce, random: kit.random(RANDOM_BYTES) };
  const question = questionOf(parsed, random, ends.local, ends.remote);
  const asked = parseMessage(question);
  const framed = parsed['nat-t'] ?? target.port === NAT_T_PORT;
  return socket.exchange<Outcome>(framed ? marked(question) : question, (datagram) => {
    const reply = framed ? unmarked(datagram) : datagram;
    if (reply === undefined) throw new ProtocolError('a datagram without the non-ESP marker of NAT-T');
    const message = parseMessage(reply);
    if (!answers(message, asked)) return undefined;
    return {
      kind: 'answered',
      depth: 'protocol',
      facts: { ...factsOf(message, ends), ...(framed ? { natT: true } : {}) },
    };
  });
}

/** An answer to this very question: anything else is old, a guess, or our own message come back. */
function answers(reply: Message, asked: Message): boolean {
  if (reply.initiatorSpi.some((byte, index) => byte !== asked.initiatorSpi[index])) return false;
  const has = (type: number): boolean => reply.payloads.some((payload) => payload.type === type);
  if (reply.major === 2) {
    // RFC 7296 §2.2: the answer bears the question's message id, 0. §1.5: what is no IKE_SA_INIT may come as INFORMATIONAL.
    const exchange = reply.exchangeType === IKE_SA_INIT || reply.exchangeType === INFORMATIONAL_V2;
    return (
      asked.major === 2 &&
      exchange &&
      (reply.flags & FLAG_RESPONSE) !== 0 &&
      reply.messageId === 0 &&
      (has(V2.sa) || has(V2.notify))
    );
  }
  // RFC 2408 §5.4, §5.7: an error comes in an informational exchange, and so does a gateway's answer that has no IKEv2.
  if (reply.exchangeType === INFORMATIONAL_V1) return has(V1.notify);
  return reply.exchangeType === asked.exchangeType && reply.responderSpi.some((byte) => byte !== 0) && has(V1.sa);
}

/** What an answer says. Payloads that cannot be read make it no answer: ProtocolError. */
function factsOf(message: Message, ends: { readonly local: Endpoint; readonly remote: Endpoint }): Facts {
  const { major, minor, payloads, responderSpi } = message;
  const types = major === 1 ? V1 : V2;
  const bodies = (type: number): readonly Uint8Array[] =>
    payloads.filter((payload) => payload.type === type).map(({ body }) => body);
  const [chosen] = bodies(types.sa).flatMap((body) => parseProposals(body, major));
  const notifications = bodies(types.notify).map((body) => parseNotification(body, major));
  const notify = notifications.map(({ type }) => notifyName(type, major));
  const vendorIds = bodies(types.vendorId).map(vendorName);
  // RFC 7296 §1.3: the data of INVALID_KE_PAYLOAD is the group that the gateway wants.
  const wanted = major === 2 ? notifications.find(({ type }) => type === INVALID_KE_PAYLOAD)?.body : undefined;
  const identity = major === 1 ? bodies(V1.identification).map(parseIdentity)[0] : undefined;

  const seen =
    major === 2
      ? {
          source: notifications.filter(({ type }) => type === NAT_DETECTION_SOURCE_IP).map(({ body }) => body),
          destination: notifications
            .filter(({ type }) => type === NAT_DETECTION_DESTINATION_IP)
            .map(({ body }) => body),
          hash: 'sha1' as const,
        }
      : {
          // RFC 3947 §3.2: the first is the destination as the sender sees it, the others are itself.
          destination: bodies(V1.natD).slice(0, 1),
          source: bodies(V1.natD).slice(1),
          hash: chosen === undefined ? undefined : hashV1(chosen),
        };
  const nat = natBetween(message, ends, seen);

  return {
    version: `${String(major)}.${String(minor)}`,
    responderSpi: responderSpi.some((byte) => byte !== 0),
    ...(chosen === undefined ? {} : { proposal: proposalName(chosen, major) }),
    ...(notify.length === 0 ? {} : { notify }),
    ...(wanted?.length === 2 ? { wantedGroup: groupName(((wanted[0] ?? 0) << 8) | (wanted[1] ?? 0)) } : {}),
    ...(identity === undefined ? {} : { identity: identityText(identity.type, identity.bytes) }),
    ...(vendorIds.length === 0 ? {} : { vendorIds: [...new Set(vendorIds)] }),
    ...(nat === undefined ? {} : { nat }),
  };
}

/** ID_IPV4_ADDR and ID_IPV6_ADDR (RFC 2407 §4.6.2.1), ID_DER_ASN1_DN; the others that occur are text. */
function identityText(type: number, bytes: Uint8Array): string {
  if ((type === 1 && bytes.length === 4) || (type === 5 && bytes.length === 16)) return addressText(bytes);
  return type === 9 ? 'a distinguished name' : printable(bytes, 60);
}

interface Seen {
  readonly source: readonly Uint8Array[];
  readonly destination: readonly Uint8Array[];
  readonly hash: 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | undefined;
}

/** Which end address translation changes (RFC 7296 §2.23); undefined where the answer does not tell. */
function natBetween(
  message: Message,
  { local, remote }: { readonly local: Endpoint; readonly remote: Endpoint },
  { source, destination, hash }: Seen,
): string | undefined {
  if (hash === undefined || source.length === 0 || destination.length === 0) return undefined;
  const among = (hashes: readonly Uint8Array[], end: Endpoint): boolean => {
    const own = natDetection(message, end, hash);
    return hashes.some((each) => Buffer.compare(each, own) === 0);
  };
  const here = !among(destination, local);
  const there = !among(source, remote);
  return here && there ? 'at both ends' : here ? 'at this end' : there ? 'at the far end' : 'none';
}
