// What must not stand in anything that git carries: traces of a workplace, addresses and hosts of real networks.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { skipFor } from '../lab/requirements.js';

const root = path.join(import.meta.dirname, '../..');

/** Each written in parts, so that this file does not hold what it looks for. */
const patterns: readonly {
  readonly what: string;
  readonly parts: readonly string[];
  readonly example: readonly string[];
}[] = [
  {
    what: 'a directory of one machine',
    parts: ['/(wo', 'rk|ro', 'ot|ho', 'me/[a-z]+|Us', 'ers/[a-z]+)/'],
    example: ['cd /wo', 'rk/x'],
  },
  { what: 'a directory beside the repository', parts: ['\\.\\./sha', 'red\\b'], example: ['../sha', 'red/x'] },
  {
    what: 'a package registry',
    parts: ['regis', 'try\\.(npm', 'js|yarn', 'pkg)\\.'],
    example: ['regis', 'try.npm', 'js.org'],
  },
  { what: 'a task number', parts: ['\\b(iss', 'ue|tic', 'ket|P', 'R)s? ?#?\\d+\\b'], example: ['see Iss', 'ue #3'] },
  { what: 'a note to oneself', parts: ['\\b(TO', 'DO|FIX', 'ME|X', 'XX)\\b(?!-)'], example: ['// TO', 'DO'] },
  {
    what: 'how it was written',
    parts: ['\\b(cla', 'ude|anth', 'ropic|chat', 'gpt|copi', 'lot|l', 'lm|ai[- ]gen', 'erated|co-auth', 'ored-by)\\b'],
    example: ['Co-auth', 'ored-by: x'],
  },
  {
    what: 'a private key',
    parts: ['-----BEGIN ([A-Z]+ )?PRIV', 'ATE KEY-----\\n[A-Za-z0-9+/=\\n]{400}'],
    example: ['-----BEGIN PRIV', `ATE KEY-----\n${'A'.repeat(400)}`],
  },
];

const expressions = patterns.map(({ what, parts }) => ({ what, expression: new RegExp(parts.join(''), 'i') }));

/** RFC 5737, RFC 3849, loopback and the unspecified address: what a page for readers may show. */
const exampleAddress = /^(192\.0\.2|198\.51\.100|203\.0\.113|127\.\d+\.\d+)\.\d+$|^0\.0\.0\.0$|^255\.255\.255\.255$/;

describe('a file that git carries', () => {
  it('holds nothing of the place where it was written', (ctx) => {
    const files = tracked();
    skipFor(ctx, files === undefined ? 'no git checkout here: git clone the repository' : undefined);
    const found = (files ?? []).flatMap((file) => {
      const text = readFileSync(path.join(root, file), 'latin1');
      return expressions.filter(({ expression }) => expression.test(text)).map(({ what }) => `${file}: ${what}`);
    });
    expect(files?.length).toBeGreaterThan(20);
    expect(found).toEqual([]);
  });

  it('shows, where it is a page, no address but those kept for examples', (ctx) => {
    const files = tracked();
    skipFor(ctx, files === undefined ? 'no git checkout here: git clone the repository' : undefined);
    // The lab's own networks are never seen outside it, and its pages must name them.
    const ofTheLab = /^test\/(lab|truth)\//;
    const pages = (files ?? []).filter((file) => file.endsWith('.md') && !ofTheLab.test(file));
    const found = pages.flatMap((file) =>
      addressesIn(readFileSync(path.join(root, file), 'utf8')).map((address) => `${file}: ${address}`),
    );
    expect(pages).toContain('README.md');
    expect(found).toEqual([]);
  });
});

describe('the patterns', () => {
  it.each(patterns)('find $what', ({ what, example }) => {
    const found = expressions.filter(({ expression }) => expression.test(example.join('')));
    expect(found.map((each) => each.what)).toContain(what);
  });

  it.each(['a TLS session', 'an issuer', '/var/lib/linecheck', 'shared attempts', 'port 8305'])(
    'pass over %j',
    (text) => {
      expect(expressions.filter(({ expression }) => expression.test(text))).toEqual([]);
    },
  );

  it('know an example address from another', () => {
    expect(addressesIn('192.0.2.1, 203.0.113.9:22 and 127.0.0.1')).toEqual([]);
    expect(addressesIn(`ask ${[8, 8, 4, 4].join('.')} or ${[10, 2, 0, 5].join('.')}/24`)).toHaveLength(2);
  });
});

/** IPv4 addresses in a text that are not for examples. */
function addressesIn(text: string): readonly string[] {
  return (text.match(/(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?![\d.])/g) ?? []).filter((each) => !exampleAddress.test(each));
}

/** All files that git carries; undefined outside a checkout. */
function tracked(): readonly string[] | undefined {
  try {
    const listed = execFileSync('git', ['ls-files', '-z'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return listed.split('\0').filter((file) => file !== '');
  } catch {
    return undefined;
  }
}
