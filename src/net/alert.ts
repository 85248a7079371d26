// What the far end did wrong, or said, behind an error of OpenSSL's.
import { ProtocolError, TlsAlert } from '../bytes/errors.js';

/** RFC 8446 §6, and those of RFC 5246 §7.2 and RFC 4346 that older peers send. */
const ALERTS: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

/** Alerts that only a server which looked for a client certificate sends to a client: RFC 8446 §6.2. */
const CLIENT_CERTIFICATE_ALERTS = new Set([41, 42, 43, 44, 45, 46, 48, 116]);

/**
 * undefined: the error is no alert from the far end.
 * @param requested the server had asked for a client certificate
 */
export function alertOf(error: Error, requested = false): TlsAlert | undefined {
  // OpenSSL writes `...:SSL alert number 40` for an alert that it received, and for no other error.
  const found = /SSL alert number (\d+)/.exec(error.message);
  if (found === null) return undefined;
  const number = Number(found[1]);
  return new TlsAlert(number, ALERTS[number] ?? `number ${number}`, requested || CLIENT_CERTIFICATE_ALERTS.has(number));
}

/** What came in a session is no TLS record, or one that nobody with its keys wrote. undefined: the error is another. */
export function brokenRecordOf(error: NodeJS.ErrnoException): ProtocolError | undefined {
  if (error.code?.startsWith('ERR_SSL_') !== true) return undefined;
  return new ProtocolError(`what came after the handshake is no TLS record (${error.code})`, { cause: error });
}
