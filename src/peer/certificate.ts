// A self-signed certificate for a stand-in's TLS, made anew for each stage. It names nothing but itself.
import { generateKeyPairSync, sign } from 'node:crypto';
import { bitString, element, objectIdentifier, TAG, unsignedInteger } from '../bytes/ber.js';

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = element(TAG.sequence, objectIdentifier('1.2.840.10045.4.3.2'));

/** RFC 5280 §4.1.2.5.1: years before 2050 are written as UTCTime. */
function utcTime(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return element(TAG.utcTime, Buffer.from(`${digits}Z`, 'latin1'));
}

function nameOf(commonName: string): Uint8Array {
  const value = element(TAG.utf8String, Buffer.from(commonName, 'utf8'));
  return element(TAG.sequence, element(TAG.set, element(TAG.sequence, objectIdentifier('2.5.4.3'), value)));
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/**
 * An X.509 v3 certificate (RFC 5280 §4.1) on a fresh P-256 key, valid from an hour before `nowMs` for a week.
 * @param serial random bytes, at most 19
 * @param nowMs since 1970
 */
export function selfSigned(
  commonName: string,
  serial: Uint8Array,
  nowMs: number,
): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = nameOf(commonName);
  const validity = element(TAG.sequence, utcTime(nowMs - DAY_MS / 24), utcTime(nowMs + 7 * DAY_MS));
  // RFC 5280 §4.2.1.6: [2] dNSName. §4.1: extensions stand under [3].
  const altName = element(TAG.sequence, element(0x82, Buffer.from(commonName, 'latin1')));
  const extension = element(TAG.sequence, objectIdentifier('2.5.29.17'), element(TAG.octetString, altName));
  const toBeSigned = element(
    TAG.sequence,
    element(0xa0, unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(serial),
    ECDSA_WITH_SHA256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, element(TAG.sequence, extension)),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem('CERTIFICATE', element(TAG.sequence, toBeSigned, ECDSA_WITH_SHA256, bitString(signature))),
  };
}
