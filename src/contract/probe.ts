// What a probe is and what it may touch. Types only. Sockets live in net/, time and retry in run/.
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import type { ZodType } from 'zod';
import type { Family } from './flow.js';
import type { Outcome } from './outcome.js';

export type Carrier = 'tcp' | 'udp' | 'icmp' | { readonly ipProtocol: number };

/** How deep an answer proves: the port accepts, a secure channel stands, the protocol answers, the service serves us. */
export type Depth = 'port' | 'secure' | 'protocol' | 'service';

export interface Traits {
  /**
   * What silence means. `conclusive`: a healthy peer always answers. `ambiguous`: a healthy peer may ignore a
   * stranger. `by-design`: the protocol has no answer (syslog, trap).
   */
  readonly silence: 'conclusive' | 'ambiguous' | 'by-design';
  /** The depths this probe can reach with these options, shallow to deep. A reach outside is a plan error. */
  readonly depths: readonly Depth[];
  /** Which of `depths` a flow that names no reach asks for: the deepest without credentials. */
  readonly defaultDepth: Depth;
  /** All that one asking puts on the wire; bytes of payload. For `plan` and for the change board. */
  readonly sends: readonly { readonly what: string; readonly packets: number; readonly bytes: number }[];
  /** What the machine must grant, if anything: `bind to UDP port 68`. */
  readonly needs?: string;
  /**
   * How a proxy carries this probe where the site names one: a `tunnel` that the kit opens (CONNECT, RFC 9110 §9.3.6), or
   * requests that the probe writes for it to `forward` (absolute-form, RFC 9112 §3.2.2). Absent: not at all.
   */
  readonly proxied?: Proxied['how'];
}

/** Address and port of the target are those of a proxy; its host, and this port, lie beyond it. */
export interface Proxied {
  readonly port: number;
  readonly how: 'tunnel' | 'forward';
}

export interface Probe {
  /** Folder, registry key and profile value. */
  readonly name: string;
  /** One line; `linecheck probes` prints it. */
  readonly summary: string;
  readonly carriers: readonly Carrier[];
  readonly defaultPort?: number;
  /**
   * A z.strictObject without transforms; kebab-case keys, each with `.describe()`. A string that names a secret of the
   * site carries `.meta({ linecheck: 'secret' })`.
   */
  readonly options: ZodType;
  /** Throws nothing for options that `options` accepts. */
  bind(carrier: Carrier, options: unknown): BoundProbe;
}

export interface BoundProbe {
  readonly traits: Traits;
  /**
   * Asks once. No timers, no retry, no sockets of its own, no errno: the kit ends it at the deadline.
   * Returns what was seen. May throw what the kit and the bytes reader throw; the attempt turns that into an outcome.
   */
  ask(target: Target, kit: Kit): Promise<Outcome>;
}

export interface Target {
  /** Canonical IPv4 or IPv6 address; with a zone for link-local. */
  readonly address: string;
  readonly family: Family;
  /** 0 where the carrier has no ports. */
  readonly port: number;
  /** What the site wrote, a name or the address: for SNI and the Host header. */
  readonly host: string;
  /** Fixed by the flow; the kit applies them to every socket it opens for this target. */
  readonly sourcePort?: number;
  readonly answersFrom?: number;
  readonly broadcast?: boolean;
  readonly proxied?: Proxied;
}

/** Everything a probe may touch. */
export interface Kit {
  /** Connects. Rejects when refused, silent or aborted; the ledger remembers why. */
  tcp(): Promise<Stream>;
  /** Connects, or takes a stream over (StartTLS), and completes a handshake. An untrusted certificate is a fact, not an error. */
  tls(options?: TlsOptions, over?: Stream): Promise<SecureStream>;
  /** A connected socket, so that refusals surface; where the target has `answersFrom` or `broadcast`, an unconnected one. */
  udp(options?: UdpOptions): Promise<Datagrams>;
  /**
   * Packets of an IP protocol, which has no ports: 1 and 58 ICMP, 47 GRE, 50 ESP. It needs CAP_NET_RAW; where that is
   * not to be had it rejects, and the ledger says `unable`. ICMP errors about our packets surface as refusals.
   */
  ip(protocol: number): Promise<Packets>;
  /** This machine lets us send what `ip` sends. */
  ipAllowed(): Promise<boolean>;
  /** One ICMP echo by the system's own `ping`, for where `ip` is not allowed. Rejects when refused, silent or aborted. */
  ping(): Promise<Pinged>;
  /** `size` bytes of cryptographic randomness. */
  random(size: number): Uint8Array;
  /** Wall clock, ms since 1970, with fractions. */
  now(): number;
  /** The bytes of a secret of the site, by its name. Throws when the site has none of that name; the plan saw to it. */
  secret(name: string): Uint8Array;
  /** Credentials may be used in this attempt. */
  readonly login: boolean;
  /** 8 random bytes of this attempt, to be embedded where the protocol has room. */
  readonly nonce: Uint8Array;
  readonly signal: AbortSignal;
  /** A remark for `--verbose`. */
  note(text: string): void;
  /**
   * What has been seen so far. It is the outcome where the deadline comes before `ask` returns: a first answer is worth
   * something though a second question stays unanswered. A later call replaces an earlier one.
   */
  seen(outcome: Outcome): void;
}

export interface Want {
  /** Resolve as soon as this many bytes are there. */
  readonly atLeast: number;
  /** Never hand out more. */
  readonly max: number;
  /** With it, go on reading up to `max` until the line has been quiet this long. */
  readonly quietMs?: number;
}

export interface SendOptions {
  /** Never dumped, not even with `--verbose`; of a datagram the answers neither, which may repeat it. */
  readonly secret?: boolean;
}

export interface Stream {
  /** Rejects with EndOfStream when the peer ends before `atLeast`. What is read beyond stays for the next read. */
  read(want: Want): Promise<Uint8Array>;
  /** Up to and including the first `delimiter`; rejects with ProtocolError when `max` bytes came without it. */
  readUntil(delimiter: Uint8Array, max: number): Promise<Uint8Array>;
  /** Waits up to `ms` for a byte, the end or a reset, and takes nothing away. Rejects with TlsAlert, as reads do, when that ended it. */
  peek(ms: number): Promise<'bytes' | 'end' | 'reset' | 'quiet'>;
  write(bytes: Uint8Array, options?: SendOptions): Promise<void>;
  /** Ends politely: what was written is sent, then FIN. */
  end(): Promise<void>;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** For a library's client that wants a socket. Once it has it, do not read through this stream any more. */
  readonly socket: Socket;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface TlsOptions {
  /** Default: the target's host where that is a name. */
  readonly servername?: string;
  readonly alpn?: readonly string[];
  /** Names of secrets: PEM certificates of the site's CA; PEM certificate and key to show when asked. */
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
}

export interface SecureStream extends Stream {
  readonly session: TlsSession;
}

/** What a handshake showed. Names are in RFC 4514 order of the certificate, `CN=a, O=b`. */
export interface TlsSession {
  readonly protocol: string;
  readonly cipher: string;
  readonly alpn?: string;
  readonly subject?: string;
  readonly issuer?: string;
  readonly names: readonly string[];
  /** ISO 8601, UTC. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** SHA-256 of the SubjectPublicKeyInfo, base64. */
  readonly pin?: string;
  /** The chain and name verify against the site's CA where given, else the system's. */
  readonly trusted: boolean;
  /** OpenSSL's word for why not: `SELF_SIGNED_CERT_IN_CHAIN`, `ERR_TLS_CERT_ALTNAME_INVALID`. */
  readonly distrust?: string;
  /** The certificate's public key: `RSA 2048`, `EC prime256v1`, `Ed25519`. */
  readonly key?: string;
  /**
   * The server sent a CertificateRequest (RFC 8446 §4.3.2). Only then has a client signature algorithms to share, which
   * is how node:tls shows it: `getSharedSigalgs().length > 0`, in the error handler of a failed handshake too. Absent: unknown.
   */
  readonly clientCertificateRequested?: boolean;
}

export interface UdpOptions {
  /** Local port, where the protocol fixes it. */
  readonly bind?: { readonly port: number };
  /** Take answers from any port of the target: the socket is then unconnected and sees no refusal. */
  readonly acceptFrom?: 'target' | 'target-any-port' | 'anyone';
  /** Ask by broadcast; implies `acceptFrom: 'anyone'`. */
  readonly broadcast?: boolean;
  /** A library is to have `socket`. It then hears less of who refuses. */
  readonly forLibrary?: boolean;
}

export interface Datagrams {
  /**
   * Sends `request`, again about every second, until `accept` returns something for a datagram or the deadline comes.
   * A datagram that `accept` answers with undefined, or at which it throws ProtocolError, is remembered as a stranger's.
   */
  exchange<T>(request: Uint8Array, accept: Accept<T>, options?: SendOptions): Promise<T>;
  /** Like `exchange`, but gathers all that is accepted for `forMs` after the first answer. Resolves with at least one. */
  collect<T>(request: Uint8Array, accept: Accept<T>, forMs: number, options?: SendOptions): Promise<readonly T[]>;
  /** Sends once and waits `forMs` for a refusal; for protocols without an answer. Rejects when refused. */
  send(request: Uint8Array, forMs: number, options?: SendOptions): Promise<void>;
  readonly local: Endpoint;
  /** For a library that wants a socket; only where `forLibrary` was asked for, else reading it throws TypeError. */
  readonly socket: DatagramSocket;
}

export type Accept<T> = (reply: Uint8Array, from: Endpoint) => T | undefined;

/** Packets of one IP protocol, to and from the target. What is sent and received begins after the IP header. */
export interface Packets {
  /**
   * Sends `request`, again about every second, until `accept` returns something for a packet of the target's or the
   * deadline comes. Every packet of that protocol that the target sends to this machine comes by, those of its other
   * programs too: one that `accept` answers with undefined, or at which it throws ProtocolError, is nobody's.
   */
  exchange<T>(request: Uint8Array, accept: AcceptPacket<T>, options?: SendOptions): Promise<T>;
  /** Sends once and waits `forMs` for a refusal; for protocols without an answer. Rejects when refused. */
  send(request: Uint8Array, forMs: number, options?: SendOptions): Promise<void>;
  /** The address that ours leave from, without a zone. */
  readonly local: string;
}

/** `from.ttl` is what the packet arrived with; absent over IPv6, where the system does not show it. */
export type AcceptPacket<T> = (
  packet: Uint8Array,
  from: { readonly address: string; readonly ttl?: number },
) => T | undefined;

/** An echo reply as `ping` tells of it. `bytes`: of the ICMP message. */
export interface Pinged {
  readonly bytes: number;
  readonly ttl: number;
  readonly roundTripMs: number;
}

/** The smallest honest peer of one protocol, run where the real service does not exist yet, and by `demo`. */
export interface StandIn {
  readonly carrier: 'tcp' | 'udp';
  /** Pure, so that amplification can be tested. An empty list is no answer. */
  reply?(request: Uint8Array, from: Endpoint): readonly Uint8Array[];
  /** Serves one accepted connection; the stage closes it afterwards. */
  session?(stream: Stream, stage: Stage): Promise<void>;
}

/** What a stand-in's session may use of its stage. */
export interface Stage {
  random(size: number): Uint8Array;
  now(): number;
  /** Completes a server handshake over an accepted stream, with a certificate made for this stage. */
  secure(
    stream: Stream,
    options?: { readonly alpn?: readonly string[]; readonly requestClientCert?: boolean },
  ): Promise<Stream>;
}

/** A folder of probes/ exports both. */
export interface ProbeModule {
  readonly probe: Probe;
  readonly standIn?: StandIn;
  /** Those for further carriers, where the protocol goes over several. */
  readonly otherStandIns?: readonly StandIn[];
}
