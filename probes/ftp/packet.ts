// What an FTP server's replies say (RFC 959, RFC 2389, RFC 4217). Replies themselves are read by smtp/packet.ts. Pure.
import type { Facts } from '../../src/contract/outcome.js';
import { capped, hasEnhancedCode, sentenceOf, type Reply } from '../smtp/packet.js';

/** The features that a reply to FEAT lists (RFC 2389 §3.2): the lines between the first and the last. */
export function featuresOf({ code, lines }: Reply): readonly string[] {
  return code === 211 ? lines.slice(1, -1).map((line) => line.trim()) : [];
}

/** RFC 4217 §6 writes `AUTH TLS`; Microsoft's server lists all its ways in one line, `AUTH TLS;TLS-C;SSL;`. */
export function offersAuthTls(features: readonly string[]): boolean {
  return features.some((feature) => /^AUTH\b.*\bTLS\b/i.test(feature));
}

/**
 * Whether a greeting other than 220 can be an FTP server's: 421, 530, or in general what an SMTP server would not say
 * (RFC 5321 §4.3.2, RFC 7504: 521, 554).
 */
export function isFtpRefusal(greeting: Reply): boolean {
  return greeting.code >= 400 && ![450, 451, 452, 521, 550, 554].includes(greeting.code) && !hasEnhancedCode(greeting);
}

/** An FTP server's word that a command wants a login first (RFC 959 §4.2.1); in SMTP 530 wants STARTTLS (RFC 3207 §4). */
export function wantsLogin(reply: Reply): boolean {
  return reply.code === 530 && !hasEnhancedCode(reply) && !/STARTTLS/i.test(reply.lines.join(' '));
}

export function greetingFacts(greeting: Reply): Facts {
  return { greeting: sentenceOf(greeting) };
}

export function featureFacts(features: readonly string[]): Facts {
  return {
    features: capped(features),
    authTls: offersAuthTls(features) ? 'offered' : 'not offered',
  };
}
