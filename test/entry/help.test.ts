// What linecheck says of itself, and of a command line that it does not understand.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectFreshBuild, expectMistake, expectScreen, linecheck, root } from './linecheck.js';

beforeAll(expectFreshBuild);

const commands = ['check', 'plan', 'probe', 'trace', 'profiles', 'probes', 'schema', 'demo', 'doctor'];

describe.concurrent('help', () => {
  it('of linecheck lists its commands and where to begin', async () => {
    const { code, stdout, stderr } = await linecheck(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of commands) expect(stdout).toContain(`\n  ${command}`);
    expectScreen('help.txt', stdout);
  });

  it.each(commands)('of %s teaches by example, in 80 columns', async (command) => {
    const [asked, helped] = await Promise.all([linecheck([command, '--help']), linecheck(['help', command])]);
    expect(asked).toEqual({ code: 0, signal: null, stderr: '', stdout: helped.stdout });
    expectScreen(`help-${command}.txt`, asked.stdout);
  });

  it('is what a call without a command gets, as a mistake', async () => {
    const [bare, asked] = await Promise.all([linecheck([]), linecheck(['--help'])]);
    expect(bare).toEqual({ code: 2, signal: null, stdout: '', stderr: asked.stdout });
  });

  it.each(['--version', '-V'])('%s prints the version alone', async (flag) => {
    const { stdout, ...rest } = await linecheck([flag]);
    expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))).toMatchObject({ version: stdout.trim() });
  });
});

describe.concurrent('a command line that makes no sense', () => {
  it.each<readonly [string, readonly string[], readonly string[]]>([
    [
      'an unknown command',
      ['chek'],
      ["error: unknown command 'chek'", '(Did you mean check?)', '(linecheck --help tells more)'],
    ],
    [
      'an unknown flag',
      ['check', '--frmat', 'json'],
      ["error: unknown option '--frmat'", '(Did you mean --format?)', '(linecheck check --help tells more)'],
    ],
    [
      'a missing argument',
      ['probe', 'ssh'],
      ["error: missing required argument 'target'", '(linecheck probe --help tells more)'],
    ],
    [
      'an argument too many',
      ['check', 'a.yaml', 'b.yaml'],
      ["error: too many arguments for 'check'. Expected 1 argument but got 2.", '(linecheck check --help tells more)'],
    ],
    [
      'an unknown schema',
      ['schema', 'reprot'],
      [
        "error: command-argument value 'reprot' is invalid for argument 'what'. Allowed choices are profile, site, report, event.",
        '(linecheck schema --help tells more)',
      ],
    ],
    [
      'a format that a page does not have',
      ['plan', '--format', 'xml'],
      [
        "error: option '--format <name>' argument 'xml' is invalid. Allowed choices are text, json.",
        '(linecheck plan --help tells more)',
      ],
    ],
    [
      'an unknown profile',
      ['profiles', 'kvmnet-access-managment'],
      ['no profile "kvmnet-access-managment"; did you mean "kvmnet-access-management"?'],
    ],
    ['an unknown probe', ['probes', 'shh'], ['no probe "shh"; did you mean "ssh"?']],
    [
      'nothing to check',
      ['check'],
      ['nothing to check; expected a site file, or --profile, --as and --host (linecheck profiles lists the products)'],
    ],
    [
      'no role',
      ['plan', '--profile', 'kvmnet-access-management'],
      [
        'nothing says which role this machine stands in; expected --as ROLE, one of manager, secondary-manager, device, client, administrator, ldap-server, dhcp-server, dns-server',
      ],
    ],
    [
      'a role, a host, a feature and a flow that the profile does not have',
      [
        'plan',
        '--profile',
        'kvmnet-access-management',
        '--as',
        'manger',
        '--host',
        'devise=192.0.2.1',
        '--host',
        'device=127.1',
        '--feature',
        'ladp',
        '--flow',
        'shell*',
      ],
      [
        '--host device=127.1: "127.1" is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?',
        '--host devise=192.0.2.1: no role of that name; did you mean "device"?',
        '--as manger: no role of that name; did you mean "manager"?',
        '--feature ladp: no feature of that name; did you mean "ldap"?',
        '--flow shell*: no flow matches',
      ],
    ],
    [
      'a format that does not exist, two formats for the screen, numbers that cannot be, and a file that is not there',
      [
        'check',
        'missing.yaml',
        '--format',
        'xml',
        '--format',
        'json',
        '--format',
        'ndjson',
        '--timeout',
        '1s',
        '--retries',
        'x',
        '--concurrency',
        '0',
        '--max-time',
        'soon',
        '--diagnose',
        'never',
        '--exit',
        'naigos',
      ],
      [
        '--timeout cannot be 1s; expected a duration such as 5s or 2m, from 3.5s to 600s',
        '--retries cannot be x; expected a number from 0 to 10',
        '--concurrency cannot be 0; expected a number from 1 to 10000',
        '--diagnose cannot be never; expected a duration such as 5s or 2m, up to 600s',
        '--max-time cannot be soon; expected a duration such as 5s or 2m, up to 86400s',
        '--exit cannot be naigos; expected nagios',
        '--format xml: no such format; expected one of table, json, text, markdown, github, junit, nagios, prometheus, ndjson',
        '--format json and --format ndjson would both go to the screen; expected a file for all but one, such as --format ndjson:report.ndjson',
        'missing.yaml: cannot read the site file: no such file or folder',
      ],
    ],
    [
      'a format with a colon and no file',
      ['check', '--format', 'json:', '--profile', 'kvmnet-access-management', '--as', 'manager'],
      ['--format json: has no file after the colon'],
    ],
    [
      'two formats for one file',
      [
        'check',
        '--format',
        'json:a',
        '--format',
        'ndjson:./a',
        '--profile',
        'kvmnet-access-management',
        '--as',
        'manager',
      ],
      ['--format: two formats would go to ./a'],
    ],
  ])('is told exactly: %s', async (_what, args, lines) => {
    await expectMistake(args, lines);
  });
});
