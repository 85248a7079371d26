// How files begin and what they are called. What they may import: imports.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

/** Words that name no thing: whatever stands in such a file has a better home. */
const emptyWords = /(^|[/.-])(utils?|helpers?|commons?|managers?|data|infos?|misc|shared|lib)([/.-]|$)/i;

/** A first line, after `#!`, that is a comment of a sentence at least. */
const header = /^(#!.*\n)?(\/\/ |\/\*\*?[\s*]+)\S.{15,}/;

function filesUnder(...tops: readonly string[]): readonly string[] {
  return tops.flatMap((top) =>
    readdirSync(path.join(root, top), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/')),
  );
}

describe('a file', () => {
  it('begins with a comment that says what lives in it', () => {
    const sources = filesUnder('src', 'probes', 'bin', 'scripts', 'bench', 'test').filter((each) =>
      /\.[jt]s$/.test(each),
    );
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.filter((each) => !header.test(readFileSync(path.join(root, each), 'utf8')))).toEqual([]);
  });

  it('is not named after nothing in particular', () => {
    const files = filesUnder('src', 'probes', 'bin', 'scripts', 'bench', 'test', 'docs');
    // A profile is named after its product, a golden file after what it shows: a role `manager`, a `local-manager`.
    const named = files.filter((each) => !each.includes('/golden/'));
    expect(named.filter((each) => emptyWords.test(each))).toEqual([]);
  });
});

describe('the two patterns', () => {
  it.each(['import a from "b";', '\n// late\n', '//\nexport {}', '// short\n', '#!/usr/bin/env node\nmain();'])(
    'see no header in %j',
    (text) => expect(text).not.toMatch(header),
  );

  it.each(['// The kit of one attempt.\nimport a from "b";', '#!/usr/bin/env node\n// Starts the command line.\n'])(
    'see a header in %j',
    (text) => expect(text).toMatch(header),
  );

  it.each([
    'src/utils.ts',
    'src/run/utils/retry.ts',
    'probes/ssh/ssh-helpers.ts',
    'test/data/a.bin',
    'src/tls-info.ts',
  ])('refuse the name %s', (name) => expect(name).toMatch(emptyWords));

  it.each(['src/report/format.ts', 'src/plan/database.ts', 'probes/information/probe.ts', 'src/net/udp.ts'])(
    'allow the name %s',
    (name) => expect(name).not.toMatch(emptyWords),
  );
});
