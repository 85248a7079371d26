// A kit and an attempt on real sockets of loopback, for tests of net/ and run/.
import type { Attempt, Outcome, RefusalSignal } from '../../src/contract/outcome.js';
import type { Kit, Target } from '../../src/contract/probe.js';
import type { Kernel } from '../../src/net/kernel.js';
import { openKit } from '../../src/net/kit.js';
import type { KitOptions } from '../../src/net/kit.js';
import { startAttempt } from '../../src/run/attempt.js';
import type { RunningAttempt } from '../../src/run/attempt.js';

export const clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
};

let kernel: Kernel | undefined;

/** From now on every kit opens its sockets through the kernel, as where koffi is installed. */
export function askThrough(given: Kernel): void {
  kernel = given;
}

/** What a closed port's refusal is called: plain Node hears of it, and the kernel tells what it was. */
export function closedPort(carrier: 'tcp' | 'udp'): RefusalSignal {
  if (kernel === undefined) return 'refused';
  return carrier === 'tcp' ? 'reset' : 'port-unreachable';
}

export type Ask = (target: Target, kit: Kit) => Promise<Outcome>;

export const answered: Outcome = { kind: 'answered', depth: 'protocol', facts: {} };

export interface Asking extends Partial<Omit<Target, 'port'>> {
  readonly port: number;
  readonly deadlineMs?: number;
  readonly kit?: Partial<KitOptions>;
}

export function starting(ask: Ask, { deadlineMs = 1500, kit, ...given }: Asking): RunningAttempt {
  const address = given.address ?? '127.0.0.1';
  const target: Target = { family: address.includes(':') ? 6 : 4, host: address, ...given, address };
  const options: KitOptions = {
    clock,
    verbose: true,
    login: false,
    secret: (name) => {
      throw new Error(`no secret ${name}`);
    },
    ...(kernel === undefined ? {} : { kernel }),
    ...kit,
  };
  const bound = {
    traits: { silence: 'conclusive', depths: ['protocol'], defaultDepth: 'protocol', sends: [] } as const,
    ask,
  };
  return startAttempt(bound, target, {
    deadlineMs,
    clock,
    runBeganMs: clock.monotonicMs(),
    openKit: (one) => openKit(one, options),
    verbose: true,
  });
}

export function asking(ask: Ask, given: Asking): Promise<Attempt> {
  return starting(ask, given).done;
}
