// ISAKMP messages as bytes: IKEv2 (RFC 7296 §3) and IKEv1 (RFC 2408 §3, RFC 2409). First messages are written; answers to
// them are read as far as they come unencrypted. Names of the numbers stand in names.ts. Pure.
import { createHash } from 'node:crypto';
import { ProtocolError } from '../../src/bytes/errors.js';
import { addressBytes } from '../../src/bytes/ip.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';

export const SPI_BYTES = 8;
const HEADER_BYTES = 28;
/** RFC 3948 §2.2: what tells IKE from ESP on port 4500. */
export const NON_ESP_MARKER = new Uint8Array(4);
export const NAT_T_PORT = 4500;

/** Exchange types: RFC 2408 §3.1, RFC 7296 §3.1. */
export const MAIN_MODE = 2;
export const AGGRESSIVE_MODE = 4;
export const INFORMATIONAL_V1 = 5;
export const IKE_SA_INIT = 34;
export const INFORMATIONAL_V2 = 37;

/** Flags: RFC 7296 §3.1; of IKEv1, RFC 2408 §3.1. */
export const FLAG_INITIATOR = 0x08;
export const FLAG_RESPONSE = 0x20;
const FLAG_ENCRYPTED_V1 = 0x01;

/** Payload types: RFC 2408 §3.1, RFC 3947 §9. */
export const V1 = { sa: 1, keyExchange: 4, identification: 5, nonce: 10, notify: 11, vendorId: 13, natD: 20 } as const;
/** Payload types: RFC 7296 §3.2, RFC 7383 §2.5. */
export const V2 = {
  sa: 33,
  keyExchange: 34,
  nonce: 40,
  notify: 41,
  vendorId: 43,
  encrypted: 46,
  fragment: 53,
} as const;

/** Notify message types that are more than a name to us: RFC 7296 §3.10.1; RFC 2408 §3.14.1. */
export const NO_PROPOSAL_CHOSEN = 14;
export const INVALID_KE_PAYLOAD = 17;
export const NAT_DETECTION_SOURCE_IP = 16_388;
export const NAT_DETECTION_DESTINATION_IP = 16_389;

export interface Payload {
  readonly type: number;
  readonly body: Uint8Array;
}

export interface Message {
  readonly initiatorSpi: Uint8Array;
  readonly responderSpi: Uint8Array;
  readonly major: number;
  readonly minor: number;
  readonly exchangeType: number;
  readonly flags: number;
  readonly messageId: number;
  /** Those before an encrypted one; none where IKEv1 encrypts all of them. */
  readonly payloads: readonly Payload[];
}

/**
 * A whole message, without the non-ESP marker. Throws ProtocolError where the header's length is not that of the
 * datagram, the version is neither 1 nor 2, or the chain of payloads does not end with the message.
 */
export function parseMessage(bytes: Uint8Array): Message {
  if (bytes.length < HEADER_BYTES) throw new ProtocolError(`${lookOf(bytes)}, too short for IKE`);
  const reader = new Reader(bytes, 'IKE message');
  const initiatorSpi = reader.bytes(SPI_BYTES).slice();
  const responderSpi = reader.bytes(SPI_BYTES).slice();
  let next = reader.u8();
  const version = reader.u8();
  const exchangeType = reader.u8();
  const flags = reader.u8();
  const messageId = reader.u32();
  const length = reader.u32();
  const major = version >> 4;
  if (major !== 1 && major !== 2) throw new ProtocolError(`${lookOf(bytes)}, not an IKE version`);
  if (length !== bytes.length) {
    throw new ProtocolError(`an IKE header for ${String(length)} bytes on a datagram of ${String(bytes.length)}`);
  }
  const payloads: Payload[] = [];
  const hidden = major === 1 && (flags & FLAG_ENCRYPTED_V1) !== 0;
  while (next !== 0 && !hidden) {
    // RFC 7296 §3.14: the encrypted payload is the last, and its next-payload field speaks of what is inside.
    if (major === 2 && (next === V2.encrypted || next === V2.fragment)) {
      reader.rest();
      break;
    }
    const type = next;
    next = reader.u8();
    reader.skip(1);
    const size = reader.u16();
    if (size < 4) throw new ProtocolError(`an IKE payload of ${String(size)} bytes, its header included`);
    payloads.push({ type, body: reader.bytes(size - 4).slice() });
  }
  if (!hidden && reader.remaining > 0) {
    throw new ProtocolError(`${String(reader.remaining)} bytes after the last payload of an IKE message`);
  }
  const minor = version & 15;
  return { initiatorSpi, responderSpi, major, minor, exchangeType, flags, messageId, payloads };
}

export function encodeMessage(message: Message): Uint8Array {
  const { payloads } = message;
  const length = payloads.reduce((sum, { body }) => sum + 4 + body.length, HEADER_BYTES);
  const writer = new Writer(length)
    .bytes(message.initiatorSpi)
    .bytes(message.responderSpi)
    .u8(payloads[0]?.type ?? 0)
    .u8((message.major << 4) | message.minor)
    .u8(message.exchangeType)
    .u8(message.flags)
    .u32(message.messageId)
    .u32(length);
  for (const [index, { body }] of payloads.entries()) {
    writer
      .u8(payloads[index + 1]?.type ?? 0)
      .u8(0)
      .u16(4 + body.length)
      .bytes(body);
  }
  return writer.done();
}

/** `message` behind the marker that port 4500 wants (RFC 3948 §2.2). */
export function marked(message: Uint8Array): Uint8Array {
  return Uint8Array.from([...NON_ESP_MARKER, ...message]);
}

/** What stands behind the marker; undefined where there is none. */
export function unmarked(datagram: Uint8Array): Uint8Array | undefined {
  const size = NON_ESP_MARKER.length;
  if (datagram.length < size || datagram.subarray(0, size).some((byte) => byte !== 0)) return undefined;
  return datagram.subarray(size);
}

export interface Attribute {
  readonly type: number;
  readonly value: number;
}

/** A transform of IKEv2 has a type (1 encryption, 2 PRF, 3 integrity, 4 group) and an id; one of IKEv1 all in attributes. */
export interface Transform {
  readonly type: number;
  readonly id: number;
  readonly attributes: readonly Attribute[];
}

export interface Proposal {
  readonly number: number;
  readonly protocol: number;
  readonly transforms: readonly Transform[];
}

/** A security association payload's body (RFC 7296 §3.3; RFC 2408 §3.4 to 3.6). Throws ProtocolError. */
export function parseProposals(body: Uint8Array, major: number): readonly Proposal[] {
  const reader = new Reader(body, 'SA payload');
  // RFC 2407 §4.2: DOI 1 is IPsec; situation.
  if (major === 1) reader.skip(8);
  const proposals: Proposal[] = [];
  while (reader.remaining > 0) {
    const inner = new Reader(substructure(reader, 'proposal'), 'proposal');
    const number = inner.u8();
    const protocol = inner.u8();
    const spiSize = inner.u8();
    const count = inner.u8();
    inner.skip(spiSize);
    const transforms: Transform[] = [];
    while (inner.remaining > 0) transforms.push(transformOf(substructure(inner, 'transform')));
    if (transforms.length !== count) {
      throw new ProtocolError(`a proposal of ${String(transforms.length)} transforms that says ${String(count)}`);
    }
    proposals.push({ number, protocol, transforms });
  }
  return proposals;
}

/** The rest of a substructure after last-or-more, reserved and length, which are the same in both versions. */
function substructure(reader: Reader, what: string): Uint8Array {
  reader.skip(2);
  const size = reader.u16();
  if (size < 8) throw new ProtocolError(`a ${what} of ${String(size)} bytes`);
  return reader.bytes(size - 4);
}

function transformOf(bytes: Uint8Array): Transform {
  const reader = new Reader(bytes, 'transform');
  const type = reader.u8();
  const second = reader.u8();
  const third = reader.u16();
  const attributes: Attribute[] = [];
  while (reader.remaining > 0) {
    const head = reader.u16();
    const tail = reader.u16();
    // RFC 2408 §3.3: with the first bit the value itself, else its length.
    if ((head & 0x8000) !== 0) attributes.push({ type: head & 0x7fff, value: tail });
    else attributes.push({ type: head, value: unsigned(reader.bytes(tail)) });
  }
  // IKEv2: type, reserved, id. IKEv1: number, id, reserved.
  return { type, id: second === 0 ? third : second, attributes };
}

/** Lifetimes are longer than a TV attribute; what is longer than a number's 6 bytes means nothing to us. */
function unsigned(bytes: Uint8Array): number {
  return bytes.length > 6 ? 0 : bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function encodeProposals(proposals: readonly Proposal[], major: number): Uint8Array {
  const writer = new Writer(256);
  if (major === 1) writer.u32(1).u32(1);
  for (const [index, { number, protocol, transforms }] of proposals.entries()) {
    const more = index < proposals.length - 1;
    const size = transforms.reduce((sum, { attributes }) => sum + 8 + 4 * attributes.length, 8);
    writer
      .u8(more ? 2 : 0)
      .u8(0)
      .u16(size)
      .u8(number)
      .u8(protocol)
      .u8(0)
      .u8(transforms.length);
    for (const [at, { type, id, attributes }] of transforms.entries()) {
      writer
        .u8(at < transforms.length - 1 ? 3 : 0)
        .u8(0)
        .u16(8 + 4 * attributes.length)
        .u8(type);
      if (major === 1) writer.u8(id).u16(0);
      else writer.u8(0).u16(id);
      for (const attribute of attributes) writer.u16(0x8000 | attribute.type).u16(attribute.value);
    }
  }
  return writer.done();
}

export interface Notification {
  readonly type: number;
  readonly body: Uint8Array;
}

/** A notify payload's body (RFC 7296 §3.10; RFC 2408 §3.14, which begins with a DOI). Throws ProtocolError. */
export function parseNotification(body: Uint8Array, major: number): Notification {
  const reader = new Reader(body, 'notify payload');
  if (major === 1) reader.skip(4);
  reader.skip(1);
  const spiSize = reader.u8();
  const type = reader.u16();
  reader.skip(spiSize);
  return { type, body: reader.rest().slice() };
}

export function encodeNotification(type: number, body: Uint8Array, major: number): Uint8Array {
  const writer = new Writer(16 + body.length);
  // RFC 2407 §4.6.3: an IKEv1 notification names its protocol, 1 for ISAKMP. IKEv2: 0 where there is no SPI.
  if (major === 1) writer.u32(1).u8(1);
  else writer.u8(0);
  return writer.u8(0).u16(type).bytes(body).done();
}

/** RFC 2407 §4.6.2: an identity as IKEv1 sends it: type, protocol and port, text or address. */
export interface Identity {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Throws ProtocolError. */
export function parseIdentity(body: Uint8Array): Identity {
  const reader = new Reader(body, 'identification payload');
  const type = reader.u8();
  reader.skip(3);
  return { type, bytes: reader.rest().slice() };
}

/** ID_FQDN (RFC 2407 §4.6.2.3): a name that nobody looks up. */
export const ID_FQDN = 2;

export function encodeIdentity({ type, bytes }: Identity): Uint8Array {
  return new Writer(4 + bytes.length).u8(type).zeros(3).bytes(bytes).done();
}

/** NAT detection: the hash of both SPIs, address and port (RFC 7296 §2.23 with sha1; RFC 3947 §3.2 with the agreed hash). */
export function natDetection(
  message: Pick<Message, 'initiatorSpi' | 'responderSpi'>,
  { address, port }: { readonly address: string; readonly port: number },
  hash: 'sha1' | 'md5' | 'sha256' | 'sha384' | 'sha512' = 'sha1',
): Uint8Array {
  const ours = new Writer(4).u16(port).done();
  const digest = createHash(hash).update(message.initiatorSpi).update(message.responderSpi);
  return new Uint8Array(digest.update(addressBytes(address)).update(ours).digest());
}

/** Octets of a public value in the MODP groups 2, 5 (RFC 3526 §2) and 14 (§3). */
const MODP_BYTES: Readonly<Record<number, number>> = { 2: 128, 5: 192, 14: 256 };

export function publicValueBytes(group: number): number {
  return MODP_BYTES[group] ?? 256;
}

/**
 * A public value of a MODP group. The exchange ends before a secret is computed, so nobody needs its exponent: any number
 * below the prime does, and the primes of all these groups begin with 64 ones (RFC 3526). `random` has the group's length.
 */
export function publicValue(random: Uint8Array): Uint8Array {
  return Uint8Array.from(random, (byte, index) => (index === 0 ? (byte & 0x7f) | 0x40 : byte));
}

/** So that whoever reads the gateway's log knows who asks. */
const OUR_VENDOR_ID = Uint8Array.from(Buffer.from('linecheck', 'latin1'));
/** What an initiator of IKEv1 announces so that answers tell of it: NAT-T (RFC 3947 §3.1), XAUTH, DPD (RFC 3706 §5.1). */
const ANNOUNCED = ['4a131c81070358455c5728f20e95452f', '09002689dfd6b712', 'afcad71368a1f1c96b8696fc77570100'].map(
  (hex) => Uint8Array.from(Buffer.from(hex, 'hex')),
);

const NONCE_BYTES = 32;
/** The group whose public value an IKEv2 question carries; others are offered. */
const GROUP_V2 = 14;
const KEY_LENGTH_V2 = 14;

const encryption = (id: number, bits: number): Transform => ({
  type: 1,
  id,
  attributes: [{ type: KEY_LENGTH_V2, value: bits }],
});
const plain =
  (type: number) =>
  (id: number): Transform => ({ type, id, attributes: [] });

/**
 * What most gateways accept one of, numbers of IANA's registry "IKEv2 Parameters": AES-GCM and AES-CBC, SHA-2 and SHA-1,
 * MODP and elliptic-curve groups. One that wants another group asks for it, which is an answer.
 */
function proposalsV2(): readonly Proposal[] {
  const groups = [GROUP_V2, 31, 19, 20, 21, 15, 16, 5, 2].map(plain(4));
  const prfs = [5, 6, 7, 2].map(plain(2));
  const [gcm, cbc] = [20, 12];
  return [
    { number: 1, protocol: 1, transforms: [encryption(gcm, 256), encryption(gcm, 128), ...prfs, ...groups] },
    {
      number: 2,
      protocol: 1,
      transforms: [encryption(cbc, 256), encryption(cbc, 128), ...prfs, ...[12, 13, 14, 2].map(plain(3)), ...groups],
    },
  ];
}

/** Randomness for a question, of `randomBytesFor`. */
export interface Asked {
  /** The attempt's nonce: nobody off the path can answer without it. */
  readonly initiatorSpi: Uint8Array;
  readonly random: Uint8Array;
}

/** IKE_SA_INIT (RFC 7296 §1.2). `local` and `remote`: both ends as we see them, for NAT detection. */
export function encodeSaInit(
  { initiatorSpi, random }: Asked,
  local: { readonly address: string; readonly port: number },
  remote: { readonly address: string; readonly port: number },
): Uint8Array {
  const responderSpi = new Uint8Array(SPI_BYTES);
  const value = publicValueBytes(GROUP_V2);
  const detect = (type: number, end: typeof local): Payload => ({
    type: V2.notify,
    body: encodeNotification(type, natDetection({ initiatorSpi, responderSpi }, end), 2),
  });
  return encodeMessage({
    initiatorSpi,
    responderSpi,
    major: 2,
    minor: 0,
    exchangeType: IKE_SA_INIT,
    flags: FLAG_INITIATOR,
    messageId: 0,
    payloads: [
      { type: V2.sa, body: encodeProposals(proposalsV2(), 2) },
      {
        type: V2.keyExchange,
        body: new Writer(260)
          .u16(GROUP_V2)
          .u16(0)
          .bytes(publicValue(random.subarray(0, value)))
          .done(),
      },
      { type: V2.nonce, body: random.slice(value, value + NONCE_BYTES) },
      detect(NAT_DETECTION_SOURCE_IP, local),
      detect(NAT_DETECTION_DESTINATION_IP, remote),
      { type: V2.vendorId, body: OUR_VENDOR_ID },
    ],
  });
}

/** Attribute types of an IKEv1 transform: RFC 2409 appendix A. */
export const ATTRIBUTE_V1 = {
  encryption: 1,
  hash: 2,
  authentication: 3,
  group: 4,
  lifeType: 11,
  life: 12,
  keyBits: 14,
} as const;

/** Numbers of RFC 2409 appendix A and RFC 4868 §4: AES-CBC 7, 3DES 5; SHA1 2, SHA2-256 4; and the group. */
const SUITES_V1: readonly {
  readonly cipher: number;
  readonly bits?: number;
  readonly hash: number;
  readonly group: number;
}[] = [
  { cipher: 7, bits: 256, hash: 4, group: 14 },
  { cipher: 7, bits: 256, hash: 2, group: 14 },
  { cipher: 7, bits: 128, hash: 2, group: 5 },
  { cipher: 7, bits: 256, hash: 2, group: 2 },
  { cipher: 7, bits: 128, hash: 2, group: 2 },
  { cipher: 5, hash: 2, group: 2 },
];
/** Pre-shared key, RSA signatures, and a pre-shared key with XAUTH, as remote access has it. */
const AUTHENTICATIONS_V1 = [1, 3, 65_001] as const;

/** `group`: the one group of all of them, as aggressive mode wants it (RFC 2409 §5). */
function proposalsV1(group?: number): readonly Proposal[] {
  const offered = SUITES_V1.flatMap((suite) =>
    AUTHENTICATIONS_V1.map((authentication): readonly Attribute[] => [
      { type: ATTRIBUTE_V1.encryption, value: suite.cipher },
      ...(suite.bits === undefined ? [] : [{ type: ATTRIBUTE_V1.keyBits, value: suite.bits }]),
      { type: ATTRIBUTE_V1.hash, value: suite.hash },
      { type: ATTRIBUTE_V1.group, value: group ?? suite.group },
      { type: ATTRIBUTE_V1.authentication, value: authentication },
      { type: ATTRIBUTE_V1.lifeType, value: 1 },
      { type: ATTRIBUTE_V1.life, value: 28_800 },
    ]),
  );
  const distinct = [...new Map(offered.map((each) => [JSON.stringify(each), each])).values()];
  // KEY_IKE is the one transform id of phase 1 (RFC 2407 §4.4.2).
  const transforms = distinct.map((attributes, index): Transform => ({ type: index + 1, id: 1, attributes }));
  return [{ number: 1, protocol: 1, transforms }];
}

/** The first message of main mode, or of aggressive mode with its group and the identity that asks (RFC 2409 §5). */
export function encodePhase1(
  { initiatorSpi, random }: Asked,
  aggressive?: { readonly group: number; readonly identity: string },
): Uint8Array {
  const value = publicValueBytes(aggressive?.group ?? GROUP_V2);
  const keys: readonly Payload[] =
    aggressive === undefined
      ? []
      : [
          { type: V1.keyExchange, body: publicValue(random.subarray(0, value)) },
          { type: V1.nonce, body: random.slice(value, value + NONCE_BYTES) },
          {
            type: V1.identification,
            body: encodeIdentity({ type: ID_FQDN, bytes: Buffer.from(aggressive.identity, 'latin1') }),
          },
        ];
  return encodeMessage({
    initiatorSpi,
    responderSpi: new Uint8Array(SPI_BYTES),
    major: 1,
    minor: 0,
    exchangeType: aggressive === undefined ? MAIN_MODE : AGGRESSIVE_MODE,
    flags: 0,
    messageId: 0,
    payloads: [
      { type: V1.sa, body: encodeProposals(proposalsV1(aggressive?.group), 1) },
      ...keys,
      ...[...ANNOUNCED, OUR_VENDOR_ID].map((body): Payload => ({ type: V1.vendorId, body })),
    ],
  });
}

/** How much randomness a question takes beside its SPI, bytes. */
export const RANDOM_BYTES = 256 + NONCE_BYTES;
