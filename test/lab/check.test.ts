// `linecheck check` against real servers behind a firewall, as a tech runs it: by root and by an ordinary user.
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { addresses, openLab, type Ended, type Lab } from './lab.js';
import { CLOSED } from './linecheck.js';
import { temporaryFolder } from './place.js';
import { labReason, requireLab, requireServer, serverReason, skipFor } from './requirements.js';
import { chronyd, nginxTls, sshd, stunnel } from './servers.js';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'bin/linecheck.js');

const PROFILE = `
linecheck: profile/v1
id: gatehouse
title: Gatehouse, a product of this test
source: { title: Gatehouse installation notes }
roles:
  console: { title: Console }
  gate: { title: Gate }
flows:
  - { id: shell, title: Shell, from: console, to: gate, tcp: 22, probe: ssh, why: To look at it., source: row 1 }
  - { id: clock, title: Clock, from: console, to: gate, udp: 123, probe: ntp, why: To date events., source: row 2 }
  - { id: web, title: Web page, from: console, to: gate, tcp: 443, probe: https, why: To operate it., source: row 3 }
  - { id: control, title: Control, from: console, to: gate, tcp: 8305, probe: tls, why: To steer it., source: row 4 }
  - { id: events, title: Events, from: gate, to: console, tcp: 6000, probe: tcp, why: To be told., source: row 5 }
`;

const site = (hosts: string, more = ''): string => `
linecheck: site/v1
name: lab
profiles: [./gatehouse.yaml]
here: console
hosts:
  console: [10.1.0.2, "fd00:1::2"]
  gate: ${hosts}
${more}
`;

const BOTH_FAMILIES = `["${addresses.server1[4]}", "${addresses.server1[6]}"]`;

/** What these tests read of a report. */
interface Report {
  readonly summary: { readonly exitCode: number };
  readonly checks: readonly {
    readonly flow: string;
    readonly from: { readonly role: string };
    readonly to: { readonly address: string };
    readonly verdict: string;
    readonly how?: string;
    readonly result: string;
  }[];
}

const folder = temporaryFolder();
const reason =
  labReason() ??
  serverReason('sshd', 'openssh-server') ??
  serverReason('nginx', 'nginx-light') ??
  serverReason('chronyd', 'chrony') ??
  serverReason('stunnel4', 'stunnel4');
let lab: Lab | undefined;

beforeAll(async () => {
  if (reason !== undefined) return;
  lab = await openLab();
  const server = { on: lab.place('server1'), addresses: [addresses.server1[4], addresses.server1[6]] };
  await Promise.all([sshd(server), chronyd(server), nginxTls(server), stunnel(server)]);
  writeFileSync(join(folder.path, 'gatehouse.yaml'), PROFILE);
});

afterAll(async () => {
  await lab?.close();
  folder.remove();
});

function needed(ctx: Pick<TestContext, 'skip'>): Lab {
  requireLab(ctx);
  requireServer(ctx, 'sshd', 'openssh-server');
  skipFor(ctx, reason);
  skipFor(ctx, existsSync(join(ROOT, 'dist/src/entry/cli.js')) ? undefined : 'linecheck is not built: npm run build');
  if (lab === undefined) throw new Error('no lab was opened');
  return lab;
}

interface Run extends Ended {
  readonly report: Report;
}

async function check(inLab: Lab, uid: number, text: string, words: readonly string[] = []): Promise<Run> {
  const path = join(folder.path, `site-${uid}.yaml`);
  writeFileSync(path, text);
  const argv = [process.execPath, CLI, 'check', path, '--format', 'json', ...words];
  const ended = await inLab.exec('tech', argv, { uid });
  expect(ended.stderr).toBe('');
  return { ...ended, report: JSON.parse(ended.stdout) as Report };
}

/** One line a check: `shell 10.3.0.11 open`. */
function verdicts(report: Report): readonly string[] {
  return report.checks
    .filter(({ from }) => from.role === 'console')
    .map(({ flow, to, verdict, how }) =>
      [flow, to.address, verdict, how].filter((word) => word !== undefined).join(' '),
    )
    .sort();
}

describe.for([
  ['root', 0],
  ['an ordinary user', 65534],
] as const)('a check by %s', ([, uid]) => {
  it('with all open is unproven for the inbound flows alone, names them, and exits 3', async (ctx) => {
    const inLab = needed(ctx);
    await inLab.firewall('');
    const { exitCode, report } = await check(inLab, uid, site(BOTH_FAMILIES));
    expect(verdicts(report)).toEqual(
      ['clock', 'control', 'shell', 'web'].flatMap((flow) => [`${flow} 10.3.0.11 open`, `${flow} fd00:3::11 open`]),
    );
    const unproven = report.checks.filter(({ result }) => result !== 'pass');
    expect(unproven.map(({ flow, verdict, how }) => `${flow} ${verdict} ${String(how)}`)).toEqual([
      'events unproven no-peer',
      'events unproven no-peer',
    ]);
    expect(report.summary.exitCode).toBe(3);
    expect(exitCode).toBe(3);
  });

  it('with all open and the inbound flows accepted exits 0', async (ctx) => {
    const inLab = needed(ctx);
    await inLab.firewall('');
    const accepting = await check(inLab, uid, site(BOTH_FAMILIES, 'accept-unproven: [no-peer]'));
    expect(accepting.exitCode).toBe(0);
    expect((await check(inLab, uid, site(BOTH_FAMILIES), ['--accept-unproven'])).exitCode).toBe(0);
  });

  it('tells the dropped, the rejected, those without a server and the absent host apart, and exits 1', async (ctx) => {
    const inLab = needed(ctx);
    await inLab.firewall(`
      table inet f {
        chain c {
          type filter hook forward priority filter;
          ip daddr 10.3.0.11 udp dport 123 drop
          ip daddr 10.3.0.11 tcp dport 443 drop
          ip daddr 10.3.0.11 tcp dport 8305 reject with icmp type admin-prohibited
          ip6 daddr fd00:3::11 udp dport 123 reject with icmpv6 type admin-prohibited
          ip6 saddr fd00:3::11 tcp sport 443 drop
          ip6 daddr fd00:3::11 tcp dport 8305 reject with icmpv6 type admin-prohibited
        }
      }`);
    const hosts = `["${addresses.server1[4]}", "${addresses.server1[6]}", "${addresses.server2[4]}", "${addresses.absent[4]}"]`;
    const { exitCode, report } = await check(inLab, uid, site(hosts));
    expect(verdicts(report)).toEqual(
      [
        'shell 10.3.0.11 open',
        'clock 10.3.0.11 blocked dropped',
        'web 10.3.0.11 blocked dropped',
        'control 10.3.0.11 blocked rejected',
        'shell fd00:3::11 open',
        'clock fd00:3::11 blocked rejected',
        'web fd00:3::11 blocked dropped',
        'control fd00:3::11 blocked rejected',
        // server2 is there, and nothing listens on it.
        `shell 10.3.0.12 ${CLOSED.tcp}`,
        `clock 10.3.0.12 ${CLOSED.udp}`,
        `web 10.3.0.12 ${CLOSED.tcp}`,
        `control 10.3.0.12 ${CLOSED.tcp}`,
        'shell 10.3.0.99 unreachable no-host',
        'clock 10.3.0.99 unreachable no-host',
        'web 10.3.0.99 unreachable no-host',
        'control 10.3.0.99 unreachable no-host',
      ].sort(),
    );
    expect(exitCode).toBe(1);

    const schema = await inLab.exec('tech', [process.execPath, CLI, 'schema', 'report'], { uid });
    const ajv = new Ajv2020();
    addFormats.default(ajv);
    const validate = ajv.compile(JSON.parse(schema.stdout) as object);
    expect(validate(report), ajv.errorsText(validate.errors)).toBe(true);
  });
});
