// What http and https share: options, one HTTP/1.1 request over a socket that stands, and what the answer says (RFC 9110,
// RFC 9112). Knows no TLS and opens no connection; undici parses.
import type { Socket } from 'node:net';
import { z } from 'zod';
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import { hostName } from '../tls/packet.js';

const A_STATUS = 'expected a status such as 200, or a class such as 2xx';
const status = z.union(
  [z.int(A_STATUS).min(100, A_STATUS).max(599, A_STATUS), z.string().regex(/^[1-5](?:\d\d|xx)$/, A_STATUS)],
  { error: A_STATUS },
);

/** The keys that every probe over HTTP takes; spread into its z.strictObject. */
export const httpOptions = {
  method: z
    .enum(['GET', 'HEAD'])
    .describe('Default: GET, of which only the beginning is read; many appliances answer HEAD wrongly.')
    .optional(),
  path: z
    .string()
    .max(1024)
    .regex(/^\/[!-~]*$/, 'expected a path that begins with "/" and holds no spaces')
    .describe('Path to ask for, with query; default: /.')
    .optional(),
  host: hostName.describe('Name to put in the Host field, over TLS in SNI too unless servername is given.').optional(),
  'expect-status': z
    .union([status, z.array(status).min(1, A_STATUS)], { error: `${A_STATUS}, or a list of them` })
    .describe('Status or class, or a list of them, that must answer; default: any.')
    .optional(),
};

export type GivenHttpOptions = z.infer<z.ZodObject<typeof httpOptions>>;

/** The one request. `host`: the target as the site wrote it; `usualPort`: that of the scheme. */
export function requestFor(given: GivenHttpOptions, host: string, port: number, usualPort: number): HttpRequest {
  return {
    method: given.method ?? 'GET',
    path: given.path ?? '/',
    host: hostField(given.host ?? host, port, usualPort),
  };
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  /** The Host field: a name or an address, an IPv6 one in brackets, with the port where it is not the scheme's own. */
  readonly host: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** What of the body came along with the headers, at most 2 KiB. */
  readonly bodyStart: string;
}

/** What came where an HTTP answer should, by its first bytes. */
export class NotHttp extends ProtocolError {
  readonly start: Uint8Array;
  constructor(start: Uint8Array, options: ErrorOptions) {
    super(`what came is not HTTP/1.1${start.length === 0 ? '' : `: ${lookOf(start)}`}`, options);
    this.start = start;
  }
}

const MOST_HEADER_BYTES = 16 * 1024;
const MOST_BODY_CHARACTERS = 2048;
const MOST_FACT_CHARACTERS = 200;
export const USER_AGENT = 'linecheck';

/** An IPv6 address stands in brackets (RFC 3986 §3.2.2); its zone means nothing to others (RFC 6874 §4). */
export function hostField(host: string, port: number, usualPort: number): string {
  const name = host.includes(':') ? `[${host.replace(/%.*$/, '')}]` : host;
  return port === usualPort ? name : `${name}:${port}`;
}

/**
 * The same for a proxy that is to pass it on (RFC 9112 §3.2.2). Over TLS there is a tunnel instead, and no proxy reads it.
 */
export function forProxy(request: HttpRequest): HttpRequest {
  return { ...request, path: `http://${request.host}${request.path}` };
}

/**
 * Statuses that a proxy says of its own accord: it wants a login, denies, or reached nobody (RFC 9110 §15). Of the
 * server beyond it they prove nothing.
 */
const OF_A_PROXY: ReadonlySet<number> = new Set([403, 407, 502, 503, 504]);

export function mayBeTheProxys({ status }: HttpAnswer): boolean {
  return OF_A_PROXY.has(status);
}

/** Bytes of the request on the wire, nearly: for `plan`. */
export function requestBytes({ method, path, host }: HttpRequest): number {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    'connection: close',
    `user-agent: ${USER_AGENT}`,
    '',
    '',
  ];
  return lines.join('\r\n').length;
}

/**
 * Asks once, follows no redirect, looks at no proxy setting, and leaves after the headers.
 * Throws ProtocolError where the answer is not HTTP or too long, EndOfStream where the peer closed without one, and else
 * what the socket failed with.
 */
export async function exchange(socket: Socket, request: HttpRequest): Promise<HttpAnswer> {
  // Loaded before the socket is looked at: a socket must not end while nobody listens to it.
  const { Client, errors } = await import('undici');
  let handedOut = false;
  const client = new Client(`http://${request.host}`, {
    // A connector that calls back at once hangs the client for ever. So does one that hands out a socket that is gone, or
    // the same one twice: the client asks for another without end, and no timer runs meanwhile.
    connect: (_options, done) =>
      queueMicrotask(() => {
        const again = handedOut;
        handedOut = true;
        if (!again && !socket.destroyed) done(null, socket);
        else done(lossOf(socket, errors.SocketError), null);
      }),
    maxHeaderSize: MOST_HEADER_BYTES,
    // The kit ends the attempt; these would be timers of our own.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const { statusCode, headers, body } = await client.request({
      method: request.method,
      path: request.path,
      headers: { host: request.host, 'user-agent': USER_AGENT },
      reset: true,
    });
    // Leaving before the end of the body is an error to undici.
    body.on('error', () => undefined);
    // The body may never end; what came along with the headers is there already.
    const start: unknown = body.read();
    body.destroy();
    const bodyStart = start instanceof Uint8Array ? printable(start, MOST_BODY_CHARACTERS) : '';
    return { status: statusCode, headers, bodyStart };
  } catch (error) {
    if (error instanceof errors.HTTPParserError) {
      const rest = 'data' in error && typeof error.data === 'string' ? error.data : '';
      throw new NotHttp(Buffer.from(rest, 'latin1'), { cause: error });
    }
    if (error instanceof errors.SocketError) throw new EndOfStream(error.socket?.bytesRead ?? 0);
    if (error instanceof errors.HeadersOverflowError) {
      throw new ProtocolError(`HTTP headers of more than ${MOST_HEADER_BYTES} bytes`, { cause: error });
    }
    if (error instanceof errors.UndiciError)
      throw new ProtocolError(`no good HTTP: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await client.destroy();
  }
}

/** Why a socket is gone. An error of the client's own about it would only make the client try again. */
function lossOf({ errored, bytesRead }: Socket, OwnError: new () => Error): Error {
  return errored === null || errored instanceof OwnError ? new EndOfStream(bytesRead) : errored;
}

/**
 * What servers of several makers say in a body with status 400 about the TLS around or missing from a request:
 * `plain-http`: TLS was expected there; `certificate-demanded`, `certificate-refused`: a client certificate (nginx).
 */
export function complaintOf({
  status,
  bodyStart,
}: HttpAnswer): 'plain-http' | 'certificate-demanded' | 'certificate-refused' | undefined {
  if (status !== 400) return undefined;
  if (/plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|speaking plain HTTP/.test(bodyStart)) {
    return 'plain-http';
  }
  if (bodyStart.includes('No required SSL certificate was sent')) return 'certificate-demanded';
  if (bodyStart.includes('The SSL certificate error')) return 'certificate-refused';
  return undefined;
}

function field(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  const text = typeof value === 'string' ? value : value?.join(', ');
  return text === undefined ? undefined : printable(new TextEncoder().encode(text), MOST_FACT_CHARACTERS);
}

/** The schemes that a server challenges with, without their parameters: `Basic`, `Negotiate` (RFC 9110 §11.6.1). */
function schemes(answer: HttpAnswer): readonly string[] {
  const challenges = field(answer, 'www-authenticate') ?? field(answer, 'proxy-authenticate') ?? '';
  return [...challenges.matchAll(/(?:^|,\s*)([A-Za-z][A-Za-z0-9-]*)(?=\s+[^\s=]|,|$)/g)].map(
    ([, scheme = '']) => scheme,
  );
}

/** The host that a redirect leads to, where that is another than was asked (RFC 9110 §10.2.2). */
function redirectHost({ status, headers }: HttpAnswer, { host }: HttpRequest): string | undefined {
  const { location } = headers;
  if (status < 300 || status > 399 || typeof location !== 'string') return undefined;
  try {
    const [asked, led] = [new URL(`http://${host}`), new URL(location, `http://${host}`)];
    return led.hostname === '' || led.hostname === asked.hostname ? undefined : led.hostname;
  } catch {
    return undefined;
  }
}

/**
 * Status and the few fields that tell a tech what answered. A redirect is never followed; one to another host is named,
 * and so is a network that asks for a login first (511, RFC 6585 §6): a captive portal answers in one of these ways.
 */
export function httpFacts(answer: HttpAnswer, request: HttpRequest): Facts {
  const [server, location, asked] = [field(answer, 'server'), field(answer, 'location'), schemes(answer)];
  const other = redirectHost(answer, request);
  return {
    status: answer.status,
    ...(server === undefined ? {} : { server }),
    ...(location === undefined ? {} : { location }),
    ...(other === undefined ? {} : { redirectHost: printable(new TextEncoder().encode(other), MOST_FACT_CHARACTERS) }),
    ...(answer.status === 511 ? { networkLoginRequired: true } : {}),
    ...(asked.length === 0 ? {} : { authenticate: asked }),
    ...(complaintOf(answer) === 'plain-http' ? { wantsTls: true } : {}),
  };
}

/** One of `expected`: a status such as 200, or a class such as `2xx`. */
export function isExpected(status: number, expected: readonly (number | string)[]): boolean {
  return expected.some((each) => String(each) === String(status) || String(each) === `${Math.floor(status / 100)}xx`);
}

/** The outcome where the flow expects another status than came; undefined where it expects this one or any. */
export function unexpected(answer: HttpAnswer, given: GivenHttpOptions, facts: Facts): Outcome | undefined {
  const expected = [given['expect-status'] ?? []].flat();
  if (expected.length === 0 || isExpected(answer.status, expected)) return undefined;
  const detail = `HTTP status ${answer.status}, where ${expected.join(' or ')} is expected`;
  return { kind: 'stranger', came: 'other-protocol', detail, facts };
}

/** How a head of fields ends (RFC 9112 §2.1), and how long a stand-in lets one be. */
export const HEAD_END = new TextEncoder().encode('\r\n\r\n');
export const MOST_HEAD_BYTES = 8192;
const BODY = 'linecheck stand-in\n';

/** What a stand-in says to a request, whatever it asks for. */
export function standInAnswer(head: Uint8Array): Uint8Array {
  // RFC 9110 §9.3.2: the answer to HEAD has the same fields and no body.
  const body = Buffer.from(head.subarray(0, 5)).toString('latin1') === 'HEAD ' ? '' : BODY;
  const fields = ['HTTP/1.1 200 OK', 'content-type: text/plain', `content-length: ${BODY.length}`, 'connection: close'];
  return new TextEncoder().encode(`${fields.join('\r\n')}\r\n\r\n${body}`);
}
