// One site of two products, its hosts named, in the lab: every address of a name a check of its own, a family without a
// route skipped and said so, roles told apart by their profile, and the exit code that follows.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Report } from '../../src/contract/report.js';
import { addresses, openLab, type Lab } from './lab.js';
import { temporaryFolder } from './place.js';
import { labReason, requireLab, serverReason, skipFor } from './requirements.js';
import { chronyd, nginxTls } from './servers.js';
import { inetd } from './servers/inetd.js';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'bin/linecheck.js');

const HOSTS = `
127.0.0.1 localhost
${addresses.server1[4]} unit.example.net
${addresses.server1[6]} unit.example.net
${addresses.server1[4]} control.example.net
${addresses.server1[6]} control.example.net
${addresses.server2[6]} six.example.net
`;

/** Answers every datagram with itself, on both families: a device as far as a port can tell. */
const DEVICE = `
for (const type of ['udp4', 'udp6']) {
  const socket = require('node:dgram').createSocket({ type, ipv6Only: type === 'udp6' });
  socket.on('message', (message, from) => socket.send(message.subarray(0, 4), from.port, from.address));
  socket.bind(3080, () => console.log('ready'));
}`;

const site = (pulse: string, more = ''): string => `
linecheck: site/v1
name: two products
profiles: [kvmnet-access-management, uplogix-local-manager]
here: [kvmnet-access-management/manager, uplogix-local-manager/local-manager]
hosts:
  device: unit.example.net
  administrator: none
  kvmnet-access-management/client: none
  uplogix-local-manager/client: none
  control-center: control.example.net
  pulse-server: ${pulse}
  ntp-server: { name: control.example.net, addresses: any }
features: [uplogix-local-manager/ntp]
${more}
`;

const folder = temporaryFolder();
const reason =
  labReason() ??
  serverReason('nginx', 'nginx-light') ??
  serverReason('chronyd', 'chrony') ??
  serverReason('inetd', 'openbsd-inetd');
let lab: Lab | undefined;

beforeAll(async () => {
  if (reason !== undefined) return;
  lab = await openLab({ icmpRatelimitMs: 0 });
  const both = (host: 'server1' | 'server2') => ({
    on: lab?.place(host),
    addresses: [addresses[host][4], addresses[host][6]],
  });
  const on = both('server1');
  const device = lab.start('server1', [process.execPath, '-e', DEVICE]);
  await Promise.all([
    nginxTls({ addresses: on.addresses, on: lab.place('server1'), port: 443 }),
    nginxTls({ addresses: on.addresses, on: lab.place('server1'), port: 8443 }),
    chronyd({ addresses: on.addresses, on: lab.place('server1') }),
    inetd({ addresses: both('server2').addresses, on: lab.place('server2') }),
    new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (device.stdout().split('ready').length < 3) return;
        clearInterval(look);
        resolve();
      }, 20);
    }),
  ]);
  writeFileSync(join(folder.path, 'hosts'), HOSTS);
});

afterAll(async () => {
  await lab?.close();
  folder.remove();
});

function needed(ctx: Pick<TestContext, 'skip'>): Lab {
  requireLab(ctx);
  skipFor(ctx, reason);
  skipFor(ctx, existsSync(join(ROOT, 'dist/src/entry/cli.js')) ? undefined : 'linecheck is not built: npm run build');
  if (lab === undefined) throw new Error('no lab was opened');
  return lab;
}

/** Runs the check with a hosts file of the lab's own, which nobody outside of that one command sees. */
async function check(inLab: Lab, text: string): Promise<{ readonly exitCode: number | null; readonly report: Report }> {
  const path = join(folder.path, 'site.yaml');
  writeFileSync(path, text);
  const command = 'mount --bind "$0" /etc/hosts && exec "$@"';
  const argv = ['unshare', '--mount', 'sh', '-c', command, join(folder.path, 'hosts')];
  const ended = await inLab.exec('tech', [...argv, process.execPath, CLI, 'check', path, '--format', 'json']);
  expect(ended.stderr).toBe('');
  return { exitCode: ended.exitCode, report: JSON.parse(ended.stdout) as Report };
}

const outbound = (report: Report): readonly string[] =>
  report.checks
    .filter(({ from }) => from.role === 'manager' || from.role === 'local-manager')
    .map(({ flow, to, verdict, how }) => [flow, to.address ?? to.host, verdict, how].filter(Boolean).join(' '));

const accept = 'accept-unproven: [no-peer]';

describe('a site of two products', () => {
  it('asks every address of every name, and passes once the inbound flows are accepted', async (ctx) => {
    const inLab = needed(ctx);
    const pulse = `["${addresses.server2[4]}", "${addresses.server2[6]}"]`;
    const { exitCode, report } = await check(inLab, site(pulse, accept));
    const both = (flow: string, host: 'server1' | 'server2', result = 'open'): string[] => [
      `${flow} ${addresses[host][4]} ${result}`,
      `${flow} ${addresses[host][6]} ${result}`,
    ];
    expect(outbound(report).toSorted()).toEqual(
      [
        ...both('archiving', 'server1'),
        ...both('device-communication', 'server1'),
        ...both('discovery-fallback', 'server1', 'closed refused'),
        ...both('discovery-unicast', 'server1'),
        ...both('heartbeat', 'server1'),
        ...both('ntp', 'server1'),
        ...both('pulse', 'server2'),
      ].toSorted(),
    );
    expect(new Set(report.checks.map(({ profile }) => profile)).size).toBe(2);
    expect([exitCode, report.summary.exitCode]).toEqual([0, 0]);
  });

  it('accounts for every flow of both: checked, or skipped with its reason', async (ctx) => {
    const { report } = await check(needed(ctx), site(`"${addresses.server2[4]}"`, accept));
    const told = new Set([...report.checks, ...report.skipped].map(({ profile, flow }) => `${profile}/${flow}`));
    const { stdout } = await needed(ctx).exec('tech', [process.execPath, CLI, 'profiles', '--format', 'json']);
    const profiles = JSON.parse(stdout) as {
      readonly id: string;
      readonly flows: readonly { readonly id: string }[];
    }[];
    const all = profiles
      .filter(({ id }) => id !== 'cisco-secure-firewall')
      .flatMap(({ id, flows }) => flows.map((flow) => `${id}/${flow.id}`));
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter((flow) => !told.has(flow))).toEqual([]);
    expect(report.skipped.filter(({ reason }) => reason === '')).toEqual([]);
  });

  it('skips the addresses of a family without a route, says so, and fails for the host that has no other', async (ctx) => {
    const inLab = needed(ctx);
    await inLab.exec('tech', ['ip', '-6', 'route', 'del', 'default']);
    try {
      const { exitCode, report } = await check(inLab, site('six.example.net', accept));
      expect(outbound(report).toSorted()).toEqual(
        [
          `archiving ${addresses.server1[4]} open`,
          `device-communication ${addresses.server1[4]} open`,
          `discovery-fallback ${addresses.server1[4]} closed refused`,
          `discovery-unicast ${addresses.server1[4]} open`,
          `heartbeat ${addresses.server1[4]} open`,
          `ntp ${addresses.server1[4]} open`,
          `pulse ${addresses.server2[6]} unreachable no-route`,
        ].toSorted(),
      );
      const unrouted = report.skipped.filter(({ kind }) => kind === 'no-route-for-family');
      expect(unrouted.map(({ flow }) => flow).toSorted()).toEqual(
        ['archiving', 'device-communication', 'discovery-fallback', 'discovery-unicast', 'heartbeat', 'ntp'].toSorted(),
      );
      expect(unrouted.every(({ reason }) => reason.includes(addresses.server1[6]))).toBe(true);
      expect([exitCode, report.summary.exitCode]).toEqual([1, 1]);
    } finally {
      await inLab.exec('tech', ['ip', '-6', 'route', 'add', 'default', 'via', addresses.router[6]]);
    }
  });

  it('without a word on the inbound flows is unproven', async (ctx) => {
    const { exitCode, report } = await check(needed(ctx), site(`"${addresses.server2[4]}"`));
    expect(exitCode).toBe(3);
    expect(report.checks.filter(({ how }) => how === 'no-peer').map(({ flow }) => flow)).toContain(
      'device-communication',
    );
  });
});
