// Names of the numbers in IKE messages: IANA "IKEv2 Parameters" and "IPSEC/ISAKMP registries"; vendor ids. Data, no bytes.
import { printable } from '../../src/bytes/text.js';
import { ATTRIBUTE_V1, type Proposal, type Transform } from './packet.js';

type Names = Readonly<Record<number, string>>;

/** The word itself, or the number where it has no name here. */
const named = (names: Names, value: number, kind: string): string => names[value] ?? `${kind}-${String(value)}`;

const NOTIFY_V2: Names = {
  1: 'UNSUPPORTED_CRITICAL_PAYLOAD',
  4: 'INVALID_IKE_SPI',
  5: 'INVALID_MAJOR_VERSION',
  7: 'INVALID_SYNTAX',
  9: 'INVALID_MESSAGE_ID',
  11: 'INVALID_SPI',
  14: 'NO_PROPOSAL_CHOSEN',
  17: 'INVALID_KE_PAYLOAD',
  24: 'AUTHENTICATION_FAILED',
  43: 'TEMPORARY_FAILURE',
  16384: 'INITIAL_CONTACT',
  16388: 'NAT_DETECTION_SOURCE_IP',
  16389: 'NAT_DETECTION_DESTINATION_IP',
  16390: 'COOKIE',
  16392: 'HTTP_CERT_LOOKUP_SUPPORTED',
  16404: 'MULTIPLE_AUTH_SUPPORTED',
  16406: 'REDIRECT_SUPPORTED',
  16407: 'REDIRECT',
  16418: 'CHILDLESS_IKEV2_SUPPORTED',
  16430: 'IKEV2_FRAGMENTATION_SUPPORTED',
  16431: 'SIGNATURE_HASH_ALGORITHMS',
  16434: 'PUZZLE',
  16435: 'USE_PPK',
  16438: 'INTERMEDIATE_EXCHANGE_SUPPORTED',
};

const NOTIFY_V1: Names = {
  1: 'INVALID-PAYLOAD-TYPE',
  2: 'DOI-NOT-SUPPORTED',
  3: 'SITUATION-NOT-SUPPORTED',
  4: 'INVALID-COOKIE',
  5: 'INVALID-MAJOR-VERSION',
  6: 'INVALID-MINOR-VERSION',
  7: 'INVALID-EXCHANGE-TYPE',
  8: 'INVALID-FLAGS',
  9: 'INVALID-MESSAGE-ID',
  10: 'INVALID-PROTOCOL-ID',
  11: 'INVALID-SPI',
  12: 'INVALID-TRANSFORM-ID',
  13: 'ATTRIBUTES-NOT-SUPPORTED',
  14: 'NO-PROPOSAL-CHOSEN',
  15: 'BAD-PROPOSAL-SYNTAX',
  16: 'PAYLOAD-MALFORMED',
  17: 'INVALID-KEY-INFORMATION',
  18: 'INVALID-ID-INFORMATION',
  24: 'AUTHENTICATION-FAILED',
  29: 'UNSUPPORTED-EXCHANGE-TYPE',
};

export function notifyName(type: number, major: number): string {
  return named(major === 1 ? NOTIFY_V1 : NOTIFY_V2, type, 'notify');
}

/** The same numbers in both versions. */
const GROUPS: Names = {
  1: 'MODP-768',
  2: 'MODP-1024',
  5: 'MODP-1536',
  14: 'MODP-2048',
  15: 'MODP-3072',
  16: 'MODP-4096',
  17: 'MODP-6144',
  18: 'MODP-8192',
  19: 'ECP-256',
  20: 'ECP-384',
  21: 'ECP-521',
  24: 'MODP-2048-256',
  31: 'CURVE25519',
  32: 'CURVE448',
};

export function groupName(group: number): string {
  return named(GROUPS, group, 'group');
}

const TRANSFORMS_V2: Readonly<Record<number, readonly [kind: string, names: Names]>> = {
  1: [
    'encryption',
    { 2: 'DES', 3: '3DES', 12: 'AES-CBC', 13: 'AES-CTR', 19: 'AES-GCM-12', 20: 'AES-GCM-16', 28: 'CHACHA20-POLY1305' },
  ],
  2: [
    'prf',
    { 1: 'PRF-HMAC-MD5', 2: 'PRF-HMAC-SHA1', 5: 'PRF-HMAC-SHA2-256', 6: 'PRF-HMAC-SHA2-384', 7: 'PRF-HMAC-SHA2-512' },
  ],
  3: [
    'integrity',
    { 1: 'HMAC-MD5-96', 2: 'HMAC-SHA1-96', 12: 'HMAC-SHA2-256-128', 13: 'HMAC-SHA2-384-192', 14: 'HMAC-SHA2-512-256' },
  ],
  4: ['group', GROUPS],
};
const KEY_LENGTH_V2 = 14;

function transformNameV2({ type, id, attributes }: Transform): string {
  const [kind, names] = TRANSFORMS_V2[type] ?? [`transform-${String(type)}`, {}];
  const bits = attributes.find((attribute) => attribute.type === KEY_LENGTH_V2)?.value;
  return named(names, id, kind) + (bits === undefined ? '' : `-${String(bits)}`);
}

const CIPHERS_V1: Names = { 1: 'DES', 5: '3DES', 7: 'AES-CBC' };
const HASHES_V1: Names = { 1: 'MD5', 2: 'SHA1', 4: 'SHA2-256', 5: 'SHA2-384', 6: 'SHA2-512' };
const AUTHENTICATIONS_V1: Names = {
  1: 'PSK',
  2: 'DSS',
  3: 'RSA',
  64221: 'HYBRID-RSA',
  65001: 'XAUTH-PSK',
  65005: 'XAUTH-RSA',
};

function transformNameV1({ attributes }: Transform): string {
  const value = (type: number): number | undefined => attributes.find((attribute) => attribute.type === type)?.value;
  const bits = value(ATTRIBUTE_V1.keyBits);
  const word = (type: number, names: Names, kind: string): readonly string[] => {
    const found = value(type);
    return found === undefined ? [] : [named(names, found, kind)];
  };
  const cipher = word(ATTRIBUTE_V1.encryption, CIPHERS_V1, 'encryption');
  return [
    ...cipher.map((name) => name + (bits === undefined ? '' : `-${String(bits)}`)),
    ...word(ATTRIBUTE_V1.hash, HASHES_V1, 'hash'),
    ...word(ATTRIBUTE_V1.authentication, AUTHENTICATIONS_V1, 'authentication'),
    ...word(ATTRIBUTE_V1.group, GROUPS, 'group'),
  ].join('/');
}

/** `AES-GCM-16-256/PRF-HMAC-SHA2-256/ECP-256`; of IKEv1 `AES-CBC-256/SHA1/PSK/MODP-1024`. */
export function proposalName({ transforms }: Proposal, major: number): string {
  return transforms.map((each) => (major === 1 ? transformNameV1(each) : transformNameV2(each))).join('/');
}

/** The hash that IKEv1 agreed on, as node:crypto calls it: NAT detection uses it (RFC 3947 §3.2). */
export function hashV1({ transforms }: Proposal): 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | undefined {
  const chosen = transforms[0]?.attributes.find(({ type }) => type === ATTRIBUTE_V1.hash)?.value;
  const words = { 1: 'md5', 2: 'sha1', 4: 'sha256', 5: 'sha384', 6: 'sha512' } as const;
  return chosen === 1 || chosen === 2 || chosen === 4 || chosen === 5 || chosen === 6 ? words[chosen] : undefined;
}

/** What a vendor id begins with, hexadecimal: some end in a version. Sources: the RFC named, else strongSwan's table. */
const VENDORS: readonly (readonly [prefix: string, name: string])[] = [
  ['4a131c81070358455c5728f20e95452f', 'NAT-T (RFC 3947)'],
  ['4485152d18b6bbcd0be8a8469579ddcc', 'NAT-T draft 00'],
  ['90cb80913ebb696e086381b5ec427b1f', 'NAT-T draft 02'],
  ['cd60464335df21f87cfdb2fc68b6a448', 'NAT-T draft 02'],
  ['7d9419a65310ca6f2c179d9215529d56', 'NAT-T draft 03'],
  ['afcad71368a1f1c96b8696fc7757', 'dead peer detection (RFC 3706)'],
  ['4048b7d56ebce88525e7de7f00d6c2d3', 'fragmentation'],
  ['09002689dfd6b712', 'XAUTH'],
  ['12f5f28c457168a9702d9fe274cc', 'Cisco Unity'],
  ['1f07f70eaa6514d3b0fa96542a50', 'Cisco VPN 3000'],
  ['882fe56d6fd20dbc2251613b2ebe5beb', 'strongSwan'],
  ['1e2b516905991c7d7c96fcbfb587e461', 'Microsoft'],
  ['f4ed19e0c114eb516faaac0ee37daf2807b4381f', 'Check Point'],
];

/** A known one's name; the text of one that is text; else its bytes, hexadecimal. */
export function vendorName(id: Uint8Array): string {
  const hex = Buffer.from(id).toString('hex');
  const known = VENDORS.find(([prefix]) => hex.startsWith(prefix));
  if (known !== undefined) return known[1];
  const text = id.length >= 4 && id.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (text) return printable(id, 60);
  return id.length > 20 ? `${hex.slice(0, 40)}…` : hex;
}
