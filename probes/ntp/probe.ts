// The `ntp` probe (RFC 5905): a client's question (mode 3), a server's answer (mode 4), and what it says of its clock.
// It sets no clock.
import { z } from 'zod';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Traits } from '../../src/contract/probe.js';
import {
  HEADER_BYTES,
  LEAP_UNKNOWN,
  MODE_SERVER,
  STRATUM_UNSYNCHRONISED,
  clockOf,
  encodeRequest,
  kissCodeOf,
  parsePacket,
  referenceIdText,
  timestampOf,
  type NtpPacket,
} from './packet.js';

const options = z.strictObject({
  version: z
    .literal([3, 4])
    .default(4)
    .describe('NTP version of the question; 3 for servers that ignore version 4 (RFC 5905 §7.3).'),
});

export { standIn } from './stand-in.js';

export const probe: Probe = {
  name: 'ntp',
  summary: 'NTP: a server answers and says how well its clock is synchronised (RFC 5905).',
  carriers: ['udp'],
  defaultPort: 123,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const { version } = options.parse(given);
    return { traits, ask: (_target, kit) => ask(kit, version) };
  },
};

const traits: Traits = {
  silence: 'conclusive',
  depths: ['protocol'],
  defaultDepth: 'protocol',
  sends: [{ what: 'NTP client request', packets: 1, bytes: HEADER_BYTES }],
};

/**
 * The kit repeats the question about every second, with the same timestamp. Past this round trip it cannot be known
 * which copy was answered, and a clock offset would be a guess.
 */
const FIRST_COPY_MS = 900;

async function ask(kit: Kit, version: number): Promise<Outcome> {
  const socket = await kit.udp();
  // RFC 5905 §7.3 has exactly eight bytes for the attempt's nonce.
  const request = encodeRequest(version, kit.nonce);
  const asked = parsePacket(request).transmit;
  const askedMs = kit.now();
  const { packet, cameMs } = await socket.exchange(request, (reply) => {
    const received = parsePacket(reply);
    // RFC 5905 §8: an answer copies our transmit timestamp into originate; all else is old, or somebody's guess.
    if (received.mode !== MODE_SERVER || received.originate !== asked) return undefined;
    return { packet: received, cameMs: kit.now() };
  });

  const kissCode = kissCodeOf(packet);
  const facts = { ...packetFacts(packet), ...clockFacts(packet, askedMs, cameMs) };
  // RFC 5905 §7.4: with these two the server refuses to serve this address, or any stranger.
  if (kissCode === 'DENY' || kissCode === 'RSTR') {
    return { kind: 'turned-away', presented: 'client', by: `kiss-o'-death ${kissCode}`, facts };
  }
  return { kind: 'answered', depth: 'protocol', facts };
}

const LEAP_WORDS = ['none', 'add-second', 'delete-second', 'unsynchronised'] as const;

function packetFacts(packet: NtpPacket): Facts {
  const { leap, stratum, version } = packet;
  const kissCode = kissCodeOf(packet);
  const referenceId = referenceIdText(packet);
  return {
    version,
    stratum,
    leap: LEAP_WORDS[leap] ?? 'unsynchronised',
    synchronised: leap !== LEAP_UNKNOWN && stratum > 0 && stratum < STRATUM_UNSYNCHRONISED,
    ...(kissCode === undefined ? {} : { kissCode }),
    ...(referenceId === undefined || kissCode !== undefined ? {} : { referenceId }),
    rootDelayMs: rounded(packet.rootDelayMs),
    rootDispersionMs: rounded(packet.rootDispersionMs),
  };
}

/** Nothing where the server gave no time. In a kiss-o'-death ntpd repeats the client's own timestamp in its place. */
function clockFacts(packet: NtpPacket, askedMs: number, cameMs: number): Facts {
  const { receive, transmit } = packet;
  const noTime = receive === 0n || transmit === 0n || kissCodeOf(packet) !== undefined;
  if (noTime || cameMs - askedMs > FIRST_COPY_MS) return {};
  const { offsetMs, delayMs } = clockOf(timestampOf(askedMs), receive, transmit, timestampOf(cameMs));
  return { offsetMs: rounded(offsetMs), delayMs: rounded(delayMs) };
}

/** To a tenth of a millisecond: finer than what a process of ours can see of a clock. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10 + 0;
}
