// The lab itself: that it is the network it says it is, that labs do not see each other, that nothing of it stays.
// What a flow meets in it is asserted in errno.test.ts.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi, type TestContext } from 'vitest';
import { openLab, type Lab, type LabOptions } from './lab.js';
import { labReason, requireLab, requireServer, skipFor } from './requirements.js';
import { nginxTls, sshd } from './servers.js';

const SCRIPT = join(import.meta.dirname, 'lab');
const run = promisify(execFile);
const open: Lab[] = [];

async function lab(options?: LabOptions): Promise<Lab> {
  const opened = await openLab(options);
  open.push(opened);
  return opened;
}

/** Runs the script by hand and returns how it ended. */
async function byHand(...words: readonly string[]): Promise<{ exitCode: unknown; stdout: string; stderr: string }> {
  try {
    return { exitCode: 0, ...(await run(SCRIPT, words)) };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const { code, stdout, stderr } = error as Error & { code: unknown; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}

/** Command lines of all processes of this machine that contain `text`. */
function processesWith(text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(text));
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((opened) => opened.close()));
});

describe('the network', () => {
  // One lab for those that leave it as it was.
  let shared: Lab | undefined;
  beforeAll(async () => {
    if (labReason() === undefined) shared = await openLab();
  });
  afterAll(() => shared?.close());
  function sharedLab(ctx: Pick<TestContext, 'skip'>): Lab {
    requireLab(ctx);
    if (shared === undefined) throw new Error('no lab was opened');
    return shared;
  }

  it.for([
    ['IPv4', 4],
    ['IPv6', 6],
  ] as const)('has three hops to the servers over %s, and two of them count down the TTL', async ([, family], ctx) => {
    const { exec, addresses } = sharedLab(ctx);
    for (const server of [addresses.server1, addresses.server2]) {
      const ping = await exec('tech', ['ping', '-n', '-c', '1', '-W', '2', server[family]]);
      expect(ping).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('ttl=62') as unknown });
    }
  });

  it('has one hop more, the core, where two routers are wished for', async (ctx) => {
    requireLab(ctx);
    const { exec, addresses } = await lab({ routers: 2 });
    for (const family of [4, 6] as const) {
      const ask = (...words: string[]) => exec('tech', ['ping', '-n', '-c', '1', '-W', '2', ...words]);
      expect((await ask(addresses.server1[family])).stdout).toContain('ttl=61');
      const second = await ask('-t', '2', addresses.server1[family]);
      expect(second.stdout).toMatch(new RegExp(`From ${addresses.core[family]} .*exceeded`));
    }
  });

  it('lets through what the firewall allows, and complaints of nft reach the caller', async (ctx) => {
    const { firewall, exec, addresses } = sharedLab(ctx);
    const ping = ['ping', '-n', '-c', '1', '-W', '1', addresses.server1[4]];
    await firewall('table inet f { chain c { type filter hook forward priority filter; meta l4proto icmp drop; }; }');
    expect((await exec('tech', ping)).exitCode).toBe(1);
    await expect(firewall('no such words')).rejects.toThrow('syntax error');
    await firewall('');
    expect((await exec('tech', ping)).exitCode).toBe(0);
  });

  it('has no way to the network of this machine', async (ctx) => {
    const { exec } = sharedLab(ctx);
    const links = await Promise.all(
      (['tech', 'router', 'firewall', 'server1', 'server2'] as const).map((host) =>
        exec(host, ['ip', '-o', 'link', 'show']),
      ),
    );
    const names = links.map(({ stdout }) => [...stdout.matchAll(/^\d+: (\w+)/gm)].map(([, name]) => name).sort());
    expect(names).toEqual([
      ['lo', 'router'],
      ['firewall', 'lo', 'tech'],
      ['lan', 'lo', 'router'],
      ['lan', 'lo'],
      ['lan', 'lo'],
    ]);
  });

  it('runs a command with its input, as the user that is asked for, in this folder', async (ctx) => {
    const { exec } = sharedLab(ctx);
    expect(await exec('tech', ['cat'], { input: 'hello' })).toEqual({ exitCode: 0, stdout: 'hello', stderr: '' });
    expect(await exec('tech', ['sh', '-c', 'id -u; grep CapEff /proc/self/status'], { uid: 65534 })).toMatchObject({
      // Bit 2, CAP_DAC_READ_SEARCH, and nothing of the network.
      stdout: '65534\nCapEff:\t0000000000000004\n',
    });
    expect((await exec('tech', ['pwd'])).stdout).toBe(`${process.cwd()}\n`);
    expect((await exec('tech', ['sh', '-c', 'exit 7'])).exitCode).toBe(7);
  });

  it('has real servers on it, and their files go with it', async (ctx) => {
    requireLab(ctx);
    requireServer(ctx, 'sshd', 'openssh-server');
    requireServer(ctx, 'nginx', 'nginx-light');
    const { place, exec, addresses, close } = await lab();
    const on = place('server1');
    const listen = [addresses.server1[4], addresses.server1[6]];
    const [ssh, secure] = await Promise.all([sshd({ on, addresses: listen }), nginxTls({ on, addresses: listen })]);
    expect(ssh.port).toBe(22);
    for (const address of listen) {
      const keys = await exec('tech', ['ssh-keyscan', '-t', 'ed25519', address]);
      expect(keys.stdout).toContain('ssh-ed25519');
    }
    const served = await exec('server1', ['ss', '-ltnH']);
    expect(served.stdout.match(/:(22|443) /g)).toHaveLength(4);
    expect(existsSync(secure.certificates.ca)).toBe(true);
    await close();
    expect(existsSync(secure.certificates.ca)).toBe(false);
  });

  it('holds ICMP errors back as the kernel does, and only then', async (ctx) => {
    requireLab(ctx);
    const targets = Array.from({ length: 40 }, (_, index) => ({
      transport: 'udp',
      address: '10.3.0.11',
      port: 30_000 + index,
    }));
    const input = JSON.stringify({ timeoutMs: 700, targets });
    const refusals = async (options: LabOptions): Promise<number> => {
      const { exec } = await lab(options);
      const { stdout } = await exec('tech', [process.execPath, join(import.meta.dirname, 'ask.js')], { input });
      return stdout.split('"ECONNREFUSED"').length - 1;
    };
    const limited = await refusals({});
    expect(limited).toBeGreaterThan(0);
    expect(limited).toBeLessThan(40);
    expect(await refusals({ icmpRatelimitMs: 0 })).toBe(40);
  });
});

describe('a lab', () => {
  it('does not see another one', async (ctx) => {
    requireLab(ctx);
    const [one, other] = await Promise.all([lab(), lab()]);
    const ping = ['ping', '-n', '-c', '1', '-W', '1', one.addresses.server1[4]];
    await one.firewall('table ip f { chain c { type filter hook forward priority filter; drop; }; }');
    expect((await one.exec('tech', ping)).exitCode).toBe(1);
    expect((await other.exec('tech', ping)).exitCode).toBe(0);
    await one.close();
    expect((await other.exec('tech', ping)).exitCode).toBe(0);
  });

  it('leaves no process, no name and no mount behind', async (ctx) => {
    requireLab(ctx);
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    const opened = await lab();
    const mark = `4${randomBytes(4).readUInt32BE()}`;
    opened.start('server1', ['sh', '-c', `sleep ${mark} & sleep ${mark}`]);
    await byHand('exec', opened.name, 'server2', 'sh', '-c', `sleep ${mark} >/dev/null 2>&1 &`);
    await vi.waitFor(() => expect(processesWith(`sleep ${mark}`).length).toBeGreaterThanOrEqual(3));
    expect((await byHand('list')).stdout.split('\n')).toContain(opened.name);
    await opened.close();
    expect(processesWith(mark)).toEqual([]);
    expect(processesWith(opened.name)).toEqual([]);
    expect((await byHand('list')).stdout.split('\n')).not.toContain(opened.name);
    expect((await run('ip', ['netns', 'list'])).stdout).not.toContain(opened.name);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
  });

  it.for(['SIGKILL', 'SIGTERM'] as const)('is gone when its holder gets %s', async (signal, ctx) => {
    requireLab(ctx);
    const name = `t${randomBytes(4).toString('hex')}`;
    const holder = spawn(SCRIPT, ['hold', name], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(processesWith(`linecheck-lab ${name}`)).toHaveLength(1);
    holder.kill(signal);
    await vi.waitFor(() => expect(processesWith(`linecheck-lab ${name}`)).toEqual([]), { timeout: 5000 });
    expect((await byHand('list')).stdout).not.toContain(name);
  });

  it('is gone when the process that opened it is killed', async (ctx) => {
    requireLab(ctx);
    const name = `t${randomBytes(4).toString('hex')}`;
    const opener = spawn('sh', ['-c', `tail -f /dev/null | "$0" hold ${name}`, SCRIPT], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    await once(opener.stdout, 'data');
    const [writer] = readFileSync(`/proc/${String(opener.pid)}/task/${String(opener.pid)}/children`, 'utf8').split(' ');
    process.kill(Number(writer), 'SIGKILL');
    await vi.waitFor(() => expect(processesWith(name)).toEqual([]), { timeout: 5000 });
  });
});

describe('the command', () => {
  it('makes, uses, shows and removes a lab by hand', async (ctx) => {
    requireLab(ctx);
    const name = `t${randomBytes(4).toString('hex')}`;
    try {
      expect(await byHand('up', name, '--icmp-ratelimit', '500')).toMatchObject({ exitCode: 0, stderr: '' });
      expect((await byHand('up', name)).stderr).toBe(`lab: a lab "${name}" is up already\n`);
      const limit = await byHand('exec', name, 'firewall', 'sysctl', '-n', 'net.ipv4.icmp_ratelimit');
      expect(limit.stdout).toBe('500\n');
      const rules = join(import.meta.dirname, 'README.md');
      expect(await byHand('fw', name, rules)).toMatchObject({ exitCode: 1 });
      expect(await byHand('fw', name, '/dev/null')).toMatchObject({ exitCode: 0 });
      expect((await byHand('status', name)).stdout).toContain('10.3.0.12/24');
      expect(await byHand('exec', name, 'tech', 'sh', '-c', 'exit 9')).toMatchObject({ exitCode: 9 });
    } finally {
      await byHand('down', name);
    }
    expect(await byHand('down', name)).toMatchObject({ exitCode: 1, stderr: `lab: no lab "${name}" is up\n` });
  });

  it.for([
    [[], 'what to do?'],
    [['swim'], 'unknown command "swim"'],
    [['up', 'Not A Name'], 'not a name of a lab: "Not A Name"'],
    [['up', 'a', 'b'], 'one name, not also "b"'],
    [['up', '--icmp-ratelimit', 'fast'], '--icmp-ratelimit wants milliseconds'],
    [['up', '--colour'], 'unknown option --colour'],
    [['hold'], 'hold wants a name'],
    [['down', 'a', 'b'], 'down takes one name'],
    [['fw', 'a'], 'fw wants NAME and FILE'],
    [['fw', 'a', '/no/such/file'], 'cannot read /no/such/file'],
    [['exec', 'a', 'tech'], 'exec wants NAME, HOST and a command'],
    [['exec', 'a', 'printer', 'true'], 'no host "printer" in a lab'],
  ] as const)('refuses %j with exit code 2', async ([words, complaint], ctx) => {
    skipFor(ctx, process.platform === 'linux' ? undefined : 'the lab runs on Linux');
    const { exitCode, stdout, stderr } = await byHand(...words);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(complaint);
  });

  it('prints its help', async (ctx) => {
    skipFor(ctx, process.platform === 'linux' ? undefined : 'the lab runs on Linux');
    const { exitCode, stdout } = await byHand('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: lab up');
  });
});

describe('a test that cannot run here', () => {
  const skips: (string | undefined)[] = [];
  const ctx = {
    skip: (reason?: string | boolean) => {
      skips.push(String(reason));
      throw new Error('skipped');
    },
  } as Pick<TestContext, 'skip'>;

  afterEach(() => {
    vi.unstubAllEnvs();
    skips.length = 0;
  });

  it('is skipped with its reason', () => {
    vi.stubEnv('CI', '');
    expect(() => requireServer(ctx, 'no-such-server', 'no-such-package')).toThrow('skipped');
    expect(skips[0]).toContain('no-such-server is not installed: npm run lab:install');
  });

  it('fails where CI runs', () => {
    vi.stubEnv('CI', 'true');
    expect(() => requireServer(ctx, 'no-such-server', 'no-such-package')).toThrow('apt-get install no-such-package');
    expect(skips).toEqual([]);
  });

  it('runs where nothing is missing', () => {
    expect(() => skipFor(ctx, undefined)).not.toThrow();
    expect(skips).toEqual([]);
  });

  it('is told what would help', () => {
    expect(labReason() ?? 'sudo npm test').toMatch(/npm|docker|Linux|kernel/);
  });
});
