// HTTPS (RFC 9110 over RFC 8446): one request in a secure channel, and the status that answers it. No redirect is
// followed, no login tried, no proxy used unless the site names one.
import { z } from 'zod';
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import type { TlsAlert } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, SecureStream, Target } from '../../src/contract/probe.js';
import {
  alertIn,
  handshake,
  handshakeSends,
  keyNeedsCertificate,
  outcomeOfAlert,
  tlsFacts,
  tlsOptions,
} from '../tls/packet.js';
import { complaintOf, exchange, httpFacts, httpOptions, requestBytes, requestFor, unexpected } from './packet.js';
import type { HttpRequest } from './packet.js';

export { standIn } from './stand-in.js';

const USUAL_PORT = 443;

const options = z
  .strictObject({
    ...tlsOptions,
    ...httpOptions,
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem);

type Given = z.infer<typeof options>;

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
    const all = { ...facts(), ...httpFacts(answer, request) };
    const complaint = complaintOf(answer);
    if (complaint === 'certificate-refused' && shown) {
      const by = `HTTP status ${answer.status}`;
      return { kind: 'turned-away', presented: 'credentials', by, facts: { ...all, clientCertificate: 'refused' } };
    }
    const other = unexpected(answer, given, all);
    if (other !== undefined) return other;
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
  const sample = requestFor(parsed, 'host.example.net', USUAL_PORT, USUAL_PORT);
  return {
    traits: {
      silence: 'conclusive',
      depths: ['port', 'secure', 'protocol'],
      defaultDepth: 'protocol',
      proxied: 'tunnel',
      sends: [
        ...handshakeSends(parsed['client-cert'] !== undefined),
        { what: `${sample.method} ${sample.path}, about`, packets: 1, bytes: requestBytes(sample) },
      ],
    },
    async ask(target: Target, kit: Kit): Promise<Outcome> {
      const reached = await handshake(kit, withName, ['http/1.1']);
      if ('outcome' in reached) return reached.outcome;
      return ask(
        reached.secure,
        requestFor(parsed, target.host, target.proxied?.port ?? target.port, USUAL_PORT),
        parsed,
        kit,
      );
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
