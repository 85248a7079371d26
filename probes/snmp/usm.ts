// The User-based Security Model's cryptography: keys from passwords (RFC 3414 §2.6, A.2), digests (RFC 3414 §6,
// RFC 7860) and AES (RFC 3826, and the two ways by which vendors lengthen keys for AES-192 and AES-256). Pure.
import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** `hash` as Node names it, and how many bytes of the HMAC a message carries: RFC 3414 §6.3.1, §7.3.1; RFC 7860 §4.1. */
const AUTHENTICATION = {
  md5: { hash: 'md5', digestBytes: 12 },
  sha: { hash: 'sha1', digestBytes: 12 },
  sha224: { hash: 'sha224', digestBytes: 16 },
  sha256: { hash: 'sha256', digestBytes: 24 },
  sha384: { hash: 'sha384', digestBytes: 32 },
  sha512: { hash: 'sha512', digestBytes: 48 },
} as const;

/**
 * `longer`: what a hash too short for the key is lengthened by. `blumenthal` is draft-blumenthal-aes-usm-04 §3.1.2.1,
 * which net-snmp follows; `reeder` draft-reeder-snmpv3-usm-3desede-00 §2.1, which Cisco follows.
 */
const PRIVACY = {
  aes: { cipher: 'aes-128-cfb', keyBytes: 16, longer: 'blumenthal' },
  aes192: { cipher: 'aes-192-cfb', keyBytes: 24, longer: 'blumenthal' },
  aes256: { cipher: 'aes-256-cfb', keyBytes: 32, longer: 'blumenthal' },
  'aes192-cisco': { cipher: 'aes-192-cfb', keyBytes: 24, longer: 'reeder' },
  'aes256-cisco': { cipher: 'aes-256-cfb', keyBytes: 32, longer: 'reeder' },
} as const;

export type Authentication = keyof typeof AUTHENTICATION;
export type Privacy = keyof typeof PRIVACY;

export const AUTHENTICATIONS = Object.keys(AUTHENTICATION) as readonly Authentication[];
export const PRIVACIES = Object.keys(PRIVACY) as readonly Privacy[];

/** RFC 3414 A.2: a password is repeated to this length. */
const REPEATED_BYTES = 1_048_576;

/** The key of a password at one engine. Throws RangeError for an empty password. */
export function localizedKey(authentication: Authentication, password: Uint8Array, engineId: Uint8Array): Uint8Array {
  if (password.length === 0) throw new RangeError('an SNMP password is empty');
  const { hash } = AUTHENTICATION[authentication];
  const key = createHash(hash).update(Buffer.alloc(REPEATED_BYTES, password)).digest();
  return createHash(hash).update(key).update(engineId).update(key).digest();
}

/** The same for privacy: of the length that the cipher needs. */
export function privacyKey(
  privacy: Privacy,
  authentication: Authentication,
  password: Uint8Array,
  engineId: Uint8Array,
): Uint8Array {
  const { keyBytes, longer } = PRIVACY[privacy];
  let key = localizedKey(authentication, password, engineId);
  let last = key;
  while (key.length < keyBytes) {
    last =
      longer === 'reeder'
        ? localizedKey(authentication, last, engineId)
        : createHash(AUTHENTICATION[authentication].hash).update(key).digest();
    key = Buffer.concat([key, last]);
  }
  return key.subarray(0, keyBytes);
}

export function digestBytes(authentication: Authentication): number {
  return AUTHENTICATION[authentication].digestBytes;
}

/** The digest of a whole message in which zeros stand in its place. */
export function digestOf(authentication: Authentication, key: Uint8Array, message: Uint8Array): Uint8Array {
  const { hash, digestBytes: size } = AUTHENTICATION[authentication];
  return createHmac(hash, key).update(message).digest().subarray(0, size);
}

/** In constant time. */
export function sameDigest(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

export interface Moment {
  /** Of the authoritative engine. */
  readonly boots: number;
  readonly seconds: number;
}

/** RFC 3826 §3.1.2.1: boots, time and the message's salt of 8 bytes. */
function initialVector({ boots, seconds }: Moment, salt: Uint8Array): Uint8Array {
  const vector = Buffer.alloc(16);
  vector.writeUInt32BE(boots, 0);
  vector.writeUInt32BE(seconds, 4);
  vector.set(salt, 8);
  return vector;
}

export const SALT_BYTES = 8;

export function encrypt(
  privacy: Privacy,
  key: Uint8Array,
  moment: Moment,
  salt: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(PRIVACY[privacy].cipher, key, initialVector(moment, salt));
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

export function decrypt(
  privacy: Privacy,
  key: Uint8Array,
  moment: Moment,
  salt: Uint8Array,
  encrypted: Uint8Array,
): Uint8Array {
  const decipher = createDecipheriv(PRIVACY[privacy].cipher, key, initialVector(moment, salt));
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}
