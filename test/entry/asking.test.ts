// The commands that ask: demo, check with a site and without one, probe by hand.
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { noFamily } from '../probes/scenes.js';
import { CLOSED } from '../lab/linecheck.js';
import { skipFor } from '../lab/requirements.js';
import { expectMistake, linecheck, placeOf, scratchFolder } from './linecheck.js';
import { closePeersAfterwards, shutPort, tcpPeer, udpPeer } from './peers.js';
import { reportIn, verdictsOf } from './reading.js';

const scratch = scratchFolder();
closePeersAfterwards();

describe.concurrent('demo', () => {
  it('says what it shows, shows it, and exits 0', async () => {
    const { code, stdout, stderr } = await linecheck(['demo']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('Checks 7 services here: 4 answer, 2 are shut, 1 is mute, all on purpose.');
    expect(lines[2]).toBe('demo: 2 of 7 required flows fail, 1 is unproven.');
    expect(lines.filter((line) => line.startsWith('FAIL'))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('UNPROVEN'))).toHaveLength(1);
    expect(lines.slice(-2)).toEqual(['This is what the demo should show. Next: linecheck profiles', '']);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('gives each verdict with --format json', async () => {
    const { code, stdout, stderr } = await linecheck(['demo', '--format', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = await reportIn(stdout);
    expect(verdictsOf(report)).toEqual({
      'web-interface': 'open',
      'remote-shell': 'open',
      'control-channel': 'open',
      time: 'open',
      'database-replication': CLOSED.tcp,
      'backup-time': CLOSED.udp,
      discovery: 'unproven silence',
    });
    expect(report.durationMs).toBeLessThan(5000);
  });
});

describe.concurrent('check', () => {
  it('of a site whose flows are all open exits 0', async () => {
    const { port } = await tcpPeer((socket) => socket.resume());
    const cwd = placeOf(scratch, [{ id: 'quick', tcp: port, probe: 'tcp' }]);
    const { code, stdout, stderr } = await linecheck(['check', 'site.yaml'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^branch-12: /);
    expect(stdout).toMatch(/\nTook .* Exit code 0: /);
  });

  it('needs no site file: flags say the same', async () => {
    const { port } = await tcpPeer((socket) => socket.resume());
    const cwd = placeOf(scratch, [
      { id: 'quick', tcp: port, probe: 'tcp' },
      { id: 'gone', tcp: await shutPort(), probe: 'tcp' },
    ]);
    const flags = ['--profile', './product.yaml', '--as', 'near', '--host', 'far=127.0.0.1', '--format', 'json'];
    const [all, one] = await Promise.all([
      linecheck(['check', ...flags], { cwd }),
      linecheck(['check', ...flags, '--flow', 'qu*'], { cwd }),
    ]);
    const report = await reportIn(all.stdout);
    expect(verdictsOf(report)).toEqual({ quick: 'open', gone: CLOSED.tcp });
    expect(report.site).toBeUndefined();
    expect(all.code).toBe(1);
    expect(verdictsOf(await reportIn(one.stdout))).toEqual({ quick: 'open' });
    expect(one.code).toBe(0);
  });

  it('exits 3 for what is unproven, 0 where that is accepted, and as a monitoring plug-in where asked', async () => {
    const { port } = await udpPeer(() => []);
    const flows = [{ id: 'mute', udp: port, probe: 'udp', with: { 'one-way': true } }];
    const cwd = placeOf(scratch, flows);
    const accepting = placeOf(scratch, flows, { 'accept-unproven': ['one-way'] });
    const args = ['check', 'site.yaml', '--quiet', '--timeout', '3500ms', '--diagnose', 'off'];
    const ends = await Promise.all([
      linecheck(args, { cwd }),
      linecheck([...args, '--accept-unproven'], { cwd }),
      linecheck(args, { cwd: accepting }),
      linecheck([...args, '--exit', 'nagios'], { cwd }),
    ]);
    expect(ends.map(({ code }) => code)).toEqual([3, 0, 0, 1]);
    for (const { stdout, stderr } of ends) expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  });

  it('asks from the address or the interface that --source names', async (ctx) => {
    const [loopback] = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      addresses?.some(({ address }) => address === '127.0.0.1') === true ? [name] : [],
    );
    skipFor(ctx, loopback === undefined ? 'no interface has 127.0.0.1; ip link set lo up' : undefined);
    const from: string[] = [];
    const { port } = await tcpPeer((socket) => {
      from.push(String(socket.remoteAddress));
      socket.resume();
    });
    const cwd = placeOf(scratch, [{ id: 'quick', tcp: port, probe: 'tcp' }]);
    const first = await linecheck(['check', 'site.yaml', '--source', '127.0.0.9'], { cwd });
    const second = await linecheck(['check', 'site.yaml', '--source', String(loopback)], { cwd });
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(from).toEqual(['127.0.0.9', '127.0.0.1']);
  });

  it('takes the way of its flows, whatever proxy the environment names', async () => {
    const target = await tcpPeer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const proxy = await tcpPeer((socket) => socket.end());
    const url = `http://127.0.0.1:${proxy.port}`;
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
    const env = { ...Object.fromEntries(names.map((name) => [name, url])), NO_PROXY: '', NODE_USE_ENV_PROXY: '1' };
    const cwd = placeOf(scratch, [
      { id: 'web', tcp: target.port, probe: 'https' },
      { id: 'channel', tcp: target.port, probe: 'tls' },
      { id: 'port', tcp: target.port, probe: 'tcp' },
    ]);
    const { code, stdout } = await linecheck(['check', 'site.yaml', '--format', 'json'], { cwd, env });
    expect(verdictsOf(await reportIn(stdout))).toMatchObject({ web: 'wrong-service stranger' });
    expect(code).toBe(1);
    expect(target.connections()).toBeGreaterThanOrEqual(3);
    expect(proxy.connections()).toBe(0);
  });
});

describe.concurrent('probe', () => {
  it('asks a target in every form', async () => {
    const { port } = await tcpPeer((socket) => socket.resume());
    const targets = [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`];
    const ends = await Promise.all(targets.map((target) => linecheck(['probe', 'tcp', target])));
    for (const { code, stdout, stderr } of ends) {
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^PASS +tcp .*: open$/m);
      expect(code).toBe(0);
    }
  });

  it('asks an IPv6 address, in brackets where a port follows', async (ctx) => {
    skipFor(ctx, noFamily(6));
    const [port, bare] = await Promise.all([
      linecheck(['probe', 'tcp', `[::1]:${await shutPort()}`, '--format', 'json']),
      linecheck(['probe', 'ntp', '0:0::1', '--timeout', '1s', '--format', 'json']),
    ]);
    expect(verdictsOf(await reportIn(port.stdout))).toEqual({ tcp: CLOSED.tcp });
    const [check] = (await reportIn(bare.stdout)).checks;
    expect(check?.to).toMatchObject({ host: '::1', port: 123 });
  });

  it.each<readonly [string, string]>([
    ['127.1', 'target "127.1" is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?'],
    ['127.0.0.1', 'target 127.0.0.1 has no port, and probe tcp has no usual one; expected 127.0.0.1:PORT'],
    ['::1', 'target ::1 has no port, and probe tcp has no usual one; expected [::1]:PORT'],
    ['127.0.0.1:0', 'target "127.0.0.1:0": "0" is not a port; expected 1 to 65535'],
    ['127.0.0.1:70000', 'target "127.0.0.1:70000": "70000" is not a port; expected 1 to 65535'],
    ['127.0.0.1:ssh', 'target "127.0.0.1:ssh": "ssh" is not a port; expected 1 to 65535'],
    ['[::1]:', 'target "[::1]:": "" is not a port; expected 1 to 65535'],
    ['[::1', 'target "[::1" makes no sense; expected ADDRESS:PORT, NAME:PORT or [IPV6]:PORT'],
    ['[127.0.0.1]:9', 'target "[127.0.0.1]:9" makes no sense; expected ADDRESS:PORT, NAME:PORT or [IPV6]:PORT'],
    ['http://192.0.2.1/', 'target "http://192.0.2.1/" is a URL, not a host; did you mean "192.0.2.1"?'],
    ['192.0.2.0/24', 'target "192.0.2.0/24" is a network or a path, not one host; did you mean "192.0.2.0"?'],
  ])('refuses the target %s', async (target, line) => {
    await expectMistake(['probe', 'tcp', target], [line]);
  });

  it.each<readonly [string, readonly string[], readonly string[]]>([
    ['an unknown probe', ['shh', '127.0.0.1'], ['no probe "shh"; did you mean "ssh"?']],
    [
      'all that is wrong at once',
      ['tls', '127.0.0.1:x', '--with', 'min-version=9', '--with', 'cca=site', '--timeout', '0s', '--carrier', 'udp'],
      [
        'target "127.0.0.1:x": "x" is not a port; expected 1 to 65535',
        '--carrier udp: probe tls has no such carrier; expected tcp',
        'min-version is "9"; expected one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3',
        'unknown key "cca"; did you mean "ca"?',
        '--timeout cannot be 0s; expected a duration such as 5s or 500ms, up to 600s',
      ],
    ],
    [
      'a secret that nobody gives, and does not repeat what may be the secret itself',
      ['tls', '127.0.0.1:9', '--with', 'ca=hunter2'],
      [
        '--with ca=… names a secret that no --secret gives; expected --secret NAME=env:VARIABLE or --secret NAME=file:PATH',
      ],
    ],
    [
      'a secret on the command line, and does not repeat it',
      ['tls', '127.0.0.1:9', '--with', 'ca=site', '--secret', 'site=hunter2'],
      ['--secret site=…; expected env:VARIABLE or file:PATH; a secret never stands in a command'],
    ],
    [
      'a secret that is not there',
      ['tls', '127.0.0.1:9', '--with', 'ca=site', '--secret', 'site=env:NOT_SET'],
      ['secret site: the environment variable NOT_SET is not set'],
    ],
  ])('refuses %s', async (_what, args, lines) => {
    await expectMistake(['probe', ...args], lines);
  });

  it('gives options their type, and shows with --verbose what went over the wire', async () => {
    const { port } = await tcpPeer((socket) => socket.once('data', () => socket.end('220 mail ready\r\n')));
    const target = `127.0.0.1:${port}`;
    const options = ['--with', 'send-text=hello', '--with', 'expect-text=220 mail'];
    const [told, json] = await Promise.all([
      linecheck(['probe', 'tcp', target, ...options, '--verbose']),
      linecheck(['probe', 'tcp', target, ...options, '--format', 'json']),
    ]);
    expect(told).toMatchObject({ code: 0, stderr: '' });
    expect(told.stdout).toContain('hello');
    expect(told.stdout).toContain('220 mail ready');
    for (const line of told.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(verdictsOf(await reportIn(json.stdout))).toEqual({ tcp: 'open' });
  });
});
