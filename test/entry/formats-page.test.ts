// docs/formats.md: each command in it is run as it is written, each example stands in a golden file, each format is there.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { formats } from '../../src/report/formats.js';
import { linecheck, placeOf, readFrom, root, scratchFolder } from './linecheck.js';
import { closePeersAfterwards, shutPort, tcpPeer } from './peers.js';

const scratch = scratchFolder();
closePeersAfterwards();

const page = readFileSync(path.join(root, 'docs/formats.md'), 'utf8');
const blocks = (language: string): readonly string[] =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')), ([, block = '']) => block);

let open = 0;
let shut = 0;
beforeAll(async () => {
  ({ port: open } = await tcpPeer((socket) => socket.resume()));
  shut = await shutPort();
});

const written = /^(?:- run: )?npx linecheck (check .+)$/gm;
const commands = Array.from(page.matchAll(written), ([, command = '']) => command);

describe.concurrent('the page on formats', () => {
  it.each(commands)('has a command that runs as it is written: linecheck %s', async (command) => {
    const cwd = placeOf(scratch, [
      { id: 'quick', tcp: open, probe: 'tcp' },
      { id: 'gone', tcp: shut, probe: 'tcp' },
    ]);
    const { code, stdout, stderr } = await linecheck(command.split(' '), { cwd });
    expect({ code, stderr }).toEqual({ code: command.includes('--exit nagios') ? 2 : 1, stderr: '' });
    const files = Array.from(command.matchAll(/--format [a-z]+:(\S+)/g), ([, file = '']) => file);
    for (const file of files) expect(readFrom(cwd, file).length).toBeGreaterThan(0);
    if (!command.includes('--quiet') || /--format [a-z]+(?: |$)/.test(command)) expect(stdout).not.toBe('');
  });

  it('has a row for every format, and a command that shows it', () => {
    for (const name of formats.keys()) {
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
      expect(commands.some((command) => new RegExp(`--format ${name}(?:[ :]|$)`).test(command))).toBe(true);
    }
    expect(commands.length).toBeGreaterThan(6);
  });

  it.each(blocks('text'))('shows what stands in a golden file: %s', (block) => {
    const folder = path.join(root, 'test/report/golden');
    const golden = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
    const parts = block.split(/^\.\.\.\n/m);
    expect(golden.some((text) => parts.every((part) => part !== '' && text.includes(part)))).toBe(true);
  });

  it('speaks of metrics that there are', () => {
    const metrics = readFrom(path.join(root, 'test/report/golden'), 'mixed-failures.prom');
    const named = new Set(page.match(/\b(?:probe|linecheck)_[a-z_]+/g));
    expect(named.size).toBeGreaterThan(10);
    // Neither a name nor a certificate stands in that sample.
    const elsewhere = ['probe_dns_lookup_time_seconds', 'probe_ssl_earliest_cert_expiry', 'probe_http_status_code'];
    expect([...named].filter((name) => !elsewhere.includes(name) && !metrics.includes(`# TYPE ${name} `))).toEqual([]);
  });
});
