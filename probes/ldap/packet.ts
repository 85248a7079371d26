// LDAP messages (RFC 4511) as far as a look at a server needs them: StartTLS, simple bind, a search of one entry, unbind,
// and what answers them. Written in the shortest BER, read in any.
import { BerReader, TAG, element, elementSize, wholeNumber } from '../../src/bytes/ber.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import type { Stream } from '../../src/contract/probe.js';

/** A root DSE is 2 to 8 KiB long where everything is asked for. */
const MAX_MESSAGE = 32 * 1024;
/** What a fact may carry of a stranger's text, characters. */
const MAX_TEXT = 200;

// RFC 4511 §4.2 to §4.12: [APPLICATION n], primitive or constructed.
export const OPERATION = {
  unbindRequest: 0x42,
  bindRequest: 0x60,
  bindResponse: 0x61,
  searchRequest: 0x63,
  searchResultEntry: 0x64,
  searchResultDone: 0x65,
  searchResultReference: 0x73,
  extendedRequest: 0x77,
  extendedResponse: 0x78,
  intermediateResponse: 0x79,
} as const;

/** RFC 4511 §4.14.1 and §4.4.1. */
export const START_TLS = '1.3.6.1.4.1.1466.20037';
export const NOTICE_OF_DISCONNECTION = '1.3.6.1.4.1.1466.20036';

/** [0] in a bind request: simple (RFC 4511 §4.2); in an extended request: its name (§4.12). */
const SIMPLE = 0x80;
const REQUEST_NAME = 0x80;
/** [10] in an extended response. */
const RESPONSE_NAME = 0x8a;
/** [7] in a filter: present (§4.5.1.7). */
const PRESENT = 0x87;

export const RESULT = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  noSuchObject: 32,
  invalidCredentials: 49,
} as const;

// RFC 4511 appendix A.
const RESULT_NAMES: Readonly<Record<number, string>> = {
  0: 'success',
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  12: 'unavailableCriticalExtension',
  13: 'confidentialityRequired',
  14: 'saslBindInProgress',
  16: 'noSuchAttribute',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  54: 'loopDetect',
  80: 'other',
};

export interface LdapResult {
  readonly code: number;
  /** For a person; printable. */
  readonly diagnostic: string;
}

export type LdapAnswer =
  | { readonly id: number; readonly kind: 'bind'; readonly result: LdapResult }
  | { readonly id: number; readonly kind: 'search-done'; readonly result: LdapResult }
  /** `name`: an object identifier, where the server gives one. */
  | { readonly id: number; readonly kind: 'extended'; readonly result: LdapResult; readonly name?: string }
  | { readonly id: number; readonly kind: 'entry'; readonly attributes: readonly LdapAttribute[] }
  | { readonly id: number; readonly kind: 'reference' | 'intermediate' };

export interface LdapAttribute {
  /** As the server wrote it; types are compared without regard to case. */
  readonly type: string;
  /** Printable. */
  readonly values: readonly string[];
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const octets = (text: string): Uint8Array => element(TAG.octetString, utf8(text));
const message = (id: number, operation: Uint8Array): Uint8Array => element(TAG.sequence, wholeNumber(id), operation);

export function encodeStartTls(id: number): Uint8Array {
  return message(id, element(OPERATION.extendedRequest, element(REQUEST_NAME, utf8(START_TLS))));
}

/** Version 3, as every server of today speaks it. An empty password would make an anonymous bind of it (RFC 4513 §5.1.2). */
export function encodeSimpleBind(id: number, dn: string, password: Uint8Array): Uint8Array {
  return message(id, element(OPERATION.bindRequest, wholeNumber(3), octets(dn), element(SIMPLE, password)));
}

/** The entry `base` alone, these of its attributes, its aliases not followed. */
export function encodeSearch(id: number, base: string, attributes: readonly string[]): Uint8Array {
  const [baseObject, neverDerefAliases] = [wholeNumber(0, TAG.enumerated), wholeNumber(0, TAG.enumerated)];
  const [sizeLimit, timeLimit] = [wholeNumber(1), wholeNumber(0)];
  const typesOnly = element(TAG.boolean, Uint8Array.of(0));
  const search = element(
    OPERATION.searchRequest,
    ...[octets(base), baseObject, neverDerefAliases, sizeLimit, timeLimit, typesOnly],
    element(PRESENT, utf8('objectClass')),
    element(TAG.sequence, ...attributes.map(octets)),
  );
  return message(id, search);
}

export function encodeUnbind(id: number): Uint8Array {
  return message(id, element(OPERATION.unbindRequest));
}

/** `operation`: that of a response with a result, and nothing else in it. */
export function encodeResult(id: number, operation: number, { code, diagnostic }: LdapResult): Uint8Array {
  return message(id, element(operation, wholeNumber(code, TAG.enumerated), octets(''), octets(diagnostic)));
}

export function encodeEntry(id: number, dn: string, attributes: readonly LdapAttribute[]): Uint8Array {
  const list = attributes.map(({ type, values }) =>
    element(TAG.sequence, octets(type), element(TAG.set, ...values.map(octets))),
  );
  return message(id, element(OPERATION.searchResultEntry, octets(dn), element(TAG.sequence, ...list)));
}

/** One whole message of either side, still encoded. Throws ProtocolError as soon as it is clear that none comes. */
export async function takeMessage(stream: Stream): Promise<Uint8Array> {
  let start = await stream.read({ atLeast: 2, max: 2 });
  if (start[0] !== TAG.sequence) {
    throw new ProtocolError(lookOf(Buffer.concat([start, await stream.read({ atLeast: 0, max: 78 })])));
  }
  let size = elementSize(start, 'LDAP message');
  while (size === undefined) {
    start = Buffer.concat([start, await stream.read({ atLeast: 1, max: 1 })]);
    size = elementSize(start, 'LDAP message');
  }
  if (size > MAX_MESSAGE) throw new ProtocolError(`${lookOf(start)}: no LDAP message is ${size} bytes long`);
  const rest = size - start.length;
  return rest === 0 ? start : Buffer.concat([start, await stream.read({ atLeast: rest, max: rest })]);
}

/** A server's message. Throws ProtocolError for anything else. Controls and referrals are passed over. */
export function parseAnswer(bytes: Uint8Array): LdapAnswer {
  const envelope = new BerReader(bytes, 'LDAP message').within(TAG.sequence);
  const id = envelope.number();
  const { tag, content } = envelope.next();
  const operation = new BerReader(content, 'LDAP message');
  switch (tag) {
    case OPERATION.bindResponse:
      return { id, kind: 'bind', result: resultIn(operation) };
    case OPERATION.searchResultDone:
      return { id, kind: 'search-done', result: resultIn(operation) };
    case OPERATION.extendedResponse: {
      const result = resultIn(operation);
      const name = nameIn(operation);
      return { id, kind: 'extended', result, ...(name === undefined ? {} : { name }) };
    }
    case OPERATION.searchResultEntry:
      operation.take(TAG.octetString);
      return { id, kind: 'entry', attributes: attributesIn(operation.within(TAG.sequence)) };
    case OPERATION.searchResultReference:
      return { id, kind: 'reference' };
    case OPERATION.intermediateResponse:
      return { id, kind: 'intermediate' };
    default:
      throw new ProtocolError(`an LDAP message that no server sends (operation ${tag})`);
  }
}

/** RFC 4511 §4.1.9. */
function resultIn(operation: BerReader): LdapResult {
  const code = operation.number(TAG.enumerated);
  operation.take(TAG.octetString);
  return { code, diagnostic: textOf(operation.take(TAG.octetString)) };
}

function nameIn(operation: BerReader): string | undefined {
  while (operation.nextTag !== undefined) {
    const { tag, content } = operation.next();
    if (tag === RESPONSE_NAME) return textOf(content);
  }
  return undefined;
}

function attributesIn(list: BerReader): readonly LdapAttribute[] {
  const attributes: LdapAttribute[] = [];
  while (list.nextTag !== undefined) {
    const attribute = list.within(TAG.sequence);
    const type = textOf(attribute.take(TAG.octetString));
    const set = attribute.within(TAG.set);
    const values: string[] = [];
    while (set.nextTag !== undefined) values.push(textOf(set.take(TAG.octetString)));
    attributes.push({ type, values });
  }
  return attributes;
}

function textOf(bytes: Uint8Array): string {
  // Active Directory ends its diagnostics with a NUL.
  return printable(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes, MAX_TEXT);
}

export type LdapRequest =
  | { readonly id: number; readonly kind: 'bind'; readonly dn: string; readonly anonymous: boolean }
  | { readonly id: number; readonly kind: 'search'; readonly base: string }
  | { readonly id: number; readonly kind: 'extended'; readonly name: string }
  | { readonly id: number; readonly kind: 'unbind' }
  | { readonly id: number; readonly kind: 'other'; readonly operation: number };

/** A client's message, as far as a stand-in needs it. Throws ProtocolError for what is none. */
export function parseRequest(bytes: Uint8Array): LdapRequest {
  const envelope = new BerReader(bytes, 'LDAP message').within(TAG.sequence);
  const id = envelope.number();
  const { tag, content } = envelope.next();
  const operation = new BerReader(content, 'LDAP message');
  switch (tag) {
    case OPERATION.bindRequest: {
      operation.number();
      const dn = textOf(operation.take(TAG.octetString));
      const choice = operation.next();
      return { id, kind: 'bind', dn, anonymous: dn === '' && choice.tag === SIMPLE && choice.content.length === 0 };
    }
    case OPERATION.searchRequest:
      return { id, kind: 'search', base: textOf(operation.take(TAG.octetString)) };
    case OPERATION.extendedRequest:
      return { id, kind: 'extended', name: textOf(operation.take(REQUEST_NAME)) };
    case OPERATION.unbindRequest:
      return { id, kind: 'unbind' };
    default:
      return { id, kind: 'other', operation: tag };
  }
}

/** `invalidCredentials (49): data 52e`. */
export function sentenceOf({ code, diagnostic }: LdapResult): string {
  const name = RESULT_NAMES[code];
  const word = name === undefined ? `result ${code}` : `${name} (${code})`;
  return diagnostic === '' ? word : `${word}: ${diagnostic}`;
}
