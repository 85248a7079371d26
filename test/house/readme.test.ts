// The pages that users paste from: their site files plan, their commands and flags exist, their links lead somewhere.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { dispatch } from '../../src/entry/commands.js';
import { loadPlan } from '../../src/entry/selection.js';

const root = path.join(import.meta.dirname, '../..');
const setting = { root: pathToFileURL(`${root}/`), version: '0.0.0' };

const pages = ['README.md', 'bench/README.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)]
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));

/** The code blocks of a page in one language. */
function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map((match) => match[1] ?? '');
}

/** Every command of a page's shell blocks and of its running text. */
function commandsIn(text: string): readonly string[] {
  const shell = blocks(text, 'sh').flatMap((block) => block.split(/\n|&&|\|\|/));
  const inline = [...text.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map((match) => match[1] ?? '');
  return [...shell, ...inline].map((each) => each.trim()).filter((each) => each !== '');
}

const pageCommands = pages.flatMap(({ file, text }) => commandsIn(text).map((command) => ({ file, command })));
const readme = pages[0]?.text ?? '';

describe('the README', () => {
  it('fits on one screen', () => {
    expect(readme.split('\n').length).toBeLessThan(80);
  });

  it('says how to run it, to test it and to add a probe', () => {
    expect(commandsIn(readme)).toEqual(
      expect.arrayContaining(['npm ci', 'npx linecheck demo', 'npx linecheck check site.yaml', 'npm test']),
    );
    expect(readme).toMatch(/`npm run new-probe NAME`/);
  });

  it('names every exit code once, in order', () => {
    const codes = [...readme.matchAll(/^\| ([\d, ]+?) +\|/gm)].flatMap((match) => (match[1] ?? '').split(', '));
    expect(codes).toEqual(['0', '1', '2', '3', '4', '130', '143']);
  });

  it('has a site file that gives checks for each of its hosts and skips what it says is skipped', async () => {
    const [text] = blocks(readme, 'yaml');
    const { plan, warnings } = await planOf(text ?? '');
    const hosts = plan.checks.filter((each) => each.direction === 'out').map((each) => each.to.host);
    expect([...new Set(hosts)].sort()).toEqual(['192.0.2.11', '192.0.2.12', 'ldap.example.net']);
    expect(plan.skipped.map((each) => each.reason)).toContainEqual({ kind: 'role-none', role: 'dns-server' });
    expect(warnings).toEqual([]);
  });

  it('has a first look that plans without a file', async () => {
    const flags = { as: ['manager'], host: ['device=192.0.2.11'], profile: ['kvmnet-access-management'] };
    const command = `npx linecheck check --profile ${flags.profile[0] ?? ''} --as ${flags.as[0] ?? ''} --host ${flags.host[0] ?? ''}`;
    expect(commandsIn(readme)).toContain(command);
    const { plan } = await loadPlan(setting, undefined, { ...flags, feature: [], flow: [] });
    expect(plan.checks.filter((each) => each.direction === 'out').map((each) => each.to.host)).toContain('192.0.2.11');
  });
});

describe('the pages', () => {
  afterEach(() => vi.restoreAllMocks());

  const whole = pages.flatMap(({ file, text }) =>
    blocks(text, 'yaml')
      .filter((block) => /^linecheck: site\//m.test(block))
      .map((block) => ({ file, block })),
  );
  it.each(whole)('$file: a whole site file is one that can be read', async ({ block }) => {
    const { parseSite } = await import('../../src/plan/site.js');
    expect(parseSite({ file: 'site.yaml', text: block })).toMatchObject({ ok: true });
  });

  const ours = pageCommands.filter(({ command }) => /^(npx )?linecheck [a-z]/.test(command));
  it.each(ours)('$file: `$command` is a command with these flags', async ({ command }) => {
    const [name = '', ...words] = command.replace(/^npx /, '').split(/\s+/).slice(1);
    const written: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
    const exitCode = await dispatch(setting, [name, '--help']);
    const help = written.join('');
    expect(exitCode, help).toBe(0);
    expect(help).toContain(`linecheck ${name}`);
    const flags = words.filter((word) => word.startsWith('--')).map((word) => word.replace(/=.*/, ''));
    expect(flags.filter((flag) => !new RegExp(`${flag}[ ,]`).test(help))).toEqual([]);
  });

  const scripts = pageCommands.filter(({ command }) => /^(\w+=\w+ )?npm (test|run )/.test(command));
  it.each(scripts)('$file: `$command` is a script of package.json', ({ command }) => {
    const manifest = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')));
    const name = /npm (?:run )?(\S+)/.exec(command)?.[1] ?? '';
    expect(Object.keys(manifest.scripts)).toContain(name);
  });

  const links = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map((match) => ({ file, link: match[1] ?? '' })),
  );
  it.each(links)('$file: the link $link leads to a file', ({ file, link }) => {
    expect(existsSync(path.join(root, path.dirname(file), link))).toBe(true);
  });

  it('are read as they should be: commands of each kind and links are found', () => {
    expect(ours.length).toBeGreaterThan(5);
    expect(scripts.length).toBeGreaterThan(2);
    expect(links.length).toBeGreaterThan(3);
    expect(whole.length).toBeGreaterThan(0);
  });
});

async function planOf(site: string): ReturnType<typeof loadPlan> {
  const directory = mkdtempSync(path.join(tmpdir(), 'linecheck-readme-'));
  try {
    const file = path.join(directory, 'site.yaml');
    writeFileSync(file, site);
    return await loadPlan(setting, file, { as: [], host: [], profile: [], feature: [], flow: [] });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
