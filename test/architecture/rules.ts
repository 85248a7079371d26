// Who may import what, and why, as data; each rule with small trees that break it. How a tree is read: graph.ts.
import type { Graph, Import, ImportTarget, SourceFile } from './graph.js';

export interface Violation {
  /** `file:line`. */
  readonly at: string;
  readonly what: string;
}

/** Files as path -> text. */
export type Tree = Readonly<Record<string, string>>;

export interface Rule {
  readonly rule: string;
  readonly why: string;
  violations(graph: Graph): readonly Violation[];
  /** Trees that break the rule, and where that must be noticed. */
  readonly breaks: readonly { readonly tree: Tree; readonly at: readonly string[] }[];
  /** Trees that look alike and keep it. */
  readonly keeps: readonly Tree[];
}

/** Files that break a rule and may, each with its reason. One that no longer breaks it is to be taken out. */
export const exceptions: readonly { readonly rule: string; readonly file: string; readonly why: string }[] = [
  {
    rule: 'only entry touches process, arguments, environment, files and terminal',
    file: 'src/net/sight.ts',
    why: 'What this machine can see includes how many descriptors the kernel grants, and that stands in /proc/self/limits only.',
  },
  {
    rule: 'only entry touches process, arguments, environment, files and terminal',
    file: 'src/net/turn.ts',
    why: 'The queue of process.nextTick alone ends before sockets are looked at: so an error of the call itself is told from one that a packet brought. It reads nothing of this machine.',
  },
  {
    rule: 'nothing starts another program',
    file: 'src/net/ping.ts',
    why: 'The system’s ping may send an ICMP echo where this process may not. It is started without a shell, by a fixed path and with fixed arguments but the address.',
  },
];

const roomNames = ['contract', 'bytes', 'net', 'plan', 'run', 'diagnose', 'judge', 'report', 'peer', 'entry'] as const;
type Room = (typeof roomNames)[number] | 'check' | 'registry' | 'probe' | 'bin' | 'unplaced';

const pureRooms: readonly Room[] = ['bytes', 'plan', 'judge', 'report'];

/** The room a file belongs to, by its path alone. */
export function roomOf(path: string): Room {
  if (path === 'src/check.ts') return 'check';
  if (path === 'probes/index.ts') return 'registry';
  const [top = '', folder = '', ...rest] = path.split('/');
  if (top === 'bin') return 'bin';
  if (top === 'probes' && rest.length > 0) return 'probe';
  return (top === 'src' && rest.length > 0 && roomNames.find((each) => each === folder)) || 'unplaced';
}

/** Which rooms a room may import beside itself, types included, and the reason. */
const directions: readonly { readonly room: Room; readonly may: readonly Room[]; readonly why: string }[] = [
  {
    room: 'contract',
    may: [],
    why: 'Everything is built against the contract. If it knew a room, a change in that room could change it for all the others.',
  },
  {
    room: 'bytes',
    may: [],
    why: 'Reading what a stranger sent must be provable on its own: no input but the bytes, no output but values and ProtocolError.',
  },
  {
    room: 'net',
    may: ['contract', 'bytes'],
    why: 'Sockets say what they saw. Knowing the plan or the verdicts, they could begin to see what is expected of them.',
  },
  {
    room: 'plan',
    may: ['contract', 'bytes'],
    why: 'A plan must be the same on every machine and before anything was sent; it gets the traits of probes handed in.',
  },
  {
    room: 'run',
    may: ['contract', 'bytes'],
    why: 'Deadlines, retry and pacing are the same for every probe and every kind of socket, so they know none.',
  },
  {
    room: 'diagnose',
    may: ['contract', 'bytes'],
    why: 'The second look is chosen from kinds of outcome alone; what looks is handed in, so that it can be tried without a network.',
  },
  {
    room: 'judge',
    may: ['contract', 'bytes'],
    why: 'Seeing and judging are different rooms: a verdict follows from what a run wrote down, and from nothing else.',
  },
  {
    room: 'report',
    may: ['contract', 'bytes'],
    why: 'A format is a function of the report. One that could reach the judge could also change the verdict.',
  },
  {
    room: 'peer',
    may: ['contract', 'bytes'],
    why: 'Stand-ins and their listeners are handed in: answering for a role must not depend on how this machine asks.',
  },
  {
    room: 'check',
    may: ['contract', 'bytes', 'net', 'plan', 'run', 'diagnose', 'judge', 'report', 'peer'],
    why: 'One place joins the rooms. Probes, files, clock and output are injected, so that a whole check runs inside a test.',
  },
  {
    room: 'registry',
    may: ['contract', 'probe'],
    why: 'The registry is a list of names. With anything else in it, a new protocol would be more than one folder and one line.',
  },
  {
    room: 'probe',
    may: ['contract', 'bytes'],
    why: 'A probe is one function of a target and a kit. What it cannot import it cannot time, retry, judge or special-case.',
  },
  {
    room: 'entry',
    may: ['contract', 'bytes', 'net', 'plan', 'run', 'diagnose', 'judge', 'report', 'peer', 'check', 'registry'],
    why: 'Composition roots put everything together; a single probe they know only by its name in the registry.',
  },
  {
    room: 'bin',
    may: ['entry'],
    why: 'The executable starts the command line and catches a crash. Anything more would exist only after a build, untested.',
  },
];

const directionRules: readonly Rule[] = directions.map(({ room, may, why }) => ({
  rule: `${room} imports ${['itself', ...may].join(', ')}`,
  why,
  violations: (graph) =>
    importsWhere(graph, (each, from) => {
      if (roomOf(from.path) !== room || each.target.kind !== 'file') return undefined;
      const to = each.target.path;
      if (room === 'probe' && roomOf(to) === 'probe') {
        return folderOf(from.path) === folderOf(to) || to.endsWith('/packet.ts')
          ? undefined
          : `imports ${to}; of another probe's folder only packet.ts`;
      }
      return roomOf(to) === room || may.includes(roomOf(to)) ? undefined : `imports ${to}`;
    }),
  ...directionTrees(room, may),
}));

/** For every room one that it may not import and every one that it may. */
function directionTrees(room: Room, may: readonly Room[]): Pick<Rule, 'breaks' | 'keeps'> {
  const here = sampleOf(room);
  const others = [...roomNames, 'check', 'registry', 'probe', 'bin'] as const;
  const importing = (to: Room, form: (specifier: string) => string): Tree => ({
    [here]: form(specifierOf(here, sampleOf(to))),
    [sampleOf(to)]: '',
  });
  const forms = [
    (specifier: string) => `import { a } from '${specifier}';`,
    (specifier: string) => `import type { A } from '${specifier}';`,
    (specifier: string) => `export * from '${specifier}';`,
    (specifier: string) => `export const a = () => import('${specifier}');`,
    (specifier: string) => `export type A = import('${specifier}').A;`,
  ];
  const breaks = others
    .filter((to) => to !== room && !may.includes(to))
    .flatMap((to) => forms.map((form) => ({ tree: importing(to, form), at: [`${here}:1`] })));
  if (room === 'probe') {
    const tree = { 'probes/a/probe.ts': "import { b } from '../b/probe.js';", 'probes/b/probe.ts': '' };
    breaks.push({ tree, at: ['probes/a/probe.ts:1'] });
  }
  const keeps = may.flatMap((to) => forms.map((form) => importing(to, form)));
  if (room === 'probe') {
    keeps.push({ 'probes/a/probe.ts': "import { b } from '../b/packet.js';", 'probes/b/packet.ts': '' });
  }
  return { breaks, keeps };
}

function sampleOf(room: Room): string {
  if (room === 'check') return 'src/check.ts';
  if (room === 'registry') return 'probes/index.ts';
  if (room === 'probe') return 'probes/a/probe.ts';
  if (room === 'bin') return 'bin/linecheck.js';
  return `src/${room}/sample.ts`;
}

function specifierOf(from: string, to: string): string {
  const up = '../'.repeat(from.split('/').length - 1);
  return `${up === '' ? './' : up}${to.replace(/\.ts$/, '.js')}`;
}

function folderOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

/** Modules that open sockets. Types of theirs are free. */
const socketModules = [
  ...['net', 'dgram', 'tls', 'dns', 'dns/promises', 'http', 'https', 'http2'].map((name) => `node:${name}`),
  ...['dgram-as-promised', 'raw-socket', 'koffi'],
];

/** Modules that start programs or threads. */
const starters = ['child_process', 'worker_threads', 'cluster'].map((name) => `node:${name}`);

/** Modules through which files, arguments, environment and terminal come in. */
const worldModules = ['fs', 'fs/promises', 'process', 'readline', 'readline/promises', 'tty', 'repl', 'module'].map(
  (name) => `node:${name}`,
);

/** Built-ins that compute and touch nothing. `node:crypto` except what draws random numbers. */
const pureModules = ['buffer', 'path', 'path/posix', 'string_decoder', 'url', 'util', 'crypto'].map(
  (name) => `node:${name}`,
);
const randomNames = /^(random|generate|get[A-Z]|default$|webcrypto$|\*$)/;

const clockGlobals = [
  'Date',
  'Date.now',
  'new Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'AbortSignal.timeout',
];
const clockModules = ['node:timers', 'node:timers/promises', 'node:perf_hooks'];
const chanceGlobals = ['Math.random', 'crypto'];

/** Too slow to load for a command that does not need them: tens of milliseconds each, or native code. */
const heavyPackages = [
  ...['zod', 'yaml', 'undici', 'commander', 'cli-table3', 'koffi', 'raw-socket'],
  ...['dgram-as-promised', 'ldapts', 'net-snmp', 'radius', 'dns-packet', 'typescript'],
];

export const rules: readonly Rule[] = [
  ...directionRules,
  {
    rule: 'every file stands in a room',
    why: 'A file outside the rooms is under no rule. What joins rooms is src/check.ts; what starts things is in src/entry.',
    violations: (graph) =>
      [...graph.keys()]
        .filter((each) => roomOf(each) === 'unplaced')
        .map((each) => ({ at: `${each}:1`, what: 'in no room' })),
    breaks: [
      { tree: { 'src/retry.ts': '' }, at: ['src/retry.ts:1'] },
      { tree: { 'src/lib/retry.ts': '' }, at: ['src/lib/retry.ts:1'] },
      { tree: { 'probes/ssh.ts': '' }, at: ['probes/ssh.ts:1'] },
    ],
    keeps: [{ 'src/run/retry.ts': '', 'src/check.ts': '', 'probes/index.ts': '', 'probes/ssh/probe.ts': '' }],
  },
  {
    rule: 'every import can be followed',
    why: 'The other rules hold only for imports that can be read off the source: a literal, and a file that is there.',
    violations: (graph) =>
      importsWhere(graph, (each) =>
        each.target.kind === 'unknown' ? `imports ${each.target.text || 'nothing'}` : undefined,
      ),
    breaks: [
      { tree: { 'src/run/a.ts': "import './gone.js';" }, at: ['src/run/a.ts:1'] },
      {
        tree: { 'src/run/a.ts': "let name = './b.js';\nexport const a = () => import(name);" },
        at: ['src/run/a.ts:2'],
      },
      { tree: { 'src/net/a.ts': 'export const a = require(b);' }, at: ['src/net/a.ts:1'] },
    ],
    keeps: [
      { 'src/run/a.ts': "import './b.js';\nexport const c = () => import('./b.js');", 'src/run/b.ts': '' },
      { 'src/run/a.ts': "const name = './b.js';\nexport const c = () => import(name);", 'src/run/b.ts': '' },
    ],
  },
  {
    rule: 'contract holds only types',
    why: 'Types cost nothing at run time and hold no behaviour, so the whole contract can be imported from anywhere.',
    violations: (graph) =>
      [...graph.values()]
        .filter((file) => roomOf(file.path) === 'contract')
        .flatMap((file) =>
          file.statements.map(({ line, text }) => ({ at: `${file.path}:${String(line)}`, what: text })),
        ),
    breaks: [
      { tree: { 'src/contract/a.ts': 'export interface A {}\nexport const a = 1;' }, at: ['src/contract/a.ts:2'] },
      { tree: { 'src/contract/a.ts': "import { ZodType } from 'zod';" }, at: ['src/contract/a.ts:1'] },
      { tree: { 'src/contract/a.ts': "import { type ZodType } from 'zod';" }, at: ['src/contract/a.ts:1'] },
      { tree: { 'src/contract/a.ts': 'export function a(): void {}' }, at: ['src/contract/a.ts:1'] },
    ],
    keeps: [
      {
        'src/contract/a.ts':
          "import type { ZodType } from 'zod';\nexport type { B } from './b.js';\nexport type A = ZodType;",
        'src/contract/b.ts': 'export interface B {}',
      },
    ],
  },
  {
    rule: 'only net opens sockets',
    why: 'One room knows errno, descriptors and addresses. A socket opened elsewhere escapes the deadline, the ledger and the limits.',
    violations: (graph) =>
      importsWhere(graph, (each, from) =>
        roomOf(from.path) !== 'net' && each.kind !== 'type' && socketModules.includes(moduleOf(each.target) ?? '')
          ? `imports ${moduleOf(each.target) ?? ''}`
          : undefined,
      ),
    breaks: socketModules.flatMap((name) => [
      { tree: { 'probes/a/probe.ts': `import { connect } from '${name}';` }, at: ['probes/a/probe.ts:1'] },
      { tree: { 'src/entry/demo.ts': `export const a = () => import('${name}');` }, at: ['src/entry/demo.ts:1'] },
      { tree: { 'src/check.ts': `export { connect } from '${name.replace('node:', '')}';` }, at: ['src/check.ts:1'] },
      { tree: { 'src/run/a.ts': `import { type Socket } from '${name}';` }, at: ['src/run/a.ts:1'] },
    ]),
    keeps: socketModules.flatMap((name) => [
      { 'src/net/a.ts': `import { connect } from '${name}';` },
      { 'probes/a/probe.ts': `import type { Socket } from '${name}';` },
    ]),
  },
  {
    rule: 'only net/kernel.ts calls C',
    why: 'A wrong pointer ends the process or worse, and no type tells of it: all of it stands in one file that can be read at a sitting.',
    violations: (graph) =>
      importsWhere(graph, (each, from) =>
        from.path !== 'src/net/kernel.ts' && moduleOf(each.target) === 'koffi' ? 'imports koffi' : undefined,
      ),
    breaks: [
      { tree: { 'src/net/path.ts': "import koffi from 'koffi';" }, at: ['src/net/path.ts:1'] },
      { tree: { 'src/net/kernels.ts': "export const a = () => import('koffi');" }, at: ['src/net/kernels.ts:1'] },
      { tree: { 'src/entry/doctor.ts': "import type { LibraryHandle } from 'koffi';" }, at: ['src/entry/doctor.ts:1'] },
    ],
    keeps: [{ 'src/net/kernel.ts': "import type * as koffi from 'koffi';\nexport const a = () => import('koffi');" }],
  },
  {
    rule: 'nothing starts another program',
    why: 'What another program sends is in no plan, ends at no deadline and shows in no report; and whoever chooses its words chooses what runs.',
    violations: (graph) =>
      importsWhere(graph, (each) =>
        each.kind !== 'type' && starters.includes(moduleOf(each.target) ?? '')
          ? `imports ${moduleOf(each.target) ?? ''}`
          : undefined,
      ),
    breaks: starters.flatMap((name) => [
      { tree: { 'src/net/a.ts': `import { spawn } from '${name}';` }, at: ['src/net/a.ts:1'] },
      { tree: { 'probes/a/probe.ts': `export const a = () => import('${name}');` }, at: ['probes/a/probe.ts:1'] },
      { tree: { 'src/entry/a.ts': `import { exec } from '${name.replace('node:', '')}';` }, at: ['src/entry/a.ts:1'] },
    ]),
    keeps: starters.map((name) => ({ 'src/net/a.ts': `import type { A } from '${name}';` })),
  },
  {
    rule: 'only entry touches process, arguments, environment, files and terminal',
    why: 'What comes from this machine is handed in, so that every other room can be run twice in one process and in a test.',
    violations: (graph) => [
      ...importsWhere(graph, (each, from) =>
        !['entry', 'bin'].includes(roomOf(from.path)) &&
        each.kind !== 'type' &&
        worldModules.includes(moduleOf(each.target) ?? '')
          ? `imports ${moduleOf(each.target) ?? ''}`
          : undefined,
      ),
      ...globalsWhere(graph, (name, from) => name === 'process' && !['entry', 'bin'].includes(roomOf(from.path))),
    ],
    breaks: [
      ...worldModules.map((name) => ({
        tree: { 'src/plan/a.ts': `import { b } from '${name}';` },
        at: ['src/plan/a.ts:1'],
      })),
      { tree: { 'src/net/a.ts': 'export const a = process.platform;' }, at: ['src/net/a.ts:1'] },
      { tree: { 'src/check.ts': 'process.exit(1);' }, at: ['src/check.ts:1'] },
      { tree: { 'src/run/a.ts': 'export const a = globalThis.process.env;' }, at: ['src/run/a.ts:1'] },
      { tree: { 'src/report/a.ts': 'export const a = { process };' }, at: ['src/report/a.ts:1'] },
    ],
    keeps: [
      { 'src/entry/cli.ts': "import { readFileSync } from 'node:fs';\nexport const a = process.argv;" },
      { 'src/run/a.ts': 'export const a = (b: { process(): void }) => b.process();' },
      { 'src/run/a.ts': 'export const a = { process: 1 };' },
    ],
  },
  {
    rule: 'plan, judge, report, bytes and probes look at no clock and set no timer',
    why: 'The same input must give the same plan, verdict and text tomorrow; and time and retry are not a probe’s business.',
    violations: (graph) => [
      ...globalsWhere(graph, (name, from) => isTimeless(from) && clockGlobals.includes(name)),
      ...importsWhere(graph, (each, from) =>
        isTimeless(from) && each.kind !== 'type' && clockModules.includes(moduleOf(each.target) ?? '')
          ? `imports ${moduleOf(each.target) ?? ''}`
          : undefined,
      ),
    ],
    breaks: [
      ...['Date.now()', 'new Date()', 'Date()', 'performance.now()', 'setTimeout(b, 1)', 'AbortSignal.timeout(1)'].map(
        (use) => ({
          tree: { 'src/judge/a.ts': `export const a = () => ${use};` },
          at: ['src/judge/a.ts:1'],
        }),
      ),
      { tree: { 'probes/a/probe.ts': 'export const a = () => setInterval(b, 1);' }, at: ['probes/a/probe.ts:1'] },
      { tree: { 'src/plan/a.ts': 'export const a = () => globalThis.performance.now();' }, at: ['src/plan/a.ts:1'] },
      {
        tree: { 'probes/a/probe.ts': "import { setTimeout as pause } from 'node:timers/promises';" },
        at: ['probes/a/probe.ts:1'],
      },
    ],
    keeps: [
      { 'src/report/a.ts': 'export const a = (ms: number) => new Date(ms).toISOString();' },
      { 'src/run/a.ts': 'export const a = () => setTimeout(b, 1);' },
      { 'probes/a/probe.ts': 'export const a = (kit: Kit) => kit.now();' },
    ],
  },
  {
    rule: 'plan, judge, report, bytes and probes draw no random numbers',
    why: 'A verdict must not depend on chance, and a probe’s ids come from the kit, so that a test can fix them.',
    violations: (graph) => [
      ...globalsWhere(graph, (name, from) => isTimeless(from) && chanceGlobals.includes(name)),
      ...importsWhere(graph, (each, from) =>
        isTimeless(from) &&
        each.kind !== 'type' &&
        moduleOf(each.target) === 'node:crypto' &&
        (each.kind === 'dynamic' || each.names.some((name) => randomNames.test(name)))
          ? `imports ${each.names.join(', ')} from node:crypto`
          : undefined,
      ),
    ],
    breaks: [
      { tree: { 'src/judge/a.ts': 'export const a = Math.random();' }, at: ['src/judge/a.ts:1'] },
      { tree: { 'probes/a/probe.ts': "import { randomBytes } from 'node:crypto';" }, at: ['probes/a/probe.ts:1'] },
      { tree: { 'probes/a/probe.ts': "import * as crypto from 'node:crypto';" }, at: ['probes/a/probe.ts:1'] },
      { tree: { 'probes/a/probe.ts': 'export const a = crypto.randomUUID();' }, at: ['probes/a/probe.ts:1'] },
    ],
    keeps: [
      { 'probes/a/packet.ts': "import { createHmac, timingSafeEqual } from 'node:crypto';" },
      { 'src/net/a.ts': "import { randomBytes } from 'node:crypto';" },
    ],
  },
  {
    rule: 'plan, judge, report and bytes use only built-ins that compute',
    why: 'Pure code is most of the code and all that decides. It must run where there is no network, no disk and no clock.',
    violations: (graph) =>
      importsWhere(graph, (each, from) =>
        pureRooms.includes(roomOf(from.path)) &&
        each.kind !== 'type' &&
        each.target.kind === 'builtin' &&
        !pureModules.includes(each.target.name)
          ? `imports ${each.target.name}`
          : undefined,
      ),
    breaks: ['fs', 'net', 'os', 'dns/promises', 'worker_threads', 'stream', 'events'].flatMap((name) =>
      pureRooms.map((room) => ({
        tree: { [sampleOf(room)]: `import { a } from 'node:${name}';` },
        at: [`${sampleOf(room)}:1`],
      })),
    ),
    keeps: [{ 'src/plan/a.ts': "import path from 'node:path/posix';\nimport type { Socket } from 'node:net';" }],
  },
  {
    rule: 'the registry loads a probe only when it is asked for',
    why: 'A check of three flows must not pay for thirty protocols and their libraries.',
    violations: (graph) =>
      importsWhere(graph, (each, from) =>
        roomOf(from.path) === 'registry' && each.kind === 'static'
          ? `imports ${textOf(each.target)} at once`
          : undefined,
      ),
    breaks: [
      {
        tree: { 'probes/index.ts': "import { probe } from './a/probe.js';", 'probes/a/probe.ts': '' },
        at: ['probes/index.ts:1'],
      },
    ],
    keeps: [
      { 'probes/index.ts': "export const probes = { a: () => import('./a/probe.js') };", 'probes/a/probe.ts': '' },
    ],
  },
  {
    rule: 'no file reaches itself through imports',
    why: 'In a ring of imports the order of loading decides what is defined, and no file of it can be read or tested alone.',
    violations: (graph) => ringsOf(graph),
    breaks: [
      {
        tree: {
          'src/run/a.ts': "import { b } from './b.js';",
          'src/run/b.ts': "export const b = () => import('./a.js');",
        },
        at: ['src/run/a.ts:1'],
      },
      {
        tree: {
          'src/run/a.ts': "export * from './b.js';",
          'src/run/b.ts': "import './c.js';",
          'src/run/c.ts': "\nimport { type A } from './a.js';",
        },
        at: ['src/run/a.ts:1'],
      },
      { tree: { 'src/run/a.ts': "import './a.js';" }, at: ['src/run/a.ts:1'] },
    ],
    keeps: [
      { 'src/run/a.ts': "import { b } from './b.js';", 'src/run/b.ts': "import type { A } from './a.js';" },
      {
        'src/run/a.ts': "import './b.js';\nimport './c.js';",
        'src/run/b.ts': "import './d.js';",
        'src/run/c.ts': "import './d.js';",
        'src/run/d.ts': '',
      },
    ],
  },
  {
    rule: 'starting up loads no heavy package',
    why: 'From cron and in a gate linecheck starts often; zod alone adds half of what bare Node needs to start.',
    violations: (graph) =>
      atStartUp(graph).flatMap((file) =>
        file.imports
          .filter((each) => each.kind === 'static' && heavyPackages.includes(moduleOf(each.target) ?? ''))
          .map((each) => ({ at: `${each.from}:${String(each.line)}`, what: `loads ${textOf(each.target)}` })),
      ),
    breaks: heavyPackages.flatMap((name) => [
      {
        tree: {
          'bin/linecheck.js': "import { main } from '../dist/src/entry/cli.js';",
          'src/entry/cli.ts': "import { check } from '../check.js';",
          'src/check.ts': "import '../src/plan/schema.js';",
          'src/plan/schema.ts': `import a from '${name}/deeper';`,
        },
        at: ['src/plan/schema.ts:1'],
      },
      {
        tree: {
          'bin/linecheck.js': "const entry = '../dist/src/entry/cli.js';\nimport(entry).then(({ main }) => main());",
          'src/entry/cli.ts': `import { type A } from '${name}';`,
        },
        at: ['src/entry/cli.ts:1'],
      },
    ]),
    keeps: heavyPackages.map((name) => ({
      'bin/linecheck.js': "import { main } from '../dist/src/entry/cli.js';",
      'src/entry/cli.ts': `import type { A } from '${name}';\nexport const a = () => import('./check.js');`,
      'src/entry/check.ts': `import a from '${name}';`,
    })),
  },
];

/** The files that are loaded before the first line of a command runs: all that bin and entry/cli import statically. */
export function atStartUp(graph: Graph): readonly SourceFile[] {
  const loaded = new Map<string, SourceFile>();
  const load = (path: string, kinds: readonly Import['kind'][]): void => {
    const file = graph.get(path);
    if (file === undefined || loaded.has(path)) return;
    loaded.set(path, file);
    for (const each of file.imports) {
      if (each.target.kind === 'file' && kinds.includes(each.kind)) load(each.target.path, ['static']);
    }
  };
  // What bin imports dynamically it imports always: only so can it catch a crash while loading.
  load('bin/linecheck.js', ['static', 'dynamic']);
  return [...loaded.values()];
}

function isTimeless(file: SourceFile): boolean {
  return pureRooms.includes(roomOf(file.path)) || roomOf(file.path) === 'probe';
}

function moduleOf(target: ImportTarget): string | undefined {
  return target.kind === 'builtin' || target.kind === 'package' ? target.name : undefined;
}

function textOf(target: ImportTarget): string {
  if (target.kind === 'file') return target.path;
  return target.kind === 'unknown' ? target.text : target.name;
}

function importsWhere(
  graph: Graph,
  wrong: (each: Import, from: SourceFile) => string | undefined,
): readonly Violation[] {
  return [...graph.values()].flatMap((file) =>
    file.imports.flatMap((each) => {
      const what = wrong(each, file);
      return what === undefined ? [] : [{ at: `${file.path}:${String(each.line)}`, what }];
    }),
  );
}

function globalsWhere(graph: Graph, wrong: (name: string, from: SourceFile) => boolean): readonly Violation[] {
  return [...graph.values()].flatMap((file) =>
    file.globals
      .filter((each) => wrong(each.name, file))
      .map((each) => ({ at: `${file.path}:${String(each.line)}`, what: `uses ${each.name}` })),
  );
}

/** Every ring once, at the import with which its first file in path order begins it. Type imports make no ring. */
function ringsOf(graph: Graph): readonly Violation[] {
  const violations: Violation[] = [];
  const edgesOf = (path: string): readonly { to: string; line: number }[] =>
    (graph.get(path)?.imports ?? []).flatMap((each) =>
      each.kind !== 'type' && each.target.kind === 'file' ? [{ to: each.target.path, line: each.line }] : [],
    );
  for (const start of [...graph.keys()].sort()) {
    for (const first of edgesOf(start)) {
      const ring = wayBack(first.to, start, edgesOf);
      if (ring === undefined || ring.some((each) => each < start)) continue;
      violations.push({ at: `${start}:${String(first.line)}`, what: `${start} → ${ring.join(' → ')}` });
    }
  }
  return violations;
}

/** The files from `from` to `goal`, both included, by the shortest way; undefined where there is none. */
function wayBack(
  from: string,
  goal: string,
  edgesOf: (path: string) => readonly { readonly to: string }[],
): readonly string[] | undefined {
  const seen = new Set([from]);
  const queue: (readonly string[])[] = [[from]];
  for (let way = queue.shift(); way !== undefined; way = queue.shift()) {
    const last = way.at(-1) ?? from;
    if (last === goal) return way;
    for (const { to } of edgesOf(last)) {
      if (seen.has(to)) continue;
      seen.add(to);
      queue.push([...way, to]);
    }
  }
  return undefined;
}
