// What every probe over TLS shares: its options, what a handshake showed as facts, and what an alert means (RFC 8446 §6,
// RFC 5246 §7.2). The handshake itself is the kit's.
import { z } from 'zod';
import { ProtocolError, TlsAlert } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { Depth, Kit, SecureStream, Stream, TlsOptions, TlsSession, Traits } from '../../src/contract/probe.js';

const secret = (what: string) => z.string().min(1).describe(what).meta({ linecheck: 'secret' }).optional();

/** A host name as it may stand in a ClientHello and in a Host header: labels of letters, digits and hyphens. */
const HOST_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/;
export const hostName = z.string().max(253).regex(HOST_NAME, 'expected a host name, such as "www.example.net"');

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** The keys that a probe over TLS takes; spread into its z.strictObject. */
export const tlsOptions = {
  servername: hostName
    .describe('Name to ask for (SNI) and to verify; default: the host, where that is a name.')
    .optional(),
  ca: secret("Secret with the PEM certificates of the site's own CA; default: the system's."),
  'client-cert': secret('Secret with the PEM certificate to show when asked; its key may stand in the same.'),
  'client-key': secret('Secret with the PEM key of client-cert; default: that of client-cert.'),
  'min-version': z
    .enum(VERSIONS)
    .describe('Oldest version to offer; default: TLSv1, so that old appliances are seen.')
    .optional(),
  pin: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, "expected the base64 of a SHA-256 of the key's SubjectPublicKeyInfo: 44 characters")
    .describe('The public key that must answer: base64 of SHA-256 (RFC 7469 §2.4); another is interception.')
    .optional(),
  issuer: z
    .string()
    .min(1)
    .describe('The issuer that must have signed, or a part of its name; another is interception.')
    .optional(),
};

export type GivenTlsOptions = z.infer<z.ZodObject<typeof tlsOptions>>;

/** A key without its certificate cannot be shown. */
export const keyNeedsCertificate = {
  check: (given: Pick<GivenTlsOptions, 'client-cert' | 'client-key'>): boolean =>
    given['client-key'] === undefined || given['client-cert'] !== undefined,
  problem: { error: 'client-key needs client-cert', path: ['client-key'] },
};

/**
 * The kit's words for them. `pin` and `issuer` are the judge's to compare. A certificate is shown without --login: it
 * locks no account and gives nothing away.
 */
export function kitOptions(given: GivenTlsOptions, alpn: readonly string[] | undefined): TlsOptions {
  const clientCert = given['client-cert'];
  return {
    ...(given.servername === undefined ? {} : { servername: given.servername }),
    ...(alpn === undefined || alpn.length === 0 ? {} : { alpn }),
    ...(given.ca === undefined ? {} : { ca: given.ca }),
    ...(clientCert === undefined ? {} : { clientCert, clientKey: given['client-key'] ?? clientCert }),
    ...(given['min-version'] === undefined ? {} : { minVersion: given['min-version'] }),
  };
}

/** A certificate of a hosting company names hundreds; a person reads a few. */
const MOST_NAMES = 10;
const MOST_CHARACTERS = 200;
const DAY_MS = 86_400_000;

/** A stranger wrote it: short, and harmless to a terminal. */
function plain(text: string): string {
  const short = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return short.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '.');
}

/** Whole days from `nowMs` to `notAfter`; negative once it is over; undefined where that is no date. */
export function daysLeft(notAfter: string, nowMs: number): number | undefined {
  const days = Math.floor((Date.parse(notAfter) - nowMs) / DAY_MS);
  return Number.isNaN(days) ? undefined : days;
}

/** What a handshake showed. `nowMs`: ms since 1970. */
export function tlsFacts(session: TlsSession, nowMs: number): Facts {
  const days = session.notAfter === undefined ? undefined : daysLeft(session.notAfter, nowMs);
  return {
    tlsVersion: plain(session.protocol),
    cipher: plain(session.cipher),
    ...(session.alpn === undefined ? {} : { alpn: plain(session.alpn) }),
    ...(session.subject === undefined ? {} : { subject: plain(session.subject) }),
    ...(session.issuer === undefined ? {} : { issuer: plain(session.issuer) }),
    ...(session.names.length === 0 ? {} : { names: session.names.slice(0, MOST_NAMES).map(plain) }),
    ...(session.names.length > MOST_NAMES ? { namesInAll: session.names.length } : {}),
    ...(session.notBefore === undefined ? {} : { notBefore: session.notBefore }),
    ...(session.notAfter === undefined ? {} : { notAfter: session.notAfter }),
    ...(days === undefined ? {} : { daysLeft: days }),
    ...(session.key === undefined ? {} : { key: plain(session.key) }),
    ...(session.pin === undefined ? {} : { pin: session.pin }),
    trusted: session.trusted,
    ...(session.distrust === undefined ? {} : { distrust: plain(session.distrust) }),
    ...(session.clientCertificateRequested === true ? { clientCertificate: 'requested' } : {}),
  };
}

/**
 * Alerts by which a server refuses the certificate that a client shows (RFC 8446 §6.2): no_certificate,
 * bad_certificate to certificate_unknown, unknown_ca, access_denied, decrypt_error, certificate_required.
 */
const ABOUT_CERTIFICATE: ReadonlySet<number> = new Set([41, 42, 43, 44, 45, 46, 48, 49, 51, 116]);
const CERTIFICATE_REQUIRED = 116;
const HANDSHAKE_FAILURE = 40;

export interface AlertContext {
  /** We had a certificate to show. */
  readonly shown: boolean;
  /** What the handshake showed, where the alert came after it (TLS 1.3). */
  readonly session?: TlsSession;
  readonly nowMs: number;
}

/**
 * What an alert means. One about a client certificate that we did not show is a demand, and an answer; one about
 * ours a refusal of it; any other says that no secure channel stands, though TLS is spoken there.
 */
export function outcomeOfAlert(alert: TlsAlert, { shown, session, nowMs }: AlertContext): Outcome {
  const facts = { ...(session === undefined ? {} : tlsFacts(session, nowMs)), alert: alert.description };
  const requested = alert.clientCertificateRequested || session?.clientCertificateRequested === true;
  // TLS 1.2 has no certificate_required: a server without our certificate says handshake_failure (RFC 5246 §7.4.6).
  const about = ABOUT_CERTIFICATE.has(alert.alert) || (alert.alert === HANDSHAKE_FAILURE && requested);
  if (about && shown && alert.alert !== CERTIFICATE_REQUIRED) {
    const by = `TLS alert ${alert.description}`;
    return { kind: 'turned-away', presented: 'credentials', by, facts: { ...facts, clientCertificate: 'refused' } };
  }
  if (about) return { kind: 'answered', depth: 'secure', facts: { ...facts, clientCertificate: 'demanded' } };
  return { kind: 'stranger', came: 'other-protocol', detail: `TLS alert ${alert.description}`, facts };
}

/** The alert in what OpenSSL says of a socket: `...:tlsv13 alert certificate required:...:SSL alert number 116`. */
export function alertIn(error: unknown): TlsAlert | undefined {
  if (error instanceof TlsAlert) return error;
  if (!(error instanceof Error)) return undefined;
  const found = /alert ([a-z ]+):.*SSL alert number (\d+)/.exec(error.message);
  const [, words = '', number = ''] = found ?? [];
  return found === null ? undefined : new TlsAlert(Number(number), words.replaceAll(' ', '_'), false);
}

/**
 * What a handshake sends. `shown`: a client certificate goes along where the server asks for one. From Node 24 on a
 * ClientHello carries a post-quantum key share and is 1.5 KB long; before, 350 bytes.
 */
export function handshakeSends(shown: boolean): Traits['sends'] {
  return [
    { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
    { what: 'a TLS handshake, up to', packets: 3, bytes: 800 },
    ...(shown ? [{ what: 'the client certificate, where asked for, about', packets: 1, bytes: 1400 }] : []),
  ];
}

/**
 * A secure stream, or the outcome where an alert came instead. Throws what else the kit throws.
 * @param over a stream that both sides agreed to secure (StartTLS); default: a connection of its own
 */
export async function handshake(
  kit: Kit,
  given: GivenTlsOptions,
  alpn?: readonly string[],
  over?: Stream,
): Promise<{ readonly secure: SecureStream } | { readonly outcome: Outcome }> {
  try {
    return { secure: await kit.tls(kitOptions(given, alpn), over) };
  } catch (error) {
    if (!(error instanceof TlsAlert)) throw error;
    const shown = given['client-cert'] !== undefined;
    return { outcome: outcomeOfAlert(error, { shown, nowMs: kit.now() }) };
  }
}

/**
 * How long to wait for what a TLS 1.3 server thinks of our Certificate message, ms. The client's handshake ends before
 * the server has read it (RFC 8446 §2, figure 1): the alert comes a round trip later, after a look at a directory perhaps.
 */
export function watchMs(requested: boolean | undefined, handshakeMs: number): number {
  if (requested === false) return 0;
  const least = requested === true ? 1000 : 100;
  return Math.min(3000, Math.max(least, 3 * handshakeMs));
}

/**
 * A conversation that begins in the clear and may go on in TLS (StartTLS), or begins in it, and what it has told so far.
 * For protocols that have both.
 */
export class Conversation {
  readonly #kit: Kit;
  readonly #given: GivenTlsOptions;
  #stream: Stream | undefined;
  #session: TlsSession | undefined;
  #spoken = false;
  /** OpenSSL's word for what it could not make of a record. */
  #broken: string | undefined;
  #facts: Facts = {};

  constructor(kit: Kit, given: GivenTlsOptions) {
    this.#kit = kit;
    this.#given = given;
  }

  /** What was opened last; before that, it throws. */
  get stream(): Stream {
    if (this.#stream === undefined) throw new Error('nothing was opened yet');
    return this.#stream;
  }

  /** What the handshake showed; undefined before one. */
  get session(): TlsSession | undefined {
    return this.#session;
  }

  /** Connects, and secures it at once where TLS is `implicit`; like `secure`, returns an outcome where that failed. */
  async open(implicit: boolean): Promise<Outcome | undefined> {
    if (implicit) return this.secure();
    this.#stream = await this.#kit.tcp();
    return undefined;
  }

  /**
   * TLS over what was opened, else over a connection of its own; then `agreed` holds as well. Returns an outcome where an
   * alert or a close came instead. Throws ProtocolError where plain text followed the agreement to begin: it is nobody's
   * word (RFC 3207 §6).
   */
  async secure(agreed: Facts = {}): Promise<Outcome | undefined> {
    if ((await this.#stream?.peek(0)) === 'bytes') throw new ProtocolError('plain text where TLS was agreed on');
    const beganMs = this.#kit.now();
    const reached = await handshake(this.#kit, this.#given, undefined, this.#stream);
    if ('outcome' in reached) return this.#withFacts(reached.outcome);
    const { secure } = reached;
    this.#stream = secure;
    this.#session = secure.session;
    secure.socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('ERR_SSL_') === true) this.#broken = error.code;
    });
    const nowMs = this.#kit.now();
    this.#facts = { ...this.#facts, ...tlsFacts(secure.session, nowMs), ...agreed };
    if (secure.session.protocol !== 'TLSv1.3' || secure.session.clientCertificateRequested !== true) return undefined;
    const ended = await secure.peek(watchMs(true, nowMs - beganMs));
    return ended === 'end' || ended === 'reset' ? this.#closedWithoutAlert(ended) : undefined;
  }

  /** GnuTLS in slapd asks for a certificate, and where it does not like ours it closes without an alert. */
  #closedWithoutAlert(ended: 'end' | 'reset'): Outcome {
    const came = ended === 'end' ? 'close' : 'reset';
    const facts = { ...this.#facts, afterHandshake: came };
    if (this.#given['client-cert'] !== undefined) {
      const detail = 'the end of the connection after the client certificate that was asked for';
      return { kind: 'stranger', came, detail, facts: { ...facts, clientCertificate: 'probably refused' } };
    }
    const depth = this.#spoken ? 'protocol' : 'secure';
    return { kind: 'answered', depth, facts: { ...facts, clientCertificate: 'probably demanded' } };
  }

  /** The protocol was spoken, and said this. */
  tell(facts: Facts): void {
    this.#spoken = true;
    this.#facts = { ...this.#facts, ...facts };
  }

  answered(depth: Depth = 'protocol'): Outcome {
    return { kind: 'answered', depth, facts: this.#facts };
  }

  stranger(detail: string): Outcome {
    return { kind: 'stranger', came: 'other-protocol', detail, facts: this.#facts };
  }

  turnedAway(presented: 'secret' | 'credentials' | 'client', by: string): Outcome {
    return { kind: 'turned-away', presented, by, facts: this.#facts };
  }

  /**
   * What an error of the conversation means where it is the channel's: an alert (in TLS 1.3 the server's word on our
   * certificate comes after the handshake, in place of an answer) or records that do not decrypt. Else undefined.
   */
  outcomeOf(error: unknown): Outcome | undefined {
    const alert = alertIn(error);
    if (alert === undefined) {
      return this.#broken === undefined ? undefined : this.stranger(`TLS that broke off (${this.#broken})`);
    }
    const shown = this.#given['client-cert'] !== undefined;
    const session = this.#session;
    const context = { shown, nowMs: this.#kit.now(), ...(session === undefined ? {} : { session }) };
    return this.#withFacts(outcomeOfAlert(alert, context));
  }

  /** Whoever agreed to TLS in the protocol's own words has spoken it. */
  #withFacts(outcome: Outcome): Outcome {
    if (!('facts' in outcome)) return outcome;
    const facts = { ...this.#facts, ...outcome.facts };
    if (outcome.kind !== 'answered') return { ...outcome, facts };
    return { ...outcome, depth: this.#spoken ? 'protocol' : outcome.depth, facts };
  }
}

/** Some option is about the certificate or the name in it: whoever gave it expects TLS. */
export function wantsTls(given: GivenTlsOptions): boolean {
  return [given.ca, given.pin, given.issuer, given.servername, given['client-cert'], given['min-version']].some(
    (each) => each !== undefined,
  );
}

/** For `sends`, where the port or the server decides whether there is TLS: `given` is whether the options do. */
export function sendsInTls(given: boolean, sends: Traits['sends']): Traits['sends'] {
  return given ? sends : sends.map(({ what, ...rest }) => ({ what: `where TLS is used: ${what}`, ...rest }));
}
