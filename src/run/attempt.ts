// One attempt: one asking under one deadline. When it ends, no handle of it is left.
import type { Clock, KitSession } from '../contract/ledger.js';
import type { Attempt, Outcome } from '../contract/outcome.js';
import type { BoundProbe, Target } from '../contract/probe.js';
import { outcomeOf, timingsOf } from './outcome.js';

export interface AttemptOptions {
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Monotonic ms at which the run began. */
  readonly runBeganMs: number;
  readonly openKit: (target: Target) => KitSession;
  /** Carry wire events in the attempt. */
  readonly verbose?: boolean;
}

/** An attempt under way, and the handle that cuts it short. */
export interface RunningAttempt {
  readonly done: Promise<Attempt>;
  interrupt(): void;
}

/** Starts asking. `done` never rejects. */
export function startAttempt(bound: BoundProbe, target: Target, options: AttemptOptions): RunningAttempt {
  const session = options.openKit(target);
  const startedMs = options.clock.monotonicMs() - options.runBeganMs;
  let over = false;
  let cut: (reason: Error) => void = () => undefined;
  const end = (reason: 'deadline' | 'interrupted'): void => {
    if (over) return;
    session.abort(reason);
    cut(new Error(reason));
  };
  // A busy process may reach its deadline with the answer already in the kernel: what has arrived is taken in first, in one
  // turn of the event loop, and what is handed on from outside of Node's own callbacks in the next.
  const timer = setTimeout(() => setImmediate(() => setImmediate(() => end('deadline'))), options.deadlineMs);

  const ask = async (): Promise<Attempt> => {
    let outcome: Outcome;
    try {
      outcome = await new Promise<Outcome>((resolve, reject) => {
        // A library's client may not notice that its socket is gone; the attempt does not wait for it.
        cut = reject;
        bound.ask(target, session.kit).then(resolve, reject);
      });
    } catch (error) {
      outcome = outcomeOf(error, session.ledger, Math.round(session.elapsedMs()));
    }
    over = true;
    clearTimeout(timer);
    const durationMs = session.elapsedMs();
    const { ledger } = session;
    session.close();
    const socket = ledger.sockets.at(-1);
    return {
      outcome,
      // A copy has room for what it holds, a list that grew for many more; and this one is kept.
      evidence: [...ledger.evidence],
      timings: timingsOf(ledger),
      startedMs: Math.round(startedMs * 10) / 10,
      durationMs: Math.round(durationMs * 10) / 10,
      ...(socket === undefined || socket.carrier === 'tcp' ? {} : { sent: socket.sent }),
      ...(socket?.localAddress === undefined ? {} : { localAddress: socket.localAddress }),
      ...(options.verbose === true ? { wire: ledger.wire } : {}),
    };
  };
  return { done: ask(), interrupt: () => end('interrupted') };
}
