// linecheck demo: a check of stand-ins on this machine alone, some of them missing on purpose.
import type { Command } from 'commander';
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import type { ExitCode, Report } from '../contract/report.js';
import type { VerdictWord } from '../contract/verdict.js';
import type { Opened } from '../peer/stage.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { addFormat } from './format.js';
import { loadProbes, orFail } from './selection.js';
import { print, styleOf } from './terminal.js';

const ADDRESS = '127.0.0.1';
/** On loopback an answer takes a millisecond, on a busy laptop two seconds; only the silent one is waited for. */
const TIMEOUT_MS = 3500;

interface Act {
  readonly flow: string;
  readonly title: string;
  readonly carrier: 'tcp' | 'udp';
  readonly probe: string;
  /** `serve`: a stand-in answers. `shut`: nothing listens. `mute`: something takes the datagrams and never answers. */
  readonly stands: 'serve' | 'shut' | 'mute';
  readonly why: string;
  readonly shows: VerdictWord;
}

const ACTS: readonly Act[] = [
  {
    flow: 'web-interface',
    title: 'Web interface',
    carrier: 'tcp',
    probe: 'https',
    stands: 'serve',
    why: 'Administrators log in here.',
    shows: 'open',
  },
  {
    flow: 'remote-shell',
    title: 'Secure shell',
    carrier: 'tcp',
    probe: 'ssh',
    stands: 'serve',
    why: 'Support logs in here.',
    shows: 'open',
  },
  {
    flow: 'control-channel',
    title: 'Control channel (TLS)',
    carrier: 'tcp',
    probe: 'tls',
    stands: 'serve',
    why: 'Devices take their configuration from here.',
    shows: 'open',
  },
  {
    flow: 'time',
    title: 'Time (NTP)',
    carrier: 'udp',
    probe: 'ntp',
    stands: 'serve',
    why: 'Certificates and logs need the right time.',
    shows: 'open',
  },
  {
    flow: 'database-replication',
    title: 'Database replication',
    carrier: 'tcp',
    probe: 'tcp',
    stands: 'shut',
    why: 'Without it the secondary unit has old data.',
    shows: 'closed',
  },
  {
    flow: 'backup-time',
    title: 'Time, second server (NTP)',
    carrier: 'udp',
    probe: 'ntp',
    stands: 'shut',
    why: 'It takes over when the first server fails.',
    shows: 'closed',
  },
  {
    flow: 'discovery',
    title: 'Discovery (UDP)',
    carrier: 'udp',
    probe: 'udp',
    stands: 'mute',
    why: 'Devices are found by it.',
    shows: 'unproven',
  },
];

export function demo(program: Command, setting: Setting, done: Done): void {
  const command = program
    .command('demo')
    .description('show on this machine alone what a check says; needs no network and no privilege');
  addFormat(command)
    .addHelpText(
      'after',
      `
It starts services on free ports of ${ADDRESS}, leaves some shut or mute on
purpose, checks them as it would check a product, and stops them again.
Exit code 0: it showed what it should.`,
    )
    .action(async ({ format }: { readonly format: 'text' | 'json' }) => done(await run(setting, format)));
}

function profileText(ports: ReadonlyMap<Act, number>): string {
  const flows = ACTS.map(
    (act) => `  - id: ${act.flow}
    title: ${JSON.stringify(act.title)}
    from: visitor
    to: server
    ${act.carrier}: ${ports.get(act) ?? 0}
    probe: ${act.probe}
    required: always
    why: ${JSON.stringify(act.why)}
    source: demo`,
  );
  return `linecheck: profile/v1
id: demo
title: A product that exists only here
source: {title: linecheck demo}
roles: {visitor: {title: This machine}, server: {title: Stand-ins on this machine}}
flows:
${flows.join('\n')}
`;
}

/** Opens a stand-in, or what it needs to be missing, and says on which port. */
async function raise(act: Act): Promise<Opened> {
  const listen = await import('../net/listen.js');
  const { openStandIn } = await import('../peer/stage.js');
  const { probes } = await import('../../probes/index.js');
  const { clock } = await import('./run.js');
  const at = { address: ADDRESS, port: 0 };
  if (act.stands === 'mute') return listen.listenUdp(at, () => []);
  if (act.stands === 'shut') {
    // A port that was free a moment ago is shut.
    const opened = await (act.carrier === 'udp'
      ? listen.listenUdp(at, () => [])
      : listen.listenTcp(at, clock, () => Promise.resolve()));
    await opened.close();
    return { port: opened.port, close: () => Promise.resolve() };
  }
  const standIn = (await probes[act.probe]?.())?.standIn;
  if (standIn === undefined) throw new Error(`probe ${act.probe} has no stand-in`);
  return openStandIn(standIn, at, { ...listen, random: (size) => randomBytes(size) }, clock);
}

async function checkThem(setting: Setting, ports: ReadonlyMap<Act, number>): Promise<Report> {
  const { parseProfile } = await import('../plan/profile.js');
  const { makePlan, probesOf } = await import('../plan/plan.js');
  const { runHere } = await import('./run.js');
  const profile = orFail(parseProfile({ file: 'demo', text: profileText(ports) }));
  const probes = await loadProbes(probesOf([profile]));
  const selection = { as: ['visitor'], hosts: [`server=${ADDRESS}`], features: [], flows: [] };
  const plan = orFail(makePlan({ profiles: [profile], selection, probes }));
  return runHere(setting, {
    plan: { ...plan, site: 'demo' },
    probes,
    settings: {
      limits: { concurrency: ACTS.length, perHost: ACTS.length, retries: 0 },
      timeoutMs: TIMEOUT_MS,
      accept: [],
      nagios: false,
      verbose: false,
    },
    onEvent: () => undefined,
  });
}

/** One line of what is about to be shown. */
function announcement(): string {
  const of = (stands: Act['stands']): number => ACTS.filter((act) => act.stands === stands).length;
  return `Checks ${ACTS.length} services here: ${of('serve')} answer, ${of('shut')} are shut, ${of('mute')} is mute, all on purpose.`;
}

async function run(setting: Setting, format: 'text' | 'json'): Promise<ExitCode> {
  const opened: Opened[] = [];
  try {
    const ports = new Map<Act, number>();
    for (const act of ACTS) {
      const one = await raise(act);
      opened.push(one);
      ports.set(act, one.port);
    }
    if (format === 'text') await print(`${announcement()}\n\n`);
    const report = await checkThem(setting, ports);
    if (format === 'json') await print((await import('../report/json.js')).json(report));
    else await print((await import('../report/table.js')).table(report, styleOf(process.stdout)));
    if (report.interrupted !== undefined) return report.summary.exitCode;
    const odd = ACTS.filter((act) => report.checks.find(({ flow }) => flow === act.flow)?.verdict !== act.shows);
    if (odd.length > 0) {
      const words = odd.map(({ title, shows }) => `${title} should be ${shows}`);
      await print(`\nThe demo did not show what it should: ${words.join('; ')}.\n`, process.stderr);
      return 1;
    }
    if (format === 'text') await print('\nThis is what the demo should show. Next: linecheck profiles\n');
    return 0;
  } finally {
    await Promise.all(opened.map((one) => one.close()));
  }
}
