// How deep an answer goes against how deep it must reach.
import type { Reach } from '../contract/flow.js';
import type { Depth } from '../contract/probe.js';

const ORDER: readonly Reach[] = ['path', 'port', 'secure', 'protocol', 'service'];

export function reaches(depth: Depth, reach: Reach): boolean {
  return ORDER.indexOf(depth) >= ORDER.indexOf(reach);
}
