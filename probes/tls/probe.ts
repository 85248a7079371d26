// TLS (RFC 8446, RFC 5246): a complete handshake, and what the server showed in it. It sends nothing inside the channel.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, SecureStream, Target } from '../../src/contract/probe.js';
import {
  alertIn,
  handshake,
  handshakeSends,
  keyNeedsCertificate,
  outcomeOfAlert,
  tlsFacts,
  tlsOptions,
  watchMs,
} from './packet.js';

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

/** How the channel ended within `ms`, if it did; throws TlsAlert where an alert ended it. */
async function ending(secure: SecureStream, ms: number): Promise<'close' | 'reset' | undefined> {
  switch (await secure.peek(ms)) {
    case 'end':
      return 'close';
    case 'reset':
      return 'reset';
    case 'bytes':
    case 'quiet':
      return undefined;
  }
}

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const shown = parsed['client-cert'] !== undefined;
  return {
    traits: { silence: 'conclusive', depths: ['port', 'secure'], defaultDepth: 'secure', sends: handshakeSends(shown) },
    async ask(_target: Target, kit: Kit): Promise<Outcome> {
      const beganMs = kit.now();
      const reached = await handshake(kit, parsed, parsed.alpn);
      if ('outcome' in reached) return reached.outcome;
      const { session } = reached.secure;
      // Before TLS 1.3 the handshake ends only once the server has accepted our certificate (RFC 5246 §7.3).
      const ms = session.protocol === 'TLSv1.3' ? watchMs(session.clientCertificateRequested, kit.now() - beganMs) : 0;
      try {
        const ended = ms === 0 ? undefined : await ending(reached.secure, ms);
        // close_notify (RFC 8446 §6.1), so that no server logs a truncated session.
        if (ended === undefined) await reached.secure.end();
        // The channel stood: its end is worth a fact and no more.
        const after = ended === undefined ? {} : { afterHandshake: ended };
        return { kind: 'answered', depth: 'secure', facts: { ...tlsFacts(session, kit.now()), ...after } };
      } catch (error) {
        const alert = alertIn(error);
        if (alert === undefined) throw error;
        return outcomeOfAlert(alert, { shown, session, nowMs: kit.now() });
      }
    },
  };
}

export const probe: Probe = {
  name: 'tls',
  summary:
    'A TLS handshake: a secure channel stands; certificate, issuer, expiry and key as facts (RFC 8446, RFC 5246)',
  carriers: ['tcp'],
  defaultPort: 443,
  options,
  bind,
};
