// The formats as the command line gives them, and what goes with them: --exit nagios, --fail-on, places in the site file.
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openPending } from '../../src/entry/files.js';
import { formats } from '../../src/report/formats.js';
import { expectMistake, linecheck, placeOf, readFrom, scratchFolder } from './linecheck.js';
import type { Ended, Settings } from './linecheck.js';
import { closePeersAfterwards, shutPort, tcpPeer } from './peers.js';
import { reportIn } from './reading.js';

const scratch = scratchFolder();
closePeersAfterwards();

let open = 0;
let shut = 0;
beforeAll(async () => {
  ({ port: open } = await tcpPeer((socket) => socket.resume()));
  shut = await shutPort();
});

/** One flow that is open and one that is shut. */
function place(site: Readonly<Record<string, unknown>> = {}): string {
  const flows = [
    { id: 'quick', tcp: open, probe: 'tcp' },
    { id: 'gone', tcp: shut, probe: 'tcp' },
  ];
  return placeOf(scratch, flows, site);
}

const check = (flags: readonly string[], settings: Settings = {}): Promise<Ended> =>
  linecheck(['check', 'site.yaml', ...flags], { cwd: place(), ...settings });

describe.concurrent('a format', () => {
  it.each<readonly [string, RegExp]>([
    ['text', /^Site: branch-12\nResult: 1 of 2 required flows fails\.\nExit code: 1, a required flow fails\n/],
    ['markdown', /^## branch-12: 1 of 2 required flows fails\.\n/],
    ['github', /^::error file=site\.yaml,line=\d+,col=\d+,title=Flow gone%3A closed/],
    [
      'junit',
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="linecheck branch-12" tests="2" failures="1"/,
    ],
    ['prometheus', /\nprobe_success\{site="branch-12",check="product\/gone\/near\/127\.0\.0\.1\/tcp-\d+",.*\} 0\n/],
    ['nagios', /^LINECHECK CRITICAL - 1 of 2 required flows failing \(branch-12\) \| time=/],
  ])('%s comes out, and leaves the exit code as it is', async (format, start) => {
    const { code, stdout } = await check(['--format', format, '--quiet']);
    expect(code).toBe(1);
    expect(stdout).toMatch(start);
  });

  it('is named by the help of check, whichever there is', async () => {
    const { stdout } = await linecheck(['check', '--help']);
    const [, about = ''] = /--format <name\[:file\]> ([^]*?)\n {2}--/.exec(stdout) ?? [];
    expect(about.match(/[a-z]+/g)).toEqual(expect.arrayContaining([...formats.keys()]));
  });

  it('that is misspelt is told, with the nearest', async () => {
    const lines = ['--format markdwon: no such format; did you mean "markdown"?'];
    await expectMistake(['check', 'site.yaml', '--format', 'markdwon'], lines, { cwd: place() });
  });

  it('goes to a file beside another on the screen', async () => {
    const cwd = place();
    const { code, stdout } = await check(['--format', 'junit:out.xml', '--format', 'github', '--quiet'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error /);
    expect(readFrom(cwd, 'out.xml')).toContain('</testsuites>');
  });

  it('of GitHub points at the line of the site file that names the host', async () => {
    const cwd = place();
    const { stdout } = await check(['--format', 'github', '--quiet'], { cwd });
    const [, line = '', column = ''] = /^::error file=site\.yaml,line=(\d+),col=(\d+),/.exec(stdout) ?? [];
    const text = readFrom(cwd, 'site.yaml').split('\n')[Number(line) - 1] ?? '';
    expect(text.slice(Number(column) - 1)).toMatch(/^"127\.0\.0\.1"/);
  });

  it('in a file can be read by a collector of another user, and is under no name that it looks for until it is whole', async () => {
    const cwd = place();
    const through = ['sh', '-c', 'umask 022; exec "$@"', 'sh'];
    await check(['--format', 'prometheus:linecheck.prom', '--quiet'], { cwd, through });
    expect(statSync(path.join(cwd, 'linecheck.prom')).mode & 0o777).toBe(0o644);

    const folder = mkdtempSync(path.join(scratch, 'collected-'));
    const pending = openPending(path.join(folder, 'linecheck.prom'), 'unique');
    pending.append('half');
    expect(readdirSync(folder).filter((name) => name.endsWith('.prom'))).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(1);
    pending.keep();
    expect(readdirSync(folder)).toEqual(['linecheck.prom']);
  });
});

describe.concurrent('--exit nagios', () => {
  it('gives the exit code that the line says', async () => {
    const { code, stdout, stderr } = await check(['--format', 'nagios', '--exit', 'nagios']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(stdout).toMatch(/^LINECHECK CRITICAL - /);
  });

  it('calls a mistake of the user UNKNOWN, on the line that is read too', async () => {
    const wrong = ['check', 'gone.yaml', '--format', 'nagios', '--exit', 'nagios'];
    const { code, stdout, stderr } = await linecheck(wrong, { cwd: place() });
    const words = 'gone.yaml: cannot read the site file: no such file or folder';
    expect({ code, stdout, stderr }).toEqual({
      code: 3,
      stdout: `LINECHECK UNKNOWN - ${words}\n`,
      stderr: `${words}\n`,
    });
  });

  it('is missed where the line goes to the screen without it', async () => {
    const { code, stderr } = await check(['--format', 'nagios']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'warning: --format nagios without --exit nagios: a monitoring system takes exit code 1 for a warning\n',
    });
  });
});

describe.concurrent('--fail-on', () => {
  it('lets a failure of another verdict stand and not count, and says so', async () => {
    const cwd = place();
    const { code, stdout } = await check(['--fail-on', 'blocked,intercepted', '--format', 'json:report.json'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^branch-12: 1 of 2 required flows fails \(not counted\)\./);
    expect(stdout).toContain('It does not count for the exit code: --fail-on does not name closed.');
    expect(stdout.replaceAll('\n', ' ')).toContain('--fail-on leaves out 1 required flow that fails.');
    const { summary, checks } = await reportIn(readFrom(cwd, 'report.json'));
    expect(summary).toMatchObject({ exitCode: 0, failOn: ['blocked', 'intercepted'], uncounted: 1, state: 'warning' });
    expect(checks.map(({ uncounted }) => uncounted)).toEqual([undefined, true]);
  });

  it('counts what it names, by one flag or several', async () => {
    expect(await check(['--fail-on', 'blocked', '--fail-on', 'closed', '--quiet'])).toMatchObject({ code: 1 });
  });

  it('makes no run green in which nothing passes', async () => {
    const cwd = placeOf(scratch, [{ id: 'gone', tcp: shut, probe: 'tcp' }]);
    const { code, stdout } = await check(['--fail-on', 'blocked'], { cwd });
    expect(code).toBe(3);
    expect(stdout.replaceAll('\n', ' ')).toContain('no required flow passes, and --fail-on leaves out what fails.');
  });

  it('leaves out no flow that must be blocked and is not', async () => {
    const cwd = place({ flows: { 'product/quick': { expect: 'blocked' }, 'product/gone': { required: false } } });
    expect(await check(['--fail-on', 'closed', '--quiet'], { cwd })).toMatchObject({ code: 1 });
  });

  it('wants verdicts, and tells the nearest of a misspelt one', async () => {
    const all = 'open, denied, closed, blocked, unreachable, intercepted, wrong-service';
    const never = 'such a flow never fails; the run exits 3 for it, whatever --fail-on says';
    const lines = [
      '--fail-on blokced: no such verdict; did you mean "blocked"?',
      `--fail-on unproven: ${never}; expected some of ${all}`,
      `--fail-on everything: no such verdict; expected one of ${all}`,
    ];
    await expectMistake(
      ['check', 'site.yaml', '--fail-on', 'closed,blokced', '--fail-on', 'unproven,everything'],
      lines,
      {
        cwd: place(),
      },
    );
  });
});
