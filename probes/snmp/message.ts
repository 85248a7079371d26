// SNMP messages as bytes: v1 and v2c (RFC 1157, RFC 1901, RFC 3416), v3 with the User-based Security Model's parameters
// (RFC 3412 §6, RFC 3414 §2.4). Traps of v1 have another form and are not read. No keys: usm.ts. Pure.
import { BerReader, TAG, element, elementSize, objectIdentifier, wholeNumber } from '../../src/bytes/ber.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import { lookOf } from '../../src/bytes/text.js';

/** RFC 3416 §3; 0xa4, the trap of v1, is left out. */
export const PDU = {
  get: 0xa0,
  getNext: 0xa1,
  response: 0xa2,
  set: 0xa3,
  getBulk: 0xa5,
  inform: 0xa6,
  trap: 0xa7,
  report: 0xa8,
} as const;

/** RFC 3416 §3 and RFC 2578 §7.1: what may stand in a variable binding besides TAG's. */
export const VALUE = {
  counter32: 0x41,
  timeTicks: 0x43,
  noSuchObject: 0x80,
  noSuchInstance: 0x81,
} as const;

/** RFC 3412 §6.4. */
export const FLAG = { authenticated: 0x01, encrypted: 0x02, reportable: 0x04 } as const;

/** RFC 3411 §5, SnmpSecurityModel. */
const USM = 3;
/** RFC 3412 §6.3: the largest message that we take; a UDP datagram holds no larger one. */
const MOST_MESSAGE_BYTES = 65_507;
/** RFC 3411 §5, SnmpEngineID: 5 to 32 bytes; empty where none is known yet. */
const MOST_ENGINE_BYTES = 32;
const WHAT = 'SNMP message';

export interface VarBind {
  readonly oid: string;
  readonly tag: number;
  readonly value: Uint8Array;
}

export interface Pdu {
  readonly type: number;
  readonly requestId: number;
  /** In a GetBulk: non-repeaters and max-repetitions. */
  readonly errorStatus: number;
  readonly errorIndex: number;
  readonly varBinds: readonly VarBind[];
}

export interface CommunityMessage {
  /** 0 is SNMPv1, 1 SNMPv2c. */
  readonly version: 0 | 1;
  readonly community: Uint8Array;
  readonly pdu: Pdu;
}

export interface ScopedPdu {
  readonly engineId: Uint8Array;
  readonly contextName: Uint8Array;
  readonly pdu: Pdu;
}

export interface SecuredMessage {
  readonly version: 3;
  readonly messageId: number;
  readonly flags: number;
  /** The authoritative engine's, as the message has it. */
  readonly engineId: Uint8Array;
  readonly boots: number;
  /** snmpEngineTime: seconds since the last boot. */
  readonly seconds: number;
  readonly user: Uint8Array;
  readonly digest: Uint8Array;
  /** Where in the message the digest stands. */
  readonly digestAt: number;
  readonly salt: Uint8Array;
  /** A scoped PDU; encrypted where the flags say so. */
  readonly scoped: Uint8Array;
}

export type SnmpMessage = CommunityMessage | SecuredMessage;

/** What follows the message's own length is not looked at: some devices pad. */
export function parseMessage(bytes: Uint8Array): SnmpMessage {
  if (bytes[0] !== TAG.sequence) throw new ProtocolError(`${lookOf(bytes)}, no ${WHAT}`);
  const message = new BerReader(bytes, WHAT).within(TAG.sequence);
  const version = message.number();
  if (version === 0 || version === 1) {
    return { version, community: message.take(TAG.octetString), pdu: pduIn(message) };
  }
  if (version !== 3) throw new ProtocolError(`an ${WHAT} of version ${String(version)}`);
  return secured(bytes, message);
}

/** The bytes of the message itself, without what a device may have padded it with. Only of one that was parsed. */
export function wholeOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, elementSize(bytes, WHAT));
}

function secured(bytes: Uint8Array, message: BerReader): SecuredMessage {
  const header = message.within(TAG.sequence);
  const messageId = atLeastZero(header, 'message id');
  header.number();
  const [flags, ...more] = header.take(TAG.octetString);
  const model = header.number();
  if (flags === undefined || more.length > 0) throw new ProtocolError(`an ${WHAT} whose flags are no byte`);
  if (model !== USM) throw new ProtocolError(`an ${WHAT} of security model ${String(model)}`);
  const security = new BerReader(message.take(TAG.octetString), WHAT).within(TAG.sequence);
  const engineId = security.take(TAG.octetString);
  if (engineId.length > MOST_ENGINE_BYTES) throw new ProtocolError(`an ${WHAT} whose engine id is too long`);
  const boots = atLeastZero(security, 'boots');
  const seconds = atLeastZero(security, 'engine time');
  const user = security.take(TAG.octetString);
  const digest = security.take(TAG.octetString);
  const salt = security.take(TAG.octetString);
  const encrypted = (flags & FLAG.encrypted) !== 0;
  return {
    version: 3,
    messageId,
    flags,
    engineId,
    boots,
    seconds,
    user,
    digest,
    digestAt: digest.byteOffset - bytes.byteOffset,
    salt,
    scoped: encrypted ? message.take(TAG.octetString) : element(TAG.sequence, message.take(TAG.sequence)),
  };
}

function atLeastZero(reader: BerReader, what: string): number {
  const value = reader.number();
  if (value < 0) throw new ProtocolError(`an ${WHAT} with ${what} ${String(value)}`);
  return value;
}

/** RFC 3412 §6.8; bytes after it are not looked at: block ciphers pad. */
export function parseScopedPdu(bytes: Uint8Array): ScopedPdu {
  const scoped = new BerReader(bytes, 'SNMP scoped PDU').within(TAG.sequence);
  const engineId = scoped.take(TAG.octetString);
  if (engineId.length > MOST_ENGINE_BYTES) throw new ProtocolError('an SNMP scoped PDU whose engine id is too long');
  return { engineId, contextName: scoped.take(TAG.octetString), pdu: pduIn(scoped) };
}

const PDU_TYPES: ReadonlySet<number> = new Set(Object.values(PDU));

function pduIn(reader: BerReader): Pdu {
  const type = reader.nextTag;
  if (type === undefined || !PDU_TYPES.has(type)) throw new ProtocolError(`an ${WHAT} without a PDU`);
  const pdu = reader.within(type);
  const [requestId, errorStatus, errorIndex] = [pdu.number(), pdu.number(), pdu.number()];
  const list = pdu.within(TAG.sequence);
  const varBinds: VarBind[] = [];
  while (list.nextTag !== undefined) {
    const each = list.within(TAG.sequence);
    const oid = each.objectIdentifier();
    const { tag, content } = each.next();
    varBinds.push({ oid, tag, value: content });
  }
  return { type, requestId, errorStatus, errorIndex, varBinds };
}

/** Of a Counter32, a Gauge32 or TimeTicks (RFC 2578 §7.1); undefined for what is no number of 32 bits without a sign. */
export function unsignedOf({ value }: VarBind): number | undefined {
  const [first] = value;
  if (first === undefined || first >= 0x80 || value.length > 5 || (value.length === 5 && first !== 0)) return undefined;
  return Buffer.from(value).readUIntBE(0, value.length);
}

export function encodePdu(pdu: Pdu): Uint8Array {
  return element(
    pdu.type,
    wholeNumber(pdu.requestId),
    wholeNumber(pdu.errorStatus),
    wholeNumber(pdu.errorIndex),
    element(
      TAG.sequence,
      ...pdu.varBinds.map(({ oid, tag, value }) => element(TAG.sequence, objectIdentifier(oid), element(tag, value))),
    ),
  );
}

export function encodeCommunityMessage({ version, community, pdu }: CommunityMessage): Uint8Array {
  return element(TAG.sequence, wholeNumber(version), element(TAG.octetString, community), encodePdu(pdu));
}

export function encodeScopedPdu({ engineId, contextName, pdu }: ScopedPdu): Uint8Array {
  return element(
    TAG.sequence,
    element(TAG.octetString, engineId),
    element(TAG.octetString, contextName),
    encodePdu(pdu),
  );
}

/** The digest goes in as it is: zeros, until usm.ts has made it of the whole. */
export function encodeSecuredMessage(message: Omit<SecuredMessage, 'version' | 'digestAt'>): Uint8Array {
  const header = element(
    TAG.sequence,
    wholeNumber(message.messageId),
    wholeNumber(MOST_MESSAGE_BYTES),
    element(TAG.octetString, Uint8Array.of(message.flags)),
    wholeNumber(USM),
  );
  const security = element(
    TAG.sequence,
    element(TAG.octetString, message.engineId),
    wholeNumber(message.boots),
    wholeNumber(message.seconds),
    element(TAG.octetString, message.user),
    element(TAG.octetString, message.digest),
    element(TAG.octetString, message.salt),
  );
  const encrypted = (message.flags & FLAG.encrypted) !== 0;
  return element(
    TAG.sequence,
    wholeNumber(3),
    header,
    element(TAG.octetString, security),
    encrypted ? element(TAG.octetString, message.scoped) : message.scoped,
  );
}
