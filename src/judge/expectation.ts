// Verdict against expectation: the result. The only place that knows of `reach: path`'s leniency and of `expect: blocked`.
import type { BoundCheck } from '../contract/flow.js';
import type { Result } from '../contract/verdict.js';
import type { Finding } from './finding.js';

export interface Outturn {
  readonly result: Result;
  /** A pass that deserves a look. */
  readonly warning?: string;
}

export function outturn(check: BoundCheck, finding: Finding): Outturn {
  const { result, warnings } = check.expect === 'blocked' ? expectedBlocked(finding) : expectedOpen(check, finding);
  const own = result === 'pass' && check.expect === 'open' ? (finding.warnings ?? []) : [];
  const all = [...warnings, ...own];
  return { result, ...(all.length === 0 ? {} : { warning: all.join('; ') }) };
}

interface Weighed {
  readonly result: Result;
  readonly warnings: readonly string[];
}

const plain = (result: Result): Weighed => ({ result, warnings: [] });

// The default results of the verdict table.
function expectedOpen(check: BoundCheck, finding: Finding): Weighed {
  switch (finding.verdict) {
    case 'open':
      return plain('pass');
    case 'denied':
      // "pass with a warning; fail where `reach: service`"
      if (check.reach === 'service') return plain('fail');
      return { result: 'pass', warnings: [`the service answered and refused ${PRESENTED[finding.how]}`] };
    case 'closed':
      // "`reach: path` passes on `closed` too (the firewall is ready, the appliance not racked)."
      if (check.reach !== 'path') return plain('fail');
      return finding.certain === 'proven'
        ? plain('pass')
        : { result: 'pass', warnings: ["a firewall that refuses in the target's name would look the same"] };
    case 'blocked':
    case 'unreachable':
    case 'intercepted':
    case 'wrong-service':
      return plain('fail');
    case 'unproven':
    case 'error':
      return plain('unproven');
  }
}

const PRESENTED = { secret: 'our secret', credentials: 'our credentials', client: 'this client' } as const;

// "`blocked` passes; open, denied, closed, intercepted, wrong-service fail; the rest is unproven."
function expectedBlocked(finding: Finding): Weighed {
  switch (finding.verdict) {
    case 'blocked':
      // Small packets of the flow were answered: it is not shut, whatever happens to large ones.
      if (finding.how === 'oversize-dropped') return plain('fail');
      if (finding.how === 'local') {
        return { result: 'pass', warnings: ["this machine's own firewall stops it, so the network was not tested"] };
      }
      return finding.direction === 'return'
        ? { result: 'pass', warnings: ['our packets still reach the target; only its answers are stopped'] }
        : plain('pass');
    case 'open':
    case 'denied':
    case 'closed':
    case 'intercepted':
    case 'wrong-service':
      return plain('fail');
    case 'unreachable':
    case 'unproven':
    case 'error':
      return plain('unproven');
  }
}
