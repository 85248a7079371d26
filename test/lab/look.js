// Asks targets through linecheck's own kit, all at once, and says as JSON what each attempt saw; or searches their paths.
// Runs on the tech host, on what was built. Standard input: {what: "attempts" | "paths", timeoutMs, targets: [{transport,
// family, address, port}], raw: whether through raw sockets as well}.
import { Buffer } from 'node:buffer';
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { kernelAccess } from '../../dist/src/net/kernel.js';
import { openKit } from '../../dist/src/net/kit.js';
import { pathFinder } from '../../dist/src/net/path.js';
import { openSegments } from '../../dist/src/net/segments.js';
import { startAttempt } from '../../dist/src/run/attempt.js';

const clock = { monotonicMs: () => performance.now(), wallMs: () => performance.timeOrigin + performance.now() };
const access = await kernelAccess();
if ('missing' in access) throw new Error(access.missing);
const { kernel } = access;
const { what, targets, timeoutMs, raw = false } = await json(process.stdin);
const segments = raw ? openSegments(kernel) : undefined;
if (raw && segments === undefined) throw new Error('no raw sockets here');
const seeing = segments === undefined ? { kernel } : { kernel, segments };
const options = { clock, ...seeing, verbose: false, login: false, secret: () => new Uint8Array(0) };

/** Sends a line and takes whatever comes. */
async function ask({ transport }, kit) {
  const line = Buffer.from('?\n');
  if (transport === 'udp') await (await kit.udp()).exchange(line, () => true);
  else {
    const stream = await kit.tcp();
    await stream.write(line);
    await stream.read({ atLeast: 1, max: 100 });
  }
  return { kind: 'answered', depth: 'protocol', facts: {} };
}

function attempt(target, deadlineMs) {
  const traits = { silence: 'conclusive', depths: ['protocol'], defaultDepth: 'protocol', sends: [] };
  const bound = { traits, ask: (_, kit) => ask(target, kit) };
  const asked = { ...target, host: target.address };
  return startAttempt(bound, asked, { deadlineMs, clock, runBeganMs: 0, openKit: (one) => openKit(one, options) }).done;
}

const before = readdirSync('/proc/self/fd').length;
const seen = await Promise.all(
  targets.map(({ transport, ...target }) =>
    what === 'attempts'
      ? attempt({ transport, ...target }, timeoutMs)
      : // A finder for each, since searches of one finder share their pace.
        pathFinder(options)({ carrier: transport, ...target }, { budgetMs: timeoutMs }),
  ),
);
// Node closes in its next turn.
await delay(50);
console.log(JSON.stringify({ seen, left: readdirSync('/proc/self/fd').length - before }));
