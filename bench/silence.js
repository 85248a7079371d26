// How long linecheck takes when nothing answers: every flow of the largest profile, behind a firewall that drops all. The
// network is a lab of test/lab, in namespaces of its own.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { row, skipped } from './figures.js';
import { executable, root, run, start } from './measuring.js';

const rounds = 3;
/** What `--timeout` is unless said otherwise: how long one flow may take. */
const deadlineMs = 5000;
const lab = path.join(root, 'test/lab/lab');
const DROP = 'table inet bench { chain forward { type filter hook forward priority 0; policy drop; }; }';
const what = 'every flow of the largest profile silent, beside one deadline';

/** @returns {string | undefined} */
function missing() {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root: sudo npm run bench -- silence';
  for (const tool of ['ip', 'nft']) {
    if (spawnSync(tool, ['-V']).error !== undefined) return `${tool} is not here: npm run lab:install`;
  }
  return undefined;
}

/** Of the profiles that come with linecheck, the one with the most flows. */
function largest() {
  const folder = path.join(root, 'profiles');
  const profiles = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => parse(readFileSync(path.join(folder, name), 'utf8')));
  return profiles.reduce((most, profile) => (profile.flows.length > most.flows.length ? profile : most));
}

/** @param {string} directory */
export async function silence(directory) {
  const reason = missing();
  if (reason !== undefined) return [skipped(what, reason)];
  const profile = largest();
  const roles = Object.keys(profile.roles);
  const site = path.join(directory, 'silent.yaml');
  // A server of the lab stands in every role, and this machine asks in every role's name.
  writeFileSync(
    site,
    `linecheck: site/v1
name: silent
profiles: [${profile.id}]
here: [${roles.join(', ')}]
features: [${Object.keys(profile.features ?? {}).join(', ')}]
hosts: {${roles.map((role) => `${role}: 10.3.0.11`).join(', ')}}
`,
  );
  const name = `bench-${process.pid}`;
  const up = await start(lab, ['hold', name]);
  try {
    const rules = path.join(directory, 'drop.nft');
    writeFileSync(rules, DROP);
    run(lab, ['fw', name, rules]);
    const asking = ['exec', name, 'tech', process.execPath, executable, 'check', site, '--format', 'json'];
    /** @type {Record<'once' | 'twice', number[]>} */
    const ms = { once: [], twice: [] };
    let asked = 0;
    for (let round = 0; round < rounds; round += 1) {
      // A flow fails or is unproven: exit code 1 or 3.
      const once = silent(run(lab, [...asking, '--diagnose', 'off'], [1, 3]).stdout);
      asked = once.asked;
      ms.once.push(once.durationMs);
      ms.twice.push(silent(run(lab, asking, [1, 3]).stdout).durationMs);
    }
    return [
      row(`${asked} flows of \`${profile.id}\`, all silent, beside one deadline`, 'ms', [deadlineMs], ms.once),
      row('the same, with the second look that follows', 'ms', [deadlineMs], ms.twice),
    ];
  } finally {
    await up.stop();
  }
}

/** @param {string} json */
function silent(json) {
  const { durationMs, checks } = JSON.parse(json);
  const heard = checks.find((/** @type {{ verdict: string }} */ { verdict }) => verdict === 'open');
  if (heard !== undefined) throw new Error(`behind a firewall that drops all, something answers ${heard.id}`);
  const asked = checks.filter((/** @type {{ attempts: number }} */ { attempts }) => attempts > 0).length;
  return { durationMs, asked };
}
