// Whether a CA's key signed a certificate, whatever else is wrong with it. OpenSSL tells only the last thing that is wrong:
// an expired certificate of the site's own CA and one of a stranger's read alike there.
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** Longer chains are nobody's. */
const LONGEST = 8;
const PEM = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function certificatesIn(pem: Buffer): readonly X509Certificate[] {
  return (pem.toString('latin1').match(PEM) ?? []).flatMap((text) => {
    try {
      return [new X509Certificate(text)];
    } catch {
      return [];
    }
  });
}

/** The server's own certificate first, then what it sent along, as far as it is of any use. */
function shownBy(socket: TLSSocket): readonly X509Certificate[] {
  const shown: X509Certificate[] = [];
  // Partial, against its type: without a certificate it is an empty object, and a chain that breaks off has no issuer.
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && shown.length < LONGEST) {
    shown.push(new X509Certificate(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return shown;
}

function signed(certificate: X509Certificate, by: X509Certificate): boolean {
  try {
    return certificate.checkIssued(by) && certificate.verify(by.publicKey);
  } catch {
    // A kind of key that this OpenSSL does not know.
    return false;
  }
}

/** One of the certificates in `ca` is the server's own, or signed it, directly or through CAs that the server sent along. */
export function signedByCa(socket: TLSSocket, ca: Buffer): boolean {
  const anchors = certificatesIn(ca);
  const [leaf, ...between] = shownBy(socket);
  let link = leaf;
  for (let each = 0; link !== undefined && each < LONGEST; each += 1) {
    const certificate = link;
    if (anchors.some((anchor) => anchor.fingerprint256 === certificate.fingerprint256 || signed(certificate, anchor)))
      return true;
    link = between.find((issuer) => issuer !== certificate && issuer.ca && signed(certificate, issuer));
  }
  return false;
}
