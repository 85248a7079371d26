// TLS over a TCP connection of ours: the handshake and what it showed.
import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { EndOfStream, ProtocolError } from '../bytes/errors.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { SecureStream, TlsOptions, TlsSession } from '../contract/probe.js';
import { alertOf } from './alert.js';
import { signedByCa } from './chain.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';
import { SocketStream } from './stream.js';
import { packetTtl } from './watched.js';

/** Old appliances speak TLS 1.0 with keys that today's defaults refuse. We report that; we send nothing worth protecting. */
const OLDEST = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

/** A certificate may name thousands; a report need not. */
const NAMES_SHOWN = 20;

let sharedContext: SecureContext | undefined;

class SecureSocketStream extends SocketStream implements SecureStream {
  readonly session: TlsSession;
  constructor(socket: TLSSocket, session: Session, record: SocketRecord, shown: TlsSession) {
    super(socket, session, record);
    this.session = shown;
  }
}

/** RFC 4514 writes the most specific part first; X.509 stores it last. */
function distinguishedName(name: string): string {
  return name.split('\n').reverse().join(', ');
}

function pinOf(certificate: X509Certificate): string | undefined {
  try {
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(spki).digest('base64');
  } catch {
    // A key type that this OpenSSL does not know.
    return undefined;
  }
}

function isoTime(text: string): string | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

function certificateFacts(certificate: X509Certificate): Partial<TlsSession> & { names: readonly string[] } {
  const names = (certificate.subjectAltName ?? '')
    .split(', ')
    .map((name) => name.replace(/^(DNS|IP Address|URI|email):/, ''))
    .filter((name) => name !== '')
    .slice(0, NAMES_SHOWN);
  const pin = pinOf(certificate);
  const key = keyOf(certificate);
  const notBefore = isoTime(certificate.validFrom);
  const notAfter = isoTime(certificate.validTo);
  return {
    names,
    // An empty subject is legal where the names stand in the extension (RFC 5280 §4.1.2.6).
    ...(certificate.subject ? { subject: distinguishedName(certificate.subject) } : {}),
    ...(certificate.issuer ? { issuer: distinguishedName(certificate.issuer) } : {}),
    ...(pin === undefined ? {} : { pin }),
    ...(key === undefined ? {} : { key }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notAfter === undefined ? {} : { notAfter }),
  };
}

function keyOf(certificate: X509Certificate): string | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    const detail = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength;
    const type = asymmetricKeyType?.startsWith('ed') === true ? asymmetricKeyType : asymmetricKeyType?.toUpperCase();
    return [type, detail].filter((part) => part !== undefined).join(' ');
  } catch {
    return undefined;
  }
}

/** Only a client that was sent a CertificateRequest has signature algorithms to share (RFC 8446 §4.3.2). */
function certificateRequested(socket: TLSSocket): boolean {
  // Null, against its type, once the connection is gone.
  const shared = socket.getSharedSigalgs() as string[] | null;
  return shared !== null && shared.length > 0;
}

function shownBy(socket: TLSSocket): TlsSession {
  const certificate = socket.getPeerX509Certificate();
  // Typed as Error; in truth it is OpenSSL's word, or null.
  const distrust = socket.authorizationError as Error | string | null | undefined;
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    ...(typeof socket.alpnProtocol === 'string' ? { alpn: socket.alpnProtocol } : {}),
    ...(certificate === undefined ? { names: [] } : certificateFacts(certificate)),
    clientCertificateRequested: certificateRequested(socket),
    trusted: socket.authorized,
    ...(socket.authorized || !distrust ? {} : { distrust: typeof distrust === 'string' ? distrust : distrust.message }),
  };
}

/**
 * In TLS 1.2 the server's word on our certificate, an alert, comes before the handshake ends. By then it has signed the key
 * exchange with the key of its own, unless that was RSA without a signature (RFC 5246 §7.4.3).
 */
function provesItsKey(socket: TLSSocket): boolean {
  // Undefined, against its type, before a cipher was chosen.
  const cipher = socket.getCipher() as ReturnType<TLSSocket['getCipher']> | undefined;
  return /^(?:EC)?DHE-/.test(cipher?.name ?? '') && Object.keys(socket.getPeerCertificate()).length > 0;
}

/** Writes what the certificate shows into the evidence. `ca`: PEM of the site's own. */
function seeCertificate(session: Session, socket: TLSSocket, ca: Buffer | undefined): TlsSession {
  // Before getPeerX509Certificate, which takes the first certificate out of the chain that node:tls shows.
  const bySiteCa = ca === undefined ? undefined : socket.authorized || signedByCa(socket, ca);
  const shown = shownBy(socket);
  session.see({
    kind: 'tls',
    ...(shown.issuer === undefined ? {} : { issuer: shown.issuer }),
    ...(shown.subject === undefined ? {} : { subject: shown.subject }),
    ...(shown.pin === undefined ? {} : { pin: shown.pin }),
    ...(shown.notBefore === undefined ? {} : { notBefore: shown.notBefore }),
    ...(bySiteCa === undefined ? {} : { bySiteCa }),
  });
  return shown;
}

/** Rejects with TlsAlert, ProtocolError (what came is no TLS), SocketFailed or Aborted. */
export function secure(
  session: Session,
  over: SocketStream,
  options: TlsOptions,
  secret: (name: string) => Uint8Array,
): Promise<SecureStream> {
  const { record } = over;
  const { target } = session;
  const pem = (name: string | undefined): Buffer | undefined =>
    name === undefined ? undefined : Buffer.from(secret(name));
  const [ca, cert, key] = [pem(options.ca), pem(options.clientCert), pem(options.clientKey ?? options.clientCert)];
  const plain =
    ca === undefined && cert === undefined && options.minVersion === undefined && options.maxVersion === undefined;
  const servername = options.servername ?? (isIP(target.host) === 0 ? target.host : undefined);
  const beganMs = session.elapsedMs();
  return session.wait((resolve, reject) => {
    let socket: TLSSocket;
    try {
      const secureContext = plain
        ? (sharedContext ??= createSecureContext(OLDEST))
        : createSecureContext({
            ...OLDEST,
            ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
            ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
            ...(ca === undefined ? {} : { ca }),
            ...(cert === undefined ? {} : { cert, key }),
          });
      socket = connect({
        socket: over.socket,
        secureContext,
        host: target.host,
        ...(servername === undefined ? {} : { servername }),
        ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
        rejectUnauthorized: false,
      });
    } catch (error) {
      // A certificate or key of the site that OpenSSL cannot read.
      reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const owned = session.own(() => socket.destroy());
    record.askedMs ??= beganMs;
    let secured = false;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (secured) {
        if (alertOf(error) === undefined) session.fail(record, error, false, beganMs);
        return;
      }
      const alert = alertOf(error, certificateRequested(socket));
      if (alert !== undefined) {
        session.say('note', alert.message);
        if (provesItsKey(socket)) seeCertificate(session, socket, ca);
        reject(alert);
      } else if (error.code?.startsWith('ERR_SSL_') === true || error.code === 'EPROTO') {
        reject(new ProtocolError(`what came is not TLS (${error.code})`, { cause: error }));
      } else if (error.syscall === undefined) {
        // The far end closed: node:tls makes an ECONNRESET of its own of it, without a system call.
        if (record.state === 'open') record.state = 'ended';
        reject(new EndOfStream(0));
      } else reject(session.fail(record, error, false, beganMs));
    });
    socket.once('close', () => {
      owned.release();
      if (!secured) reject(new SocketFailed('the connection ended in the TLS handshake'));
    });
    socket.once('secureConnect', () => {
      secured = true;
      record.securedMs = session.elapsedMs();
      record.repliedMs ??= record.securedMs;
      const shown = seeCertificate(session, socket, ca);
      const arrived = packetTtl(over.socket, 'data');
      if (arrived.ttl !== undefined) session.see({ kind: 'alive', address: target.address, by: 'data', ...arrived });
      session.say('secured', `${shown.protocol} ${shown.cipher}, ${shown.subject ?? 'no subject'}`);
      resolve(new SecureSocketStream(socket, session, record, shown));
    });
  });
}
