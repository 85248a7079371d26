// HTTP without TLS (RFC 9110, RFC 9112): one request, and the status that answers it. No redirect is followed, no login
// tried, no proxy used unless the site says so.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target } from '../../src/contract/probe.js';
import {
  NotHttp,
  complaintOf,
  exchange,
  forProxy,
  httpFacts,
  httpOptions,
  mayBeTheProxys,
  requestBytes,
  requestFor,
  unexpected,
} from '../https/packet.js';
import type { GivenHttpOptions, HttpRequest } from '../https/packet.js';

export { standIn } from './stand-in.js';

const USUAL_PORT = 80;

const options = z.strictObject(httpOptions);

const WANTS_TLS = { wantsTls: true };

/** RFC 8446 §5.1: an alert or a handshake record; a server that waits for a ClientHello says no to a request with one. */
function isTlsRecord([type, major]: Uint8Array): boolean {
  return (type === 0x15 || type === 0x16) && major === 3;
}

async function ask(kit: Kit, request: HttpRequest, given: GivenHttpOptions, byProxy: boolean): Promise<Outcome> {
  const { socket } = await kit.tcp();
  try {
    const answer = await exchange(socket, byProxy ? forProxy(request) : request);
    const facts = httpFacts(answer, request);
    if (complaintOf(answer) === 'plain-http') {
      const detail = `HTTP status ${answer.status}, which says that HTTPS is expected on this port`;
      return { kind: 'stranger', came: 'other-protocol', detail, facts };
    }
    if (byProxy && given['expect-status'] === undefined && mayBeTheProxys(answer)) {
      const detail = `HTTP status ${answer.status}, which may be the proxy's own word`;
      return { kind: 'stranger', came: 'other-protocol', detail, facts };
    }
    return unexpected(answer, given, facts) ?? { kind: 'answered', depth: 'protocol', facts };
  } catch (error) {
    if (error instanceof NotHttp && isTlsRecord(error.start)) {
      const detail = 'a TLS record: HTTPS, or another protocol in TLS, is spoken on this port';
      return { kind: 'stranger', came: 'other-protocol', detail, facts: WANTS_TLS };
    }
    throw error;
  }
}

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const sample = requestFor(parsed, 'host.example.net', USUAL_PORT, USUAL_PORT);
  return {
    traits: {
      silence: 'conclusive',
      depths: ['port', 'protocol'],
      defaultDepth: 'protocol',
      proxied: 'forward',
      sends: [
        { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
        { what: `${sample.method} ${sample.path}, about`, packets: 1, bytes: requestBytes(sample) },
      ],
    },
    ask({ host, port, proxied }: Target, kit: Kit): Promise<Outcome> {
      const request = requestFor(parsed, host, proxied?.port ?? port, USUAL_PORT);
      return ask(kit, request, parsed, proxied !== undefined);
    },
  };
}

export const probe: Probe = {
  name: 'http',
  summary: 'HTTP: one request, and any HTTP status answers it; no redirect followed (RFC 9110)',
  carriers: ['tcp'],
  defaultPort: USUAL_PORT,
  options,
  bind,
};
