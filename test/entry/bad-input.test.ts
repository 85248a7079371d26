// Files that are wrong: each mistake told at its place, all at once, with exit code 2, before anything is sent.
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { skipFor } from '../lab/requirements.js';
import { expectMistake, linecheck, placeOf, scratchFolder } from './linecheck.js';

const scratch = scratchFolder();

const PROFILE = `linecheck: profile/v1
id: product
title: A product
source: {title: Its ports}
roles: {near: {title: Near}, far: {title: Far}, clock: {title: Clock}}
features: {extra: {title: Extra}}
flows:
  - {id: shell, title: Shell, from: near, to: far, tcp: 22, probe: ssh, required: always, why: Support., source: row 1}
  - {id: time, title: Time, from: near, to: clock, udp: 123, probe: ntp, required: {feature: extra}, why: Time., source: row 2}
`;
const SITE = `linecheck: site/v1
profiles: [./product.yaml]
here: near
`;

/** A folder with the profile and a site that ends in `rest`. */
function folderWith(rest: string, profile = PROFILE): string {
  const folder = placeOf(scratch, []);
  writeFileSync(path.join(folder, 'product.yaml'), profile);
  writeFileSync(path.join(folder, 'site.yaml'), `${SITE}${rest}`);
  return folder;
}

const HOST = 'hosts: {far: 127.0.0.1}\n';
const PORT = 'expected a port from 1 to 65535, or a range "900-902"';

describe.concurrent('a site file that is wrong', () => {
  it.each<readonly [string, string, readonly string[]]>([
    ['an unknown key', `${HOST}hots: {}\n`, ['site.yaml:5:1: unknown key "hots"; did you mean "hosts"?']],
    [
      'wrong types, all of them at once',
      `${HOST}login: please\nfamily: 5\nfeatures: {}\n`,
      [
        'site.yaml:5:8: login is "please"; expected true or false',
        'site.yaml:6:9: family is 5; expected 4, 6 or any',
        'site.yaml:7:11: features is a map; expected lower-case letters, digits and single hyphens, or a list',
      ],
    ],
    [
      'a key twice',
      `${HOST}hosts: {far: 127.0.0.2}\n`,
      ['site.yaml:5:1: the key "hosts" stands twice in one map; the first is in line 4'],
    ],
    ['an unknown role', 'hosts: {fra: 127.0.0.1}\n', ['site.yaml:4:9: no role "fra"; did you mean "far"?']],
    [
      'an address that is none',
      'hosts: {far: "127.1"}\n',
      [
        'site.yaml:4:14: the host "127.1" is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?',
      ],
    ],
    ['port 0', `${HOST}flows: {shell: {port: 0}}\n`, [`site.yaml:5:23: port is 0; ${PORT}`]],
    ['port 70000', `${HOST}flows: {shell: {port: 70000}}\n`, [`site.yaml:5:23: port is 70000; ${PORT}`]],
    [
      'a range upside down',
      `${HOST}flows: {shell: {port: 902-900}}\n`,
      ['site.yaml:5:23: port is "902-900": the range is upside down; did you mean "900-902"?'],
    ],
    [
      'nothing left to check',
      'hosts: {far: none, clock: none}\n',
      [
        'site.yaml:1:1: nothing to check: 1 flow to or from "far", which is "none"; 1 flow only with the feature "extra"',
      ],
    ],
  ])('is told at its place: %s', async (_what, rest, lines) => {
    await expectMistake(['check', 'site.yaml'], lines, { cwd: folderWith(rest) });
  });

  it('is told at its place where the profile of the user is wrong', async () => {
    const wrong = PROFILE.replace('tcp: 22', 'tcp: 0').replace('udp: 123', 'udp: 70000');
    const lines = [`product.yaml:8:57: tcp is 0; ${PORT}`, `product.yaml:9:57: udp is 70000; ${PORT}`];
    await expectMistake(['check', 'site.yaml'], lines, { cwd: folderWith(HOST, wrong) });
  });

  it.each<readonly [string, readonly [string, string], string]>([
    [
      'an id twice',
      ['id: time', 'id: shell'],
      'product.yaml:9:10: the flow id "shell" is taken; the first is in line 8',
    ],
    ['an unknown probe', ['probe: ssh', 'probe: shh'], 'product.yaml:8:68: no probe "shh"; did you mean "ssh"?'],
    ['an unknown role', ['from: near', 'from: neer'], 'product.yaml:8:37: no role "neer"; did you mean "near"?'],
    [
      'a range upside down',
      ['tcp: 22', 'tcp: 902-900'],
      'product.yaml:8:57: tcp is "902-900": the range is upside down; did you mean "900-902"?',
    ],
  ])('is told at its place in the profile: %s', async (_what, [right, wrong], line) => {
    const cwd = folderWith(HOST, PROFILE.replace(right, wrong));
    await expectMistake(['check', 'site.yaml'], [line], { cwd });
  });

  it('names each profile that is not there, where the site names it', async () => {
    const cwd = folderWith('');
    writeFileSync(
      path.join(cwd, 'site.yaml'),
      'linecheck: site/v1\nprofiles: [./gone.yaml, kvmnet-access-managment]\nhere: near\n',
    );
    await expectMistake(
      ['check', 'site.yaml'],
      [
        'site.yaml:2:12: cannot read the profile gone.yaml: no such file or folder',
        'site.yaml:2:25: no profile "kvmnet-access-managment"; did you mean "kvmnet-access-management"?',
      ],
      { cwd },
    );
  });

  it('finds a profile beside the site file, wherever it is called from', async () => {
    const folder = folderWith(HOST);
    const cwd = path.dirname(folder);
    const name = path.basename(folder);
    writeFileSync(path.join(folder, 'product.yaml'), PROFILE.replace('tcp: 22', 'tcp: 0'));
    await expectMistake(['plan', `${name}/site.yaml`], [`${name}/product.yaml:8:57: tcp is 0; ${PORT}`], { cwd });
  });

  it('refuses two different profiles of one id', async () => {
    const cwd = folderWith(HOST);
    writeFileSync(path.join(cwd, 'other.yaml'), PROFILE);
    const { code, stderr } = await linecheck(['plan', 'site.yaml', '--profile', 'other.yaml'], { cwd });
    expect(stderr).toMatch(/^two different profiles have the id "product": \S+\/product\.yaml and \S+\/other\.yaml\n$/);
    expect(code).toBe(2);
  });
});

describe.concurrent('a file that is no site file', () => {
  const bomb = `a: &a [${'x,'.repeat(9)}]\n${'bcdefghi'
    .split('')
    .map((name, index) => `${name}: &${name} [${`*${'abcdefgh'.charAt(index)},`.repeat(9)}]\n`)
    .join('')}`;

  it.each<readonly [string, string | Uint8Array, readonly string[]]>([
    ['empty', '', ['it.yaml:1:1: the file is empty; expected a map of keys']],
    ['words', 'just words\n', ['it.yaml:1:1: the file is "just words"; expected a map of keys']],
    [
      'no YAML',
      'linecheck: site/v1\nhosts: {far: [127.0.0.1\n',
      [
        'it.yaml:3:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
        'it.yaml:3:1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
      ],
    ],
    [
      'binary',
      Uint8Array.from({ length: 4096 }, (_, index) => (index * 37) % 256),
      ['it.yaml: the site file is not UTF-8 text; expected YAML, saved as UTF-8'],
    ],
    [
      'text of another encoding',
      Buffer.from('\ufefflinecheck: site/v1\n', 'utf16le'),
      ['it.yaml: the site file is not UTF-8 text; expected YAML, saved as UTF-8'],
    ],
    ['an alias bomb', bomb, ['it.yaml:1:8: aliases unfold to more than 5000 values']],
    ['of 50 MB', Buffer.alloc(50 * 1024 * 1024, 'a'), ['it.yaml: the site file is 50 MB; expected at most 1 MB']],
  ])('is refused: %s', async (_what, content, lines) => {
    const cwd = placeOf(scratch, []);
    writeFileSync(path.join(cwd, 'it.yaml'), content);
    await expectMistake(['check', 'it.yaml'], lines, { cwd });
  });

  it('is refused: missing, a folder, a device without an end, below a file', async () => {
    const cwd = placeOf(scratch, []);
    mkdirSync(path.join(cwd, 'folder.yaml'));
    const read = 'cannot read the site file:';
    await Promise.all([
      expectMistake(['check', 'gone.yaml'], [`gone.yaml: ${read} no such file or folder`], { cwd }),
      expectMistake(['check', 'folder.yaml'], [`folder.yaml: ${read} it is a folder`], { cwd }),
      expectMistake(['check', 'site.yaml/x'], [`site.yaml/x: ${read} a part of the path is no folder`], { cwd }),
      expectMistake(['check', '/dev/zero'], ['/dev/zero: the site file is over 1 MB; expected at most 1 MB'], { cwd }),
    ]);
  });

  it('is refused where this user may not read it', async (ctx) => {
    const asNobody = nobody();
    skipFor(ctx, asNobody.reason);
    const cwd = placeOf(scratch, []);
    chmodSync(path.join(cwd, 'site.yaml'), 0o000);
    openTo(cwd);
    const lines = ['site.yaml: cannot read the site file: permission denied'];
    await expectMistake(['check', 'site.yaml'], lines, { cwd, through: asNobody.through });
  });
});

describe.concurrent('a site file that only looks odd', () => {
  it.each([
    ['with a byte order mark', `\ufeff${SITE}${HOST}`],
    ['with the line ends of Windows', `${SITE}${HOST}`.replaceAll('\n', '\r\n')],
    ['without a last line end', `${SITE}${HOST}`.trimEnd()],
  ])('is read: %s', async (_what, content) => {
    const cwd = folderWith('');
    writeFileSync(path.join(cwd, 'site.yaml'), content);
    const { code, stdout, stderr } = await linecheck(['plan', 'site.yaml'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ {2}Shell +127\.0\.0\.1:22\/tcp +ssh/m);
  });

  it('is read from a pipe', async () => {
    const cwd = folderWith(HOST);
    const shell = ['sh', '-c', 'cat site.yaml | "$@"', 'sh'];
    const { code, stderr } = await linecheck(['plan', '/dev/stdin'], { cwd, through: shell });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: '/dev/stdin:2:12: cannot read the profile /dev/product.yaml: no such file or folder\n',
    });
  });

  it('that names no host for a role is unproven, no-host: exit 3', async () => {
    const { code, stdout, stderr } = await linecheck(['check', 'site.yaml'], { cwd: folderWith('') });
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout).toContain('no-host');
    expect(stdout).toContain('--host far=');
  });
});

describe.concurrent('what cannot be done is told before anything is sent', () => {
  const everything = { profile: PROFILE, secrets: 'secrets: {key: {env: NOT_SET}, chain: {file: gone.pem}}\n' };

  it('secrets that are missing', async () => {
    const profile = everything.profile.replace('probe: ssh', 'probe: tls, with: {ca: key, client-cert: chain}');
    const folder = folderWith(`${HOST}${everything.secrets}`, profile);
    const name = path.basename(folder);
    await expectMistake(
      ['check', `${name}/site.yaml`, '--format', `json:${name}/report.json`],
      [
        'secret key: the environment variable NOT_SET is not set',
        `${name}/gone.pem: cannot read the secret chain: no such file or folder`,
      ],
      { cwd: scratch },
    );
    expect(existsSync(path.join(folder, 'report.json'))).toBe(false);
  });

  it('a secret that the site does not have', async () => {
    const profile = everything.profile.replace('probe: ssh', 'probe: tls, with: {ca: kye}');
    const lines = ['product.yaml:8:84: "ca" names a secret that the site does not have; did you mean "key"?'];
    await expectMistake(['check', 'site.yaml'], lines, { cwd: folderWith(`${HOST}${everything.secrets}`, profile) });
  });

  it('a source that is not here', async () => {
    const cwd = folderWith(HOST);
    const { code, stdout, stderr } = await linecheck(['check', 'site.yaml', '--source', '198.51.100.1'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^source 198\.51\.100\.1 is neither an address nor an interface of this machine; expected .*\blo\b.*, or an address of one of these\n$/,
    );
  });

  it('a file that cannot be written', async (ctx) => {
    const cwd = folderWith(HOST);
    mkdirSync(path.join(cwd, 'folder'));
    symlinkSync('loop', path.join(cwd, 'loop'));
    const to = (file: string): string[] => ['check', 'site.yaml', '--format', `json:${file}`];
    await Promise.all([
      expectMistake(to('gone/r.json'), ['gone/r.json: cannot write into the folder gone: no such file or folder'], {
        cwd,
      }),
      expectMistake(to('folder'), ['folder: cannot write: it is a folder'], { cwd }),
      expectMistake(to('loop'), ['loop: cannot write: its symbolic links go round in circles'], { cwd }),
      expectMistake(to('x'.repeat(300)), [`${'x'.repeat(300)}: cannot write: the name is too long`], { cwd }),
    ]);
    const asNobody = nobody();
    skipFor(ctx, asNobody.reason);
    const closed = folderWith(HOST);
    writeFileSync(path.join(closed, 'mine.json'), 'kept');
    chmodSync(path.join(closed, 'mine.json'), 0o444);
    openTo(closed);
    const { through } = asNobody;
    await Promise.all([
      expectMistake(to('r.json'), ['r.json: cannot write into the folder .: permission denied'], {
        cwd: closed,
        through,
      }),
      expectMistake(to('mine.json'), ['mine.json: cannot write: permission denied'], { cwd: closed, through }),
    ]);
  });
});

/** How to run something as a user who may nothing special; the reason where that cannot be. */
function nobody(): { readonly through: readonly string[]; readonly reason?: string } {
  if (process.getuid?.() !== 0) return { through: [] };
  const missing = !['/usr/bin/setpriv', '/bin/setpriv'].some((file) => existsSync(file));
  return {
    through: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
    ...(missing
      ? { reason: 'root may read everything, and setpriv is not installed: apt-get install util-linux' }
      : {}),
  };
}

/** Lets a user who may nothing special enter a folder, and change nothing in it. */
function openTo(folder: string): void {
  chmodSync(scratch, 0o755);
  chmodSync(folder, 0o555);
  if (process.getuid?.() === 0) chownSync(folder, 0, 0);
}
