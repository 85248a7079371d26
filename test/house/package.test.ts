// package.json, its lock and what git carries: what a clean clone can install, and what must not be in one.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { skipFor } from '../lab/requirements.js';

const root = path.join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const versions = z.record(z.string(), z.string());
const manifest = z
  .object({
    license: z.string(),
    type: z.string(),
    bin: versions,
    files: z.array(z.string()),
    engines: versions,
    scripts: versions,
    dependencies: versions,
    devDependencies: versions,
    optionalDependencies: versions.default({}),
  })
  .parse(JSON.parse(read('package.json')));

const lockEntry = z.object({
  version: z.string().optional(),
  resolved: z.string().optional(),
  link: z.boolean().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  bin: z.record(z.string(), z.string()).optional(),
  engines: z.object({ node: z.string().optional() }).optional(),
  dependencies: versions.optional(),
  devDependencies: versions.optional(),
  optionalDependencies: versions.optional(),
});
const lock = z
  .object({ lockfileVersion: z.number(), packages: z.record(z.string(), lockEntry) })
  .parse(JSON.parse(read('package-lock.json')));
const installed = Object.entries(lock.packages).filter(([place]) => place !== '');

describe('package.json', () => {
  it('pins every package to one version', () => {
    const asked = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
    expect(Object.entries(asked).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('needs the Node that linecheck is tested on, and says so', () => {
    expect(manifest.engines).toEqual({ node: '>=20.19' });
  });

  it('carries its assets: the executable, the compiled sources and the profiles', () => {
    expect(manifest.files).toEqual(expect.arrayContaining(['bin', 'dist', 'profiles']));
    expect(manifest.bin).toEqual({ linecheck: 'bin/linecheck.js' });
  });

  it('says under which licence, the one that LICENSE holds', () => {
    expect(manifest.license).toBe('MIT');
    expect(read('LICENSE')).toMatch(/^MIT License\n[\s\S]*WITHOUT WARRANTY OF ANY KIND/);
  });

  it('asks for nothing at install time that `npm ci --omit=dev` leaves out', () => {
    const lacking = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'].flatMap((script) =>
      programsOf(script).filter((program) => !installedWithoutDev(program)),
    );
    expect(lacking).toEqual([]);
  });

  it('compiles at install time with the compiler alone: types are checked where the dev dependencies are', () => {
    expect(programsOf('prepare')).toContain('tsc');
    expect(manifest.scripts['build']).toBe('tsc -p tsconfig.build.json');
    const { compilerOptions } = z
      .object({ compilerOptions: z.object({ noCheck: z.boolean(), types: z.array(z.string()) }) })
      .parse(JSON.parse(read('tsconfig.build.json')));
    expect(compilerOptions).toEqual({ noCheck: true, types: [] });
    expect(Object.keys(manifest.dependencies)).toContain('typescript');
  });
});

describe('package-lock.json', () => {
  it('asks for what package.json asks for', () => {
    const top = lock.packages[''];
    expect(top?.dependencies).toEqual(manifest.dependencies);
    expect(top?.devDependencies).toEqual(manifest.devDependencies);
    expect(top?.optionalDependencies ?? {}).toEqual(manifest.optionalDependencies);
  });

  it('names no place that packages come from, so that any registry serves', () => {
    expect(installed.length).toBeGreaterThan(50);
    expect(installed.filter(([, entry]) => entry.resolved !== undefined || entry.link === true)).toEqual([]);
    expect(read('package-lock.json')).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });
});

it('.npmrc, where there is one, sets neither registry nor credentials', () => {
  const text = existsSync(path.join(root, '.npmrc')) ? read('.npmrc') : '';
  expect(text).not.toMatch(/registry|_auth|token|proxy|cafile|prefix/i);
});

describe('the executable', () => {
  it('may be executed as it is checked out', (ctx) => {
    const tracked = gitTracks('bin/linecheck.js');
    skipFor(ctx, tracked === undefined ? 'no git checkout here: git clone keeps the file modes' : undefined);
    expect(tracked).toMatch(/^100755 /);
    expect(statSync(path.join(root, 'bin/linecheck.js')).mode & 0o111).toBe(0o111);
  });

  it('says what runs it', () => {
    expect(read('bin/linecheck.js')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

/** The programs that a script of package.json calls, through `npm run` too. */
function programsOf(script: string): readonly string[] {
  return (manifest.scripts[script] ?? '').split('&&').flatMap((command) => {
    const words = command.trim().split(/\s+/);
    const program = words[0];
    if (program === undefined || program === '') return [];
    if (program !== 'npm') return [program];
    const called = words.slice(1).find((word) => word !== 'run' && !word.startsWith('-'));
    return called === undefined ? ['npm'] : programsOf(called);
  });
}

function installedWithoutDev(program: string): boolean {
  if (program === 'node') return true;
  return installed.some(
    ([, entry]) => entry.dev !== true && entry.optional !== true && entry.bin?.[program] !== undefined,
  );
}

/** Mode, object and stage as git has them; undefined outside a checkout. */
function gitTracks(file: string): string | undefined {
  try {
    return execFileSync('git', ['ls-files', '--stage', '--', file], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
}
