// linecheck rules as its user meets it: what it prints and writes, what it says is missing, and how it ends.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReportedCheck } from '../../src/contract/report.js';
import { json } from '../../src/report/json.js';
import { check, report } from '../report/samples.js';
import { readAsa, readCsv, readNftables, readPanos } from '../report/rules-grammars.js';
import { expectMistake, expectScreen, leftovers, linecheck, placeOf, readFrom, scratchFolder } from './linecheck.js';

const scratch = scratchFolder();
const flows = [
  { id: 'web', tcp: 443, probe: 'https' },
  { id: 'logs', udp: 514, probe: 'syslog' },
];
const near = '192.0.2.10';
const place = (hosts: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): string =>
  placeOf(scratch, flows, { hosts: { near, far: '192.0.2.21', ...hosts }, ...more });

describe.concurrent('linecheck rules', () => {
  it('teaches by example, in 80 columns', async () => {
    const { stdout, ...rest } = await linecheck(['rules', '--help']);
    expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
    expectScreen('help-rules.txt', stdout);
  });

  it('prints a ticket where no format is asked for', async () => {
    const { code, stdout, stderr } = await linecheck(['rules', 'site.yaml'], { cwd: place({}) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Firewall change request for branch-12\n/);
    expect(stdout).toMatch(/^ {4}From +near 192\.0\.2\.10\n {4}To +far 192\.0\.2\.21\n {4}Service +TCP 443$/m);
    expect(stdout).toMatch(/^ {4}Document +“row 1”$/m);
  });

  it('writes several formats at once, each to its file', async () => {
    const cwd = place({ far: ['192.0.2.21', '2001:db8::21'], near: [near, '2001:db8::10'] });
    const formats = ['nftables:rules.nft', 'csv:rules.csv', 'asa'].flatMap((format) => ['--format', format]);
    const { code, stdout, stderr } = await linecheck(['rules', 'site.yaml', ...formats], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const permits = [
      'tcp 192.0.2.10 * > 192.0.2.21 443',
      'tcp 2001:db8::10 * > 2001:db8::21 443',
      'udp 192.0.2.10 * > 192.0.2.21 514',
      'udp 2001:db8::10 * > 2001:db8::21 514',
    ];
    expect(readAsa(stdout)).toEqual(permits);
    expect(readNftables(readFrom(cwd, 'rules.nft'))).toEqual(permits);
    expect(readCsv(readFrom(cwd, 'rules.csv'))).toHaveLength(4);
    expect(leftovers(cwd).toSorted()).toEqual(['rules.csv', 'rules.nft']);
  });

  it('takes the flags of a plan, another source, names and chains', async () => {
    const flags = ['--flow', 'web', '--source', '192.0.2.77', '--name', 'branch', '--nft-chain', 'ip fw forward-lan'];
    const { code, stdout } = await linecheck(['rules', 'site.yaml', '--format', 'nftables', ...flags], {
      cwd: place({}),
    });
    expect(code).toBe(0);
    expect(readNftables(stdout)).toEqual(['tcp 192.0.2.77 * > 192.0.2.21 443']);
    expect(stdout).toMatch(/^insert rule ip fw forward-lan jump branch$/m);
  });

  it('names what is missing, on stderr and in the rules, and exits 3', async () => {
    const cwd = place({ far: ['192.0.2.21', 'nobody.invalid'] });
    const { code, stdout, stderr } = await linecheck(['rules', 'site.yaml', '--format', 'nftables'], { cwd });
    expect(code).toBe(3);
    expect(readNftables(stdout)).toEqual(['tcp 192.0.2.10 * > 192.0.2.21 443', 'udp 192.0.2.10 * > 192.0.2.21 514']);
    expect(stderr.split('\n').filter(Boolean)).toEqual(
      ['web, near 192.0.2.10 -> far nobody.invalid:443/tcp', 'logs, near 192.0.2.10 -> far nobody.invalid:514/udp'].map(
        (what) =>
          `warning: nftables: no rule for product/${what}: nobody.invalid has no address here, and this format takes addresses alone: name the address in the site, or make the rules where the name is known.`,
      ),
    );
    expect(stdout).toContain('nobody.invalid');
  });

  it('leaves names to a firewall that looks them up', async () => {
    const cwd = place({ far: 'far.example.net' });
    const { code, stdout, stderr } = await linecheck(['rules', 'site.yaml', '--no-resolve', '--format', 'panos'], {
      cwd,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readPanos(stdout)).toEqual([
      'tcp 192.0.2.10 * > far.example.net 443',
      'udp 192.0.2.10 * > far.example.net 514',
    ]);
  });

  it('looks a name up in the hosts file of the system', async () => {
    const cwd = place({ far: 'localhost' });
    const { stdout } = await linecheck(['rules', 'site.yaml'], { cwd });
    expect(stdout.replace(/\s+/g, ' ')).toContain('does not leave its own link');
  });

  it('leaves no file behind where one cannot be written', async () => {
    const cwd = place({});
    const words = ['rules', 'site.yaml', '--format', 'csv:rules.csv', '--format', 'asa:nowhere/rules.asa'];
    const { code, stderr } = await linecheck(words, { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('nowhere/rules.asa');
    expect(leftovers(cwd)).toEqual([]);
  });
});

/** A folder with report.json, of these checks of KVM.net's profile. */
function reported(...checks: readonly ReportedCheck[]): string {
  const cwd = place({});
  writeFileSync(path.join(cwd, 'report.json'), json(report(checks)));
  return cwd;
}

const blocked = {
  result: 'fail',
  verdict: 'blocked',
  how: 'dropped',
  certain: 'likely',
  summary: 'No answer came back.',
} as const;
const device = (port: number) => ({ role: 'device', host: '192.0.2.21', address: '192.0.2.21', port });

describe.concurrent('linecheck rules --from', () => {
  it('gives rules for what failed, with the fixed ports that only the profile knows', async () => {
    const cwd = reported(
      check({ flow: 'device-communication', title: 'Status', to: device(443) }),
      check({ flow: 'discovery-fallback', title: 'Discovery', to: device(3081), carrier: 'udp', ...blocked }),
    );
    const { code, stdout, stderr } = await linecheck(['rules', '--from', 'report.json', '--format', 'nftables'], {
      cwd,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readNftables(stdout)).toEqual([
      'udp 192.0.2.10 3080 > 192.0.2.21 3081',
      'udp 192.0.2.21 3080 > 192.0.2.10 3080',
    ]);
    expect(stdout).toMatch(/^# Seen: \d{4}-.*blocked \(dropped, likely\): No answer came back\.$/m);
  });

  it('says so where nothing failed', async () => {
    const cwd = reported(check({ flow: 'device-communication', title: 'Status', to: device(443) }));
    const { code, stdout } = await linecheck(['rules', '--from', 'report.json'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('No rule is asked for, from what failed in the report of');
  });

  it.each<readonly [string, ReportedCheck, readonly string[]]>([
    [
      'a profile that is not its own',
      check({ profile: 'acme-box', flow: 'web', title: 'Web', to: device(443), ...blocked }),
      ["report.json: the report is about the profile acme-box, which is not linecheck's own; expected --profile FILE"],
    ],
    [
      'a flow that the profile does not have',
      check({ flow: 'wbe', title: 'Web', to: device(443), ...blocked }),
      [
        'report.json: the profile kvmnet-access-management has no flow wbe; expected the profile that the report was made with',
      ],
    ],
  ])('tells %s', async (_what, one, lines) => {
    await expectMistake(['rules', '--from', 'report.json'], lines, { cwd: reported(one) });
  });

  it('takes a profile of the user’s by its file, or by the site that names it', async () => {
    const cwd = reported(check({ profile: 'product', flow: 'web', title: 'Web', to: device(443), ...blocked }));
    for (const named of [['--profile', 'product.yaml'], ['site.yaml']]) {
      const { code, stdout } = await linecheck(['rules', ...named, '--from', 'report.json', '--format', 'nftables'], {
        cwd,
      });
      expect({ code, permits: readNftables(stdout) }).toEqual({
        code: 0,
        permits: ['tcp 192.0.2.10 * > 192.0.2.21 443'],
      });
    }
  });
});

describe.concurrent('a command line of linecheck rules that makes no sense', () => {
  it.each<readonly [string, readonly string[], readonly string[]]>([
    [
      'formats that are none, that meet on the screen, without a file, in one file',
      [
        'site.yaml',
        '--format',
        'cisco',
        '--format',
        'asa',
        '--format',
        'ios',
        '--format',
        'csv:',
        '--format',
        'panos:a',
        '--format',
        'text:./a',
      ],
      [
        '--format cisco: no such format; expected one of text, csv, nftables, iptables, asa, ios, panos',
        '--format asa and --format ios would both go to the screen; expected a file for each, such as --format ios:rules.ios',
        '--format csv: has no file after the colon',
        '--format panos and --format text would both go to ./a; expected a file for each, such as --format text:rules.text',
      ],
    ],
    [
      'names that some firewall would read otherwise',
      ['site.yaml', '--name', 'a b; drop', '--nft-chain', 'inet filter', '--iptables-chain', '-F'],
      [
        '--name cannot be that; expected a letter, then at most 19 letters, digits, - and _',
        '--nft-chain cannot be that; expected inet, ip or ip6, a table and a chain: "inet filter forward"',
        '--iptables-chain cannot be that; expected the name of a chain of the filter table, such as FORWARD',
      ],
    ],
    [
      '--unproven without a report',
      ['site.yaml', '--unproven'],
      ['--unproven is about a report; expected --from REPORT.json'],
    ],
    [
      'a role and a report',
      ['--from', 'report.json', '--as', 'near', '--host', 'far=192.0.2.1'],
      ['--as, --host with --from; expected the report alone, which says it already'],
    ],
    [
      'a report that is not there',
      ['--from', 'none.json'],
      ['none.json: cannot read the report: no such file or folder'],
    ],
    [
      'a report that is no JSON',
      ['--from', 'site.txt'],
      ['site.txt: is no JSON; expected what check --format json wrote'],
    ],
    [
      'an interface that is not there',
      ['site.yaml', '--source', 'eth99'],
      ['source eth99 is no interface of this machine; expected an address, or an interface'],
    ],
  ])('is told exactly: %s', async (_what, words, lines) => {
    const cwd = place({});
    writeFileSync(path.join(cwd, 'site.txt'), 'linecheck: site/v1\n');
    await expectMistake(['rules', ...words], lines, { cwd });
  });

  it('is told: JSON that is no report', async () => {
    const cwd = place({});
    const { code, stdout, stderr } = await linecheck(['rules', '--from', 'site.yaml'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^site\.yaml: is no report of linecheck \(.*\); expected what check --format json wrote\n$/);
    expect(readFileSync(path.join(cwd, 'site.yaml'), 'utf8')).toContain('site/v1');
  });
});
