// A refusal: who sent it and what that means. By the target it is `closed`, by others `blocked` or `unreachable`.
import type { Outcome } from '../contract/outcome.js';
import type { Proof } from '../contract/verdict.js';
import { isIPv6 } from './address.js';
import { fit, hopsAway } from './distance.js';
import type { Finding } from './finding.js';
import { icmpName } from './icmp.js';
import { hostHops } from './liveness.js';
import { icmpRefusal, packetOf, refusalPacket, type RefusalPacket } from './refusal-packet.js';
import { addressAtHop, type Scene } from './scene.js';
import { away, seconds } from './wording.js';

type Refused = Extract<Outcome, { kind: 'refused' }>;

/** A neighbour lookup takes Linux about 3 s (three ARP or ND requests, one second apart); an ICMP error milliseconds. */
const NEIGHBOUR_LOOKUP_MS = 2500;

export function refused(scene: Scene, outcome: Refused): Finding {
  if (outcome.signal === 'local-firewall') {
    return { verdict: 'blocked', how: 'local', certain: 'proven', proof: ['errno'], direction: 'forward' };
  }
  const packet = refusalPacket(scene.record, scene.target, outcome);
  if (packet === undefined) return { verdict: 'unreachable', how: 'no-route', certain: 'proven', proof: ['errno'] };
  return packet.sender === 'unknown' ? byErrno(scene, outcome, packet) : bySender(scene, packet);
}

/** An ICMP refusal beside silence: datagrams never see 3/0 and 3/1, and TCP ignores soft errors once connected. */
export function rejectedInFlight(scene: Scene): Finding | undefined {
  const icmp = icmpRefusal(scene.record);
  return icmp === undefined ? undefined : bySender(scene, packetOf(scene.record, scene.target, icmp));
}

function bySender(scene: Scene, packet: RefusalPacket): Finding {
  if (packet.sender === 'target') return inTargetsName(scene, packet);
  if (packet.sender === 'self') return byThisMachine(scene, packet);
  return byOther(scene, packet);
}

// "From others: 3/2, 3/3, 3/9, 3/10, 3/13, v6 1/1, 1/4 to 1/6 are `blocked, rejected`; 3/0, 3/1, v6 1/0, 1/3 are `unreachable`."
function byOther(scene: Scene, packet: RefusalPacket): Finding {
  const by = packet.by === undefined ? {} : { by: packet.by };
  const seen = saying(packet);
  if (packet.meaning === 'no-route' || packet.meaning === 'no-host') {
    const contradicted = scene.host.alive === 'proven';
    return {
      verdict: 'unreachable',
      how: packet.meaning,
      certain: contradicted ? 'likely' : 'proven',
      proof: ['rejection'],
      ...by,
      direction: 'forward',
      ...seen,
      ...(contradicted ? { hint: `Yet ${aliveWords(scene)}, so this may be a filter that says so.` } : {}),
    };
  }
  return {
    verdict: 'blocked',
    how: 'rejected',
    certain: 'proven',
    proof: ['rejection'],
    ...by,
    direction: 'forward',
    ...seen,
  };
}

// Our own kernel speaks from our own address: a neighbour that did not answer, or our own filter.
function byThisMachine(scene: Scene, packet: RefusalPacket): Finding {
  const seen = saying(packet);
  if (packet.meaning === 'no-host') {
    return {
      verdict: 'unreachable',
      how: 'no-host',
      certain: scene.host.alive === 'proven' ? 'likely' : 'proven',
      proof: ['rejection'],
      seen: 'the lookup of its address on the local network got no answer',
    };
  }
  if (packet.meaning === 'no-route') {
    return { verdict: 'unreachable', how: 'no-route', certain: 'proven', proof: ['rejection'], ...seen };
  }
  return { verdict: 'blocked', how: 'local', certain: 'proven', proof: ['rejection'], direction: 'forward', ...seen };
}

// "`closed, proven` only if source address and TTL both fit the target; without that evidence `closed, likely`.
// Unequal TTL is evidence of somebody else; equal TTL proves little."
function inTargetsName(scene: Scene, packet: RefusalPacket): Finding {
  const known = hostHops(scene.host);
  const fitting = fit(packet.ttl, known.hops);
  const kind: Proof = packet.medium === 'reset' ? 'reset' : 'rejection';
  const by = packet.by === undefined ? {} : { by: packet.by };
  if (fitting === 'nearer') return forged(scene, packet, known, kind);
  if (packet.meaning === 'prohibited') {
    // The host's own filter says no: the path is fine, the flow is not.
    return {
      verdict: 'blocked',
      how: 'rejected',
      certain: fitting === 'fits' ? 'proven' : 'likely',
      proof: fitting === 'fits' ? [kind, 'ttl'] : [kind],
      ...by,
      direction: 'forward',
      ...saying(packet),
    };
  }
  if (packet.meaning === 'no-route' || packet.meaning === 'no-host') {
    // The address passes our packets on and cannot deliver them: a translated address whose host is away.
    return {
      verdict: 'unreachable',
      how: packet.meaning,
      certain: 'likely',
      proof: [kind],
      ...by,
      ...saying(packet),
      hint: 'The address itself says so: it may stand for another host behind it.',
    };
  }
  const how =
    packet.medium === 'reset'
      ? 'reset'
      : packet.meaning === 'port'
        ? ('port-unreachable' as const)
        : ('refused' as const);
  return {
    verdict: 'closed',
    how,
    certain: fitting === 'fits' ? 'proven' : 'likely',
    proof: fitting === 'fits' ? [kind, 'ttl'] : [kind],
    ...by,
    ...saying(packet),
  };
}

function forged(
  scene: Scene,
  packet: RefusalPacket,
  known: { readonly hops: readonly number[]; readonly firm: boolean },
  kind: Proof,
): Finding {
  const hops = packet.ttl === undefined ? 0 : hopsAway(packet.ttl);
  const address = addressAtHop(scene, hops + 1);
  return {
    verdict: 'blocked',
    how: packet.medium === 'reset' ? 'reset' : 'rejected',
    // Handshakes alone may be a SYN proxy's, which would make the proxy the stranger and not this packet's sender.
    certain: known.firm ? 'proven' : 'likely',
    proof: [kind, 'ttl'],
    ...(address === undefined ? {} : { by: { address } }),
    direction: 'forward',
    seen: `it bears the host's address and came from ${away(hops)}, the host is ${away(Math.max(...known.hops))}`,
  };
}

// "With errno alone: ECONNREFUSED is `closed, refused, likely`; EHOSTUNREACH or ENETUNREACH at once is `blocked, rejected,
// likely`, after about 3 s `unreachable, no-host`."
function byErrno(scene: Scene, outcome: Refused, packet: RefusalPacket): Finding {
  const proof: readonly Proof[] = ['errno'];
  switch (packet.meaning) {
    case 'port': {
      // A TTL without its packet's kind: errno said refused, the TTL says by whom.
      if (packet.ttl !== undefined && scene.target !== undefined) {
        const medium = scene.check.carrier === 'tcp' ? 'reset' : 'icmp';
        return inTargetsName(scene, { ...packet, medium, by: { address: scene.target } });
      }
      return { verdict: 'closed', how: 'refused', certain: 'likely', proof };
    }
    case 'protocol':
      // Every host has TCP and UDP: only for other IP protocols is this the target's own word (RFC 792).
      return scene.check.carrier === 'tcp' || scene.check.carrier === 'udp'
        ? rejectedByErrno(proof)
        : { verdict: 'closed', how: 'refused', certain: 'likely', proof };
    case 'prohibited':
      return rejectedByErrno(proof);
    case 'no-route':
      return toldOnly(scene, 'no-route') ?? rejectedByErrno(proof);
    case 'no-host':
      return toldOnly(scene, 'no-host') ?? noHostByErrno(scene, outcome) ?? rejectedByErrno(proof);
  }
}

/**
 * An error that means what it says: over IPv6, where Linux has EACCES for a filter's word (1/1, 1/5, 1/6); over IPv4, where the
 * same errno stands for 3/9, 3/10 and 3/13, if datagrams to that host went without any word.
 */
function toldOnly(scene: Scene, how: 'no-route' | 'no-host'): Finding | undefined {
  const { target, host, check } = scene;
  const alone = check.carrier === 'tcp' && host.silentToDatagrams && !host.rejectsDatagrams && host.alive === undefined;
  if (target === undefined || !(isIPv6(target) || (how === 'no-route' && alone))) return undefined;
  return {
    verdict: 'unreachable',
    how,
    certain: 'likely',
    proof: ['errno'],
    ...(host.alive === 'proven' ? { hint: `Yet ${aliveWords(scene)}, so this may be a filter that says so.` } : {}),
  };
}

function noHostByErrno(scene: Scene, outcome: Refused): Finding | undefined {
  // A datagram's socket hears of no error that may pass, so not of a lookup that failed: what it heard was a filter.
  if (scene.check.carrier !== 'tcp' || scene.host.rejectsDatagrams) return undefined;
  if (outcome.signal === 'no-neighbour' || outcome.afterMs >= NEIGHBOUR_LOOKUP_MS) {
    return {
      verdict: 'unreachable',
      how: 'no-host',
      certain: 'likely',
      proof: ['errno'],
      seen: `the system gave up after ${seconds(outcome.afterMs)}, as it does when the address is not in use`,
      ...(scene.host.alive === 'proven' ? { hint: `Yet ${aliveWords(scene)}: it may come and go.` } : {}),
    };
  }
  // Who asks while a lookup is under way gets its failure at once; that is no filter's word.
  return scene.host.lookupFailed && scene.host.alive === undefined ? lookupFailed(scene) : undefined;
}

/** A flow of this run to this address was told that nobody has it. */
export function lookupFailed(scene: Scene): Finding {
  return {
    verdict: 'unreachable',
    how: 'no-host',
    certain: 'likely',
    proof: ['neighbours'],
    seen: `another flow of this run was told that nobody has ${scene.target ?? 'that address'}`,
  };
}

function rejectedByErrno(proof: readonly Proof[]): Finding {
  return {
    verdict: 'blocked',
    how: 'rejected',
    certain: 'likely',
    proof,
    direction: 'forward',
  };
}

function saying(packet: RefusalPacket): { seen?: string } {
  return packet.icmp === undefined ? {} : { seen: icmpName(packet.icmp) };
}

function aliveWords(scene: Scene): string {
  return `the host is up (${scene.host.witness ?? 'it answers elsewhere'})`;
}
