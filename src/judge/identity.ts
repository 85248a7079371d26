// The identity a TLS session showed against the one the site expects. Negative on purpose: an issuer's name proves nobody.
import type { Evidence } from '../contract/evidence.js';
import type { CheckRecord } from '../contract/verdict.js';
import { decidingAttempt } from './askings.js';
import { quoted } from './wording.js';

export type TlsEvidence = Extract<Evidence, { kind: 'tls' }>;

/** What the deciding attempt's session showed, else what any other look showed. */
export function tlsShown(record: CheckRecord): TlsEvidence | undefined {
  const own = tlsIn(decidingAttempt(record.attempts)?.evidence) ?? tlsIn(record.evidence);
  if (own !== undefined) return own;
  for (const { evidence } of record.attempts) {
    const other = tlsIn(evidence);
    if (other !== undefined) return other;
  }
  return undefined;
}

function tlsIn(evidence: readonly Evidence[] | undefined): TlsEvidence | undefined {
  return evidence?.find((item): item is TlsEvidence => item.kind === 'tls');
}

/** Names compare without regard to case and to blanks after commas (RFC 4514 writers differ); a part is enough. */
function names(issuer: string, expected: string): boolean {
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replace(/\s*([,=+])\s*/g, '$1')
      .trim();
  return plain(issuer).includes(plain(expected));
}

/**
 * Why the certificate is not the one the site expects; undefined where nothing contradicts. A pin that matches settles it:
 * the far end holds the very key (TLS proves possession), whoever signed the certificate.
 */
export function contradictsIdentity(record: CheckRecord): string | undefined {
  const { identity } = record.check;
  if (identity === undefined) return undefined;
  const tls = tlsShown(record);
  if (tls === undefined) return undefined;
  const issuer = tls.issuer === undefined ? 'a certificate without issuer' : `a certificate of ${quoted(tls.issuer)}`;
  if (identity.pin !== undefined && tls.pin !== undefined) {
    return identity.pin === tls.pin ? undefined : `${issuer} with another key than the one the site expects`;
  }
  if (identity.issuer !== undefined && tls.issuer !== undefined && !names(tls.issuer, identity.issuer)) {
    return `${issuer}, where the site expects one of ${quoted(identity.issuer)}`;
  }
  if (identity.ca !== undefined && tls.bySiteCa === false) return `${issuer}, which the site's own CA did not sign`;
  return undefined;
}

/** What the site wants compared and no session has shown: silence about identity is no proof of it. */
export function identityUnseen(record: CheckRecord): string | undefined {
  const { identity } = record.check;
  if (identity === undefined) return undefined;
  const tls = tlsShown(record);
  if (identity.pin !== undefined && tls?.pin === undefined) return 'key';
  if (identity.pin !== undefined) return undefined;
  if (identity.issuer !== undefined && tls?.issuer === undefined) return 'issuer';
  if (identity.ca !== undefined && tls?.bySiteCa === undefined) return "signature of the site's CA";
  return undefined;
}
