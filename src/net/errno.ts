// What an errno of a socket means, in one table. Measured on Linux in network namespaces (test/lab/errno.test.ts).
import type { RefusalSignal, UnableReason } from '../contract/outcome.js';

export type Meaning =
  | { readonly kind: 'refused'; readonly signal: RefusalSignal }
  | { readonly kind: 'unable'; readonly reason: UnableReason }
  /** The far end accepted and then reset. */
  | { readonly kind: 'reset' }
  /** The kernel gave up waiting. */
  | { readonly kind: 'timeout' };

export interface ErrnoContext {
  readonly syscall?: string | undefined;
  /** connect() or send() itself failed, before any packet could come back: this machine's own kernel said it. */
  readonly atOnce: boolean;
  readonly afterMs: number;
}

/** Neighbour discovery gives up after three probes a second apart (RFC 4861 §10; Linux mcast_solicit 3): measured 3.06 s. */
const NEIGHBOUR_FAILED_MS = 2800;

const refused = (signal: RefusalSignal): Meaning => ({ kind: 'refused', signal });
const unable = (reason: UnableReason): Meaning => ({ kind: 'unable', reason });

const TABLE: Readonly<Record<string, (context: ErrnoContext) => Meaning>> = {
  ECONNREFUSED: () => refused('refused'),
  EHOSTUNREACH: ({ atOnce, afterMs }) =>
    refused(atOnce ? 'no-route' : afterMs >= NEIGHBOUR_FAILED_MS ? 'no-neighbour' : 'host-unreachable'),
  ENETUNREACH: ({ atOnce }) => refused(atOnce ? 'no-route' : 'net-unreachable'),
  // A blackhole route of our own.
  EINVAL: () => refused('no-route'),
  ENOPROTOOPT: () => refused('protocol-unreachable'),
  // ICMPv6 1/1, 1/5, 1/6 from the network; at once it is a prohibit route of our own.
  EACCES: ({ syscall, atOnce }) =>
    syscall === 'bind' ? unable('no-permission') : refused(atOnce ? 'local-firewall' : 'prohibited'),
  EPERM: ({ syscall }) =>
    syscall === 'bind' || syscall === 'socket' ? unable('no-permission') : refused('local-firewall'),
  ECONNRESET: () => ({ kind: 'reset' }),
  ECONNABORTED: () => ({ kind: 'reset' }),
  EPIPE: () => ({ kind: 'reset' }),
  ETIMEDOUT: () => ({ kind: 'timeout' }),
  EADDRINUSE: () => unable('address-in-use'),
  EADDRNOTAVAIL: ({ syscall }) => unable(syscall === 'bind' ? 'no-source' : 'no-resources'),
  EAFNOSUPPORT: () => unable('no-family'),
  EMFILE: () => unable('no-resources'),
  ENFILE: () => unable('no-resources'),
  ENOBUFS: () => unable('no-resources'),
  ENOMEM: () => unable('no-resources'),
};

/** undefined: not an errno that this table knows. */
export function meaningOf(code: string | undefined, context: ErrnoContext): Meaning | undefined {
  return code === undefined ? undefined : TABLE[code]?.(context);
}
