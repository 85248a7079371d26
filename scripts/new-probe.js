#!/usr/bin/env node
// `npm run new-probe NAME`: writes the folder of a probe and its test from templates/, and its line in the registry.
// Nothing is written where anything is in the way.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import prettier from 'prettier';

const root = path.join(import.meta.dirname, '..');
const registry = 'probes/index.ts';

/** Words that name no protocol; test/architecture/files.test.ts refuses them as file names. */
const emptyWords = /(^|-)(utils?|helpers?|commons?|managers?|data|infos?|misc|shared|lib)(-|$)/;

/** One line of the registry; its name with or without quotes. */
const line = /^ {2}(?:'([^']+)'|(\w+)): \(\) => import\('\.\/[^']+\/probe\.js'\),$/;

/**
 * What is wrong with a name for a probe; undefined where nothing is.
 * @param {string} name
 * @returns {string | undefined}
 */
function problemWith(name) {
  if (name === '' || name.startsWith('-')) {
    return 'usage: npm run new-probe NAME, where NAME is the protocol in lower case: ssh, snmp-trap';
  }
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 32) {
    return `"${name}": expected at most 32 lower-case letters, digits and single hyphens, a letter first: ssh, snmp-trap`;
  }
  if (emptyWords.test(name)) return `"${name}" names no protocol`;
  return undefined;
}

/**
 * The registry with one line more, in its alphabetical place.
 * @param {string} text
 * @param {string} name
 */
function withLine(text, name) {
  const lines = text.split('\n');
  const key = name.includes('-') ? `'${name}'` : name;
  const entry = `  ${key}: () => import('./${name}/probe.js'),`;
  let last = -1;
  for (const [index, each] of lines.entries()) {
    const match = line.exec(each);
    const other = match?.[1] ?? match?.[2];
    if (other === undefined) continue;
    if (other === name) throw new Error(`${registry} has a probe "${name}" already`);
    if (other > name) return lines.toSpliced(index, 0, entry).join('\n');
    last = index;
  }
  if (last === -1) throw new Error(`${registry} has no line of the form "  ssh: () => import('./ssh/probe.js'),"`);
  return lines.toSpliced(last + 1, 0, entry).join('\n');
}

/** @param {string} name */
async function write(name) {
  const files = {
    [`probes/${name}/probe.ts`]: 'probe.ts.txt',
    [`probes/${name}/packet.ts`]: 'packet.ts.txt',
    [`probes/${name}/stand-in.ts`]: 'stand-in.ts.txt',
    [`test/probes/${name}.test.ts`]: 'test.ts.txt',
  };
  const inTheWay = [`probes/${name}`, ...Object.keys(files)].find((file) => existsSync(path.join(root, file)));
  if (inTheWay !== undefined) throw new Error(`${inTheWay} is there already`);

  /** @type {Record<string, string>} */
  const texts = { [registry]: withLine(readFileSync(path.join(root, registry), 'utf8'), name) };
  for (const [file, template] of Object.entries(files)) {
    const text = readFileSync(path.join(import.meta.dirname, 'templates', template), 'utf8').replaceAll(
      '__NAME__',
      name,
    );
    // A long name may want other line breaks than a short one.
    const options = await prettier.resolveConfig(path.join(root, file));
    texts[file] = await prettier.format(text, { ...options, filepath: file });
  }
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return Object.keys(files);
}

const name = process.argv[2] ?? '';
const problem = problemWith(name);
if (problem !== undefined) {
  console.error(problem);
  process.exitCode = 2;
} else {
  try {
    const written = await write(name);
    console.log(`${written.join('\n')}\n${registry}: one line\n`);
    console.log(`It works as it stands: npx vitest run test/probes/${name}.test.ts test/registry.test.ts`);
    console.log('What to replace says each file where it stands; docs/add-a-probe.md says the rest.');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
