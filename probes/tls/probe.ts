// TLS (RFC 8446, RFC 5246): a complete handshake, and what the server showed in it. It sends nothing inside the channel.
import { z } from 'zod';
import { EndOfStream, TlsAlert } from '../../src/bytes/errors.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, SecureStream, Target } from '../../src/contract/probe.js';
import { keyNeedsCertificate, kitOptions, outcomeOfAlert, tlsFacts, tlsOptions } from './packet.js';

export { standIn } from './stand-in.js';

const options = z
  .strictObject({
    ...tlsOptions,
    alpn: z
      .array(z.string().min(1).max(255))
      .min(1)
      .max(8)
      .describe('Application protocols to offer (RFC 7301); default: none.')
      .optional(),
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem);

/**
 * How long to wait for what a TLS 1.3 server thinks of our Certificate message, ms. The client's handshake ends before
 * the server has read it (RFC 8446 §2, figure 1): the alert comes a round trip later, after a look at a directory perhaps.
 */
function watchMs(requested: boolean | undefined, handshakeMs: number): number {
  if (requested === false) return 0;
  const least = requested === true ? 1000 : 100;
  return Math.min(3000, Math.max(least, 3 * handshakeMs));
}

/** How the channel ended within `ms`, if it did; throws TlsAlert where an alert ended it. */
async function ending(secure: SecureStream, ms: number): Promise<'close' | 'reset' | undefined> {
  const seen = await secure.peek(ms);
  if (seen === 'bytes' || seen === 'quiet') return undefined;
  try {
    await secure.read({ atLeast: 1, max: 1 });
  } catch (error) {
    if (error instanceof TlsAlert) throw error;
    if (error instanceof EndOfStream) return 'close';
  }
  return seen === 'end' ? 'close' : 'reset';
}

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const shown = parsed['client-cert'] !== undefined;
  return {
    traits: {
      silence: 'conclusive',
      depths: ['port', 'secure'],
      defaultDepth: 'secure',
      sends: [
        { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
        // ClientHello of node:tls with SNI, then Finished and close_notify; measured 320 to 520 bytes.
        { what: 'a TLS handshake, without data', packets: 3, bytes: 500 },
      ],
    },
    async ask(_target: Target, kit: Kit): Promise<Outcome> {
      const beganMs = kit.now();
      let secure: SecureStream | undefined;
      try {
        secure = await kit.tls(kitOptions(parsed, parsed.alpn));
        const { session } = secure;
        // Before TLS 1.3 the handshake ends only once the server has accepted our certificate (RFC 5246 §7.3).
        const ms =
          session.protocol === 'TLSv1.3' ? watchMs(session.clientCertificateRequested, kit.now() - beganMs) : 0;
        const ended = ms === 0 ? undefined : await ending(secure, ms);
        const facts = tlsFacts(session, kit.now());
        // The channel stood: its end is worth a fact and no more.
        const after = ended === undefined ? {} : { afterHandshake: ended };
        return { kind: 'answered', depth: 'secure', facts: { ...facts, ...after } };
      } catch (error) {
        if (!(error instanceof TlsAlert)) throw error;
        const session = secure === undefined ? {} : { session: secure.session };
        return outcomeOfAlert(error, { shown, ...session, nowMs: kit.now() });
      }
    },
  };
}

export const probe: Probe = {
  name: 'tls',
  summary: 'A TLS handshake: a secure channel stands; certificate, issuer, expiry and key as facts.',
  carriers: ['tcp'],
  defaultPort: 443,
  options,
  bind,
};
