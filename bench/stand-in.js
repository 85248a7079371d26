// A server of one protocol for linecheck and nmap alike: the stand-in of that probe, on every IPv4 address of this machine.
// node stand-in.js PROBE; prints its port; ends with its standard input.
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';

// Built, and not there yet when this file is type-checked.
/** @type {string} */
const dist = '../dist';
const [{ probes }, listen, { openStandIn }] = await Promise.all([
  import(`${dist}/probes/index.js`),
  import(`${dist}/src/net/listen.js`),
  import(`${dist}/src/peer/stage.js`),
]);
const { standIn } = await probes[process.argv[2] ?? '']();
const net = { ...listen, random: randomBytes };
const clock = { monotonicMs: () => performance.now(), wallMs: () => performance.timeOrigin + performance.now() };
const { port } = await openStandIn(standIn, { address: '0.0.0.0', port: 0 }, net, clock);
console.log(port);
process.stdin.resume().once('end', () => process.exit(0));
