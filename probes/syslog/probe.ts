// The `syslog` probe: one message that says it is a test, over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425). No server
// ever answers it: over UDP and TCP only the log at the far end proves that it arrived, over TLS the handshake proves the
// secure channel.
import { z } from 'zod';
import { lookOf } from '../../src/bytes/text.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type {
  BoundProbe,
  Carrier,
  Kit,
  Probe,
  SecureStream,
  Stream,
  Target,
  Traits,
} from '../../src/contract/probe.js';
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
import { FACILITIES, SEVERITIES, encodeMessage, framed } from './packet.js';

export { otherStandIns, standIn } from './stand-in.js';

const options = z
  .strictObject({
    format: z
      .enum(['rfc5424', 'rfc3164'])
      .default('rfc5424')
      .describe('Of the message; rfc3164 for servers that do not read RFC 5424.'),
    facility: z.enum(FACILITIES).default('local7').describe('Of the message (RFC 5424 §6.2.1).'),
    severity: z
      .enum(SEVERITIES)
      .default('info')
      .describe('Of the message (RFC 5424 §6.2.1); info is kept by most servers and pages nobody.'),
    hostname: hostName.describe('Whose name the message bears; default: the address that it leaves from.').optional(),
    framing: z
      .enum(['octet-counting', 'newline'])
      .default('octet-counting')
      .describe('Over TCP and TLS (RFC 6587 §3.4): the length before the message, or a line end after it.'),
    tls: z.boolean().describe('Over TCP: in a TLS channel (RFC 5425). Default: on port 6514.').optional(),
    ...tlsOptions,
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem);

type Given = z.infer<typeof options>;

/** RFC 5425 §4.1. */
const TLS_PORT = 6514;
/** An ICMP error, a close or a reset takes one round trip; who has not refused in a second will not. */
const REFUSAL_MS = 1000;
/** What of an answer that nobody expects is looked at. */
const MOST_ANSWER = 256;
const ANSWER_QUIET_MS = 50;
/** The longest text of an address. */
const LONGEST_ADDRESS = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

function messageFrom(kit: Kit, given: Given, local: string): Uint8Array {
  const sentMs = kit.now();
  return encodeMessage({
    ...given,
    // A zone says nothing to others.
    hostname: given.hostname ?? local.replace(/%.*$/, ''),
    nonce: kit.nonce,
    sentMs,
    offsetMinutes: -new Date(sentMs).getTimezoneOffset(),
  });
}

/** By which the server's log is searched. */
function nonceFact(kit: Kit): Facts {
  return { nonce: Buffer.from(kit.nonce).toString('hex') };
}

async function askUdp(kit: Kit, given: Given): Promise<Outcome> {
  const socket = await kit.udp({ broadcast: false });
  await socket.send(messageFrom(kit, given, socket.local.address), REFUSAL_MS);
  return { kind: 'sent', sent: 1, waitedMs: REFUSAL_MS, facts: nonceFact(kit) };
}

/** How the far end took the message: a syslog server says nothing and stays. Throws ProtocolError for any answer. */
async function taken(stream: Stream): Promise<'close' | 'reset' | undefined> {
  switch (await stream.peek(REFUSAL_MS)) {
    case 'quiet':
      return undefined;
    case 'end':
      return 'close';
    case 'reset':
      return 'reset';
    case 'bytes':
      throw new ProtocolError(
        `${lookOf(await stream.read({ atLeast: 1, max: MOST_ANSWER, quietMs: ANSWER_QUIET_MS }))}, where a syslog server says nothing`,
      );
  }
}

async function askTcp(kit: Kit, given: Given): Promise<Outcome> {
  const stream = await kit.tcp();
  await stream.write(framed(messageFrom(kit, given, stream.local.address), given.framing));
  const ended = await taken(stream);
  if (ended !== undefined) return gone(ended, {});
  await stream.end();
  return { kind: 'sent', sent: 1, waitedMs: REFUSAL_MS, facts: nonceFact(kit) };
}

function gone(came: 'close' | 'reset', facts: Facts): Outcome {
  const detail = came === 'close' ? 'accepted, and closed without a word' : 'accepted, and reset';
  return { kind: 'stranger', came, detail: `${detail} when the message came`, facts };
}

async function askTls(kit: Kit, given: Given): Promise<Outcome> {
  const reached = await handshake(kit, given);
  if ('outcome' in reached) return reached.outcome;
  try {
    return await sendSecured(kit, given, reached.secure);
  } catch (error) {
    const alert = alertIn(error);
    if (alert === undefined) throw error;
    const shown = given['client-cert'] !== undefined;
    return outcomeOfAlert(alert, { shown, session: reached.secure.session, nowMs: kit.now() });
  }
}

async function sendSecured(kit: Kit, given: Given, secure: SecureStream): Promise<Outcome> {
  const { session } = secure;
  const facts = { ...tlsFacts(session, kit.now()), ...nonceFact(kit) };
  await secure.write(framed(messageFrom(kit, given, secure.local.address), given.framing));
  const ended = await taken(secure);
  if (ended === undefined) {
    // close_notify, as RFC 5425 §4.4 wants it.
    await secure.end();
    return { kind: 'answered', depth: 'secure', facts };
  }
  // Some servers close without an alert on a client whose certificate they asked for and did not get, or do not know.
  if (session.clientCertificateRequested === true) {
    return { kind: 'answered', depth: 'secure', facts: { ...facts, afterMessage: ended } };
  }
  return gone(ended, facts);
}

function bytesOf(given: Given): number {
  const hostname = given.hostname ?? LONGEST_ADDRESS;
  return encodeMessage({ ...given, hostname, nonce: new Uint8Array(8), sentMs: 0, offsetMinutes: 0 }).length;
}

function traitsOf(carrier: Carrier, given: Given): Traits {
  const what = `syslog message marked as a test (${given.facility}.${given.severity}), up to`;
  const bytes = bytesOf(given);
  if (carrier === 'udp') {
    return { silence: 'by-design', depths: ['port'], defaultDepth: 'port', sends: [{ what, packets: 1, bytes }] };
  }
  const message = { what, packets: 1, bytes: framed(new Uint8Array(bytes), given.framing).length };
  const shown = given['client-cert'] !== undefined;
  if (given.tls === true) {
    return {
      silence: 'conclusive',
      depths: ['port', 'secure'],
      defaultDepth: 'secure',
      sends: [...handshakeSends(shown), message],
    };
  }
  const connection = { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 };
  return {
    silence: 'by-design',
    depths: given.tls === false ? ['port'] : ['port', 'secure'],
    defaultDepth: 'port',
    sends: [connection, message],
  };
}

function bind(carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  return {
    traits: traitsOf(carrier, parsed),
    ask(target: Target, kit: Kit): Promise<Outcome> {
      if (carrier === 'udp') return askUdp(kit, parsed);
      return (parsed.tls ?? target.port === TLS_PORT) ? askTls(kit, parsed) : askTcp(kit, parsed);
    },
  };
}

export const probe: Probe = {
  name: 'syslog',
  summary: 'Syslog: one message marked as a test, which no server answers; TLS (port 6514) proves its channel',
  carriers: ['udp', 'tcp'],
  defaultPort: 514,
  options,
  bind,
};
