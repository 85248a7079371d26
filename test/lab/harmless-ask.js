// Asks the same questions many times in one process, with the real kit, and says as JSON what came of each. Runs on a host
// of the lab, from what `npm run build` made. What the servers made of it: harmless.test.ts.
// Standard input: a list of {name, probe, carrier, options, secrets, address, port, broadcast, runs, atOnce}.
import { Buffer } from 'node:buffer';
import { json } from 'node:stream/consumers';
import { performance } from 'node:perf_hooks';
import { probes } from '../../dist/probes/index.js';
import { openKit } from '../../dist/src/net/kit.js';
import { startAttempt } from '../../dist/src/run/attempt.js';

const clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
};

/** An outcome in one word, and what it was where it is no answer. */
function told(outcome) {
  const { kind, depth, came, detail, signal, reason } = outcome;
  return [kind, depth, came, detail, signal, reason].filter(Boolean).join(' ');
}

async function ask({ probe: name, carrier, options, secrets = {}, address, port, runs, atOnce, ...flow }) {
  const { probe } = await probes[name]();
  const bound = probe.bind(carrier, probe.options.parse(options ?? {}));
  const target = { address, family: address.includes(':') ? 6 : 4, port, host: address, ...flow };
  const kit = { clock, verbose: false, login: false, secret: (secret) => Buffer.from(secrets[secret]) };
  const tally = {};
  let left = runs;
  const lane = async () => {
    while (left-- > 0) {
      const { outcome } = await startAttempt(bound, target, {
        deadlineMs: 15_000,
        clock,
        runBeganMs: 0,
        openKit: (to) => openKit(to, kit),
      }).done;
      const word = told(outcome);
      tally[word] = (tally[word] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return tally;
}

const questions = await json(process.stdin);
const answers = await Promise.all(questions.map(async ({ name, ...question }) => [name, await ask(question)]));
console.log(JSON.stringify(Object.fromEntries(answers)));
