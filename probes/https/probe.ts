// HTTPS (RFC 9110 over RFC 8446): one request in a secure channel, and the status that answers it. No redirect is
// followed, no login tried, no proxy used.
import { z } from 'zod';
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import type { TlsAlert } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, SecureStream, Target } from '../../src/contract/probe.js';
import {
  alertIn,
  handshake,
  handshakeSends,
  hostName,
  keyNeedsCertificate,
  outcomeOfAlert,
  tlsFacts,
  tlsOptions,
} from '../tls/packet.js';
import { complaintOf, exchange, hostField, httpFacts, isExpected, requestBytes } from './packet.js';
import type { HttpRequest } from './packet.js';

export { standIn } from './stand-in.js';

const USUAL_PORT = 443;

const A_STATUS = 'expected a status such as 200, or a class such as 2xx';
const status = z.union(
  [z.int(A_STATUS).min(100, A_STATUS).max(599, A_STATUS), z.string().regex(/^[1-5](?:\d\d|xx)$/, A_STATUS)],
  { error: A_STATUS },
);

const options = z
  .strictObject({
    ...tlsOptions,
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
    host: hostName.describe('Name to put in the Host field, and in SNI unless servername is given.').optional(),
    'expect-status': z
      .union([status, z.array(status).min(1, A_STATUS)], { error: `${A_STATUS}, or a list of them` })
      .describe('Status or class, or a list of them, that must answer; default: any.')
      .optional(),
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem);

type Given = z.infer<typeof options>;

function requestFor(given: Given, host: string, port: number): HttpRequest {
  return {
    method: given.method ?? 'GET',
    path: given.path ?? '/',
    host: hostField(given.host ?? host, port, USUAL_PORT),
  };
}

async function ask(secure: SecureStream, request: HttpRequest, given: Given, kit: Kit): Promise<Outcome> {
  const shown = given['client-cert'] !== undefined;
  const { session } = secure;
  const facts = (): Facts => tlsFacts(session, kit.now());
  // In TLS 1.3 the server's word on our certificate comes after the handshake, and undici may see only the close.
  let alert: TlsAlert | undefined;
  secure.socket.on('error', (error) => {
    alert ??= alertIn(error);
  });
  try {
    const answer = await exchange(secure.socket, request);
    const all = { ...facts(), ...httpFacts(answer) };
    const complaint = complaintOf(answer);
    if (complaint === 'certificate-refused' && shown) {
      const by = `HTTP status ${answer.status}`;
      return { kind: 'turned-away', presented: 'credentials', by, facts: { ...all, clientCertificate: 'refused' } };
    }
    const expected = [given['expect-status'] ?? []].flat();
    if (expected.length > 0 && !isExpected(answer.status, expected)) {
      const detail = `HTTP status ${answer.status}, where ${expected.join(' or ')} is expected`;
      return { kind: 'stranger', came: 'other-protocol', detail, facts: all };
    }
    const demanded = complaint === 'certificate-demanded' ? { clientCertificate: 'demanded' } : {};
    return { kind: 'answered', depth: 'protocol', facts: { ...all, ...demanded } };
  } catch (error) {
    alert ??= alertIn(error);
    if (alert !== undefined) return outcomeOfAlert(alert, { shown, session, nowMs: kit.now() });
    // What the end of the attempt did to the socket is not the peer's doing.
    if (kit.signal.aborted) throw error;
    if (error instanceof ProtocolError) {
      return { kind: 'stranger', came: 'other-protocol', detail: error.message, facts: facts() };
    }
    if (error instanceof EndOfStream) {
      return { kind: 'stranger', came: 'close', detail: 'closed without an HTTP answer', facts: facts() };
    }
    throw error;
  }
}

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const withName = { ...parsed, servername: parsed.servername ?? parsed.host };
  const sample = requestFor(parsed, 'host.example.net', USUAL_PORT);
  return {
    traits: {
      silence: 'conclusive',
      depths: ['port', 'secure', 'protocol'],
      defaultDepth: 'protocol',
      sends: [
        ...handshakeSends(parsed['client-cert'] !== undefined),
        { what: `${sample.method} ${sample.path}, about`, packets: 1, bytes: requestBytes(sample) },
      ],
    },
    async ask(target: Target, kit: Kit): Promise<Outcome> {
      const reached = await handshake(kit, withName, ['http/1.1']);
      if ('outcome' in reached) return reached.outcome;
      return ask(reached.secure, requestFor(parsed, target.host, target.port), parsed, kit);
    },
  };
}

export const probe: Probe = {
  name: 'https',
  summary: 'HTTPS: one request, and any HTTP status in a secure channel answers it; no redirect followed (RFC 9110)',
  carriers: ['tcp'],
  defaultPort: USUAL_PORT,
  options,
  bind,
};
