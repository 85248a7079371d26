// The commands that ask nobody: plan, profiles, probes, schema. They read, print, and send nothing.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Ajv } from 'ajv';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { skipFor } from '../lab/requirements.js';
import { injected, linecheck, placeOf, readFrom, root, scratchFolder } from './linecheck.js';
import { closePeersAfterwards, tcpPeer } from './peers.js';

const scratch = scratchFolder();
closePeersAfterwards();

const KVM = 'kvmnet-access-management';
const selection = ['--profile', KVM, '--as', 'manager', '--host', 'device=192.0.2.11'];

/** Writes the kinds of all handles and requests that the process made into $HANDLES as it ends. */
const HANDLES = `
import { createHook } from 'node:async_hooks';
import { writeFileSync } from 'node:fs';
const kinds = new Set();
createHook({ init: (id, kind) => kinds.add(kind) }).enable();
process.on('exit', () => writeFileSync(process.env.HANDLES, [...kinds].join(' ')));
`;
const NETWORK = /TCP|UDP|GETADDRINFO|GETNAMEINFO|QUERY|TLS/;

describe.concurrent('plan', () => {
  it('says what would be sent, to whom and how much', async () => {
    const cwd = placeOf(
      scratch,
      [
        { id: 'shell', tcp: 22, probe: 'ssh' },
        { id: 'web', tcp: '443-444', probe: 'https', required: 'optional' },
        { id: 'time', udp: 123, probe: 'ntp' },
      ],
      { hosts: { far: ['192.0.2.11', 'far.example.net'] } },
    );
    const args = ['plan', 'site.yaml', '--flow', 'shell', '--flow', 'web'];
    const [shown, told] = await Promise.all([
      linecheck(args, { cwd }),
      linecheck([...args, '--format', 'json'], { cwd }),
    ]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^Plan for branch-12: 6 checks from here, .* 1 flow skipped/);
    expect(shown.stdout).toMatch(/^ {2}Flow shell +192\.0\.2\.11:22\/tcp +ssh +\d+ packets? +\d+ bytes$/m);
    for (const line of shown.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(told).toMatchObject({ code: 0, stderr: '' });
    const { checks } = JSON.parse(told.stdout) as { readonly checks: readonly { readonly id: string }[] };
    expect(checks.map(({ id }) => id)).toEqual([
      'product/shell/near/192.0.2.11/tcp-22',
      'product/shell/near/far.example.net/tcp-22',
      'product/web/near/192.0.2.11/tcp-443',
      'product/web/near/192.0.2.11/tcp-444',
      'product/web/near/far.example.net/tcp-443',
      'product/web/near/far.example.net/tcp-444',
    ]);
  });

  it('opens no socket and asks no resolver, where a check does', async () => {
    const { port } = await tcpPeer((socket) => socket.end());
    const cwd = placeOf(
      scratch,
      [
        { id: 'named', tcp: port, probe: 'tcp' },
        { id: 'time', udp: port, probe: 'ntp', required: 'optional' },
      ],
      { hosts: { far: ['name.invalid', '127.0.0.1'] } },
    );
    const watched = (name: string): Record<string, string> => ({
      ...injected(scratch, 'handles', HANDLES),
      HANDLES: path.join(cwd, name),
    });
    const [plan] = await Promise.all([
      linecheck(['plan', 'site.yaml'], { cwd, env: watched('plan') }),
      linecheck(['check', 'site.yaml', '--max-time', '2s'], { cwd, env: watched('check') }),
    ]);
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(plan.stdout).toContain('name.invalid');
    expect(readFrom(cwd, 'check')).toMatch(NETWORK);
    expect(readFrom(cwd, 'plan')).not.toMatch(NETWORK);
  });

  it('is the same on a machine without any network', async (ctx) => {
    const without = ['unshare', '--map-root-user', '--net'];
    const works = spawnSync('unshare', [...without.slice(1), 'true']).status === 0;
    skipFor(ctx, works ? undefined : 'no right to make a network namespace: sudo npm test');
    const args = ['plan', ...selection];
    const [here, alone] = await Promise.all([linecheck(args), linecheck(args, { through: without })]);
    expect(here.code).toBe(0);
    expect(alone).toEqual(here);
  });
});

describe.concurrent('profiles', () => {
  it('lists the products, and tells all about one', async () => {
    const [list, page] = await Promise.all([linecheck(['profiles']), linecheck(['profiles', KVM])]);
    for (const { code, stderr } of [list, page]) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^kvmnet-access-management {2}KVM\.net II/m);
    expect(page.stdout).toMatch(/^KVM\.net II .*\nProfile +kvmnet-access-management\n/);
    for (const line of `${list.stdout}${page.stdout}`.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('gives with --format json the keys of the file itself, verbatim', async () => {
    const file: unknown = parse(readFileSync(path.join(root, `profiles/${KVM}.yaml`), 'utf8'));
    const [one, all] = await Promise.all([
      linecheck(['profiles', KVM, '--format', 'json']),
      linecheck(['profiles', '--format', 'json']),
    ]);
    expect(JSON.parse(one.stdout)).toEqual(file);
    expect(JSON.parse(all.stdout)).toContainEqual(file);
  });

  it('reads a profile of the user, by its path', async () => {
    const cwd = placeOf(scratch, [{ id: 'shell', tcp: 22, probe: 'ssh' }]);
    const [page, json] = await Promise.all([
      linecheck(['profiles', './product.yaml'], { cwd }),
      linecheck(['profiles', 'product.yaml', '--format', 'json'], { cwd }),
    ]);
    expect(page.stdout).toMatch(/^A product\nProfile +product\n/);
    expect(JSON.parse(json.stdout)).toEqual(JSON.parse(readFrom(cwd, 'product.yaml')));
  });
});

describe.concurrent('probes', () => {
  it('lists the probes, and tells all about one', async () => {
    const [list, page, json, one] = await Promise.all([
      linecheck(['probes']),
      linecheck(['probes', 'tls']),
      linecheck(['probes', '--format', 'json']),
      linecheck(['probes', 'tls', '--format', 'json']),
    ]);
    for (const { code, stderr } of [list, page, json, one]) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of `${list.stdout}${page.stdout}`.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const described = JSON.parse(json.stdout) as readonly { readonly name: string }[];
    for (const { name } of described) expect(list.stdout).toMatch(new RegExp(`^${name} `, 'm'));
    expect(described).toContainEqual(JSON.parse(one.stdout));
    expect(JSON.parse(one.stdout)).toMatchObject({ name: 'tls', defaultPort: 443, carriers: [{ carrier: 'tcp' }] });
    expect(page.stdout).toMatch(/^ {2}servername +\S/m);
  });
});

describe.concurrent('schema', () => {
  it.each(['site', 'profile', 'report', 'event'])('%s is a JSON Schema that compiles', async (what) => {
    const { code, stdout, stderr } = await linecheck(['schema', what]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const schema = JSON.parse(stdout) as { readonly $schema: string };
    const ajv = schema.$schema.includes('2020-12') ? new Ajv2020({ strict: false }) : new Ajv({ strict: false });
    expect(ajv.validateSchema(schema)).toBe(true);
  });

  it.each([
    ['site', 'site.yaml'],
    ['profile', 'product.yaml'],
  ])('%s takes a file that linecheck takes, and refuses one with a key too many', async (what, name) => {
    const cwd = placeOf(scratch, [{ id: 'shell', tcp: 22, probe: 'ssh' }]);
    const { stdout } = await linecheck(['schema', what]);
    const schema = JSON.parse(stdout) as Record<string, unknown>;
    const ajv = String(schema['$schema']).includes('2020-12')
      ? new Ajv2020({ strict: false })
      : new Ajv({ strict: false });
    const valid = ajv.compile(schema);
    const file = JSON.parse(readFrom(cwd, name)) as Record<string, unknown>;
    expect(valid(file), ajv.errorsText(valid.errors)).toBe(true);
    expect(valid({ ...file, hots: {} })).toBe(false);
  });
});
