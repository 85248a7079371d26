// A linecheck stand-in where no real server is to be had: stand-in.js PROBE PORT ADDRESS... says "ready" when it listens.
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { probes } from '../../dist/probes/index.js';
import * as listen from '../../dist/src/net/listen.js';
import { openStandIn } from '../../dist/src/peer/stage.js';

const [, , name, port, ...addresses] = process.argv;
const { standIn } = await probes[name]();
const net = { ...listen, random: (size) => randomBytes(size) };
const clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
};
await Promise.all(addresses.map((address) => openStandIn(standIn, { address, port: Number(port) }, net, clock)));
console.log('ready');
