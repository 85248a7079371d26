// Preloaded into a measured process (--import): as it ends, it writes its peak resident memory, KiB, to descriptor 3.
import { readFileSync, writeSync } from 'node:fs';

function peakKiB() {
  try {
    // Linux carries ru_maxrss over from the process that forked this one; VmHWM is of this one alone (proc(5)).
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
    if (line?.[1] !== undefined) return Number(line[1]);
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS;
}

process.on('exit', () => {
  writeSync(3, `${peakKiB()}\n`);
});
