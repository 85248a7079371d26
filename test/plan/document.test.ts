// Texts that are no YAML, too much YAML, or YAML of another kind.
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../src/plan/document.js';
import { linesOf, valueOf } from './fakes.js';

const read = (text: string): readonly string[] => linesOf(readYaml({ file: 'f.yaml', text }));

describe('a text that cannot be read', () => {
  it.each([
    ['nothing', '', 'f.yaml:1:1: the file is empty, expected a map of keys'],
    ['only a comment', '# later\n', 'f.yaml:1:1: the file is empty, expected a map of keys'],
    ['a list at the top', '- a\n- b\n', 'f.yaml:1:1: the file is a list, expected a map of keys'],
    ['a sentence', '\nhello there\n', 'f.yaml:2:1: the file is "hello there", expected a map of keys'],
    [
      'a second document',
      'a: 1\n---\nb: 2\n',
      'f.yaml:2:1: a second document begins here ("---"); the file must hold one',
    ],
    ['a tab', 'a:\n\tb: 1\n', 'f.yaml:2:1: a tab indents this line; YAML is indented with spaces'],
    [
      'an open bracket',
      'a: [1, 2\n',
      'f.yaml:2:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', 'f.yaml:3:1: the key "a" stands twice in one map; the first is in line 1'],
    [
      'a key twice further in',
      'a:\n  b: 1\n  b: 1\n',
      'f.yaml:3:3: the key "b" stands twice in one map; the first is in line 2',
    ],
    ['the prototype as a key', 'a: 1\n__proto__: {x: 1}\n', 'f.yaml:2:1: this is not a key, expected a word'],
    ['a list as a key', 'a: 1\n? [b]\n: 1\n', 'f.yaml:2:3: this is not a key, expected a word'],
    [
      'a tag of its own',
      'a: !js/function "x"\n',
      'f.yaml:1:4: a YAML tag that is not known here: Unresolved tag: !js/function',
    ],
    ['an older YAML', '%YAML 1.1\n---\na: yes\n', 'f.yaml:1:1: the file says YAML 1.1, expected 1.2'],
    ['an alias of nothing', 'a: *x\n', 'f.yaml:1:4: no anchor "x" before this alias'],
    ['an alias of itself', 'a: &x [1, *x]\n', 'f.yaml:1:11: the alias "x" contains itself'],
    ['too many levels', `a: ${'['.repeat(40)}${']'.repeat(40)}`, 'f.yaml:1:28: this nests more than 24 deep'],
  ])('%s', (_what, text, problem) => {
    expect(read(text)).toEqual([problem]);
  });

  it('an alias bomb is given up before it unfolds', () => {
    const levels = Array.from(
      { length: 9 },
      (_, n) => `a${String(n + 1)}: &a${String(n + 1)} [${`*a${String(n)},`.repeat(9)}]`,
    );
    expect(read(`a0: &a0 [x]\n${levels.join('\n')}\n`)).toEqual([
      expect.stringMatching(/^f\.yaml:\d+:\d+: aliases unfold to more than 5000 values$/),
    ]);
  });

  it('more than a megabyte is refused unread', () => {
    expect(read(`a: ${'x'.repeat(1_000_000)}`)).toEqual([
      'f.yaml:1:1: the file has 1000003 characters, expected at most 1000000',
    ]);
  });

  it('hundreds of thousands of brackets end in one problem, not in a full stack', () => {
    expect(read('['.repeat(20_000)).length).toBeGreaterThan(0);
  });

  it('binary is no YAML', () => {
    expect(read('\u0000\u0001\u0002\u007fELF')).toEqual([
      'f.yaml:1:1: the file is "\\u0000\\u0001\\u0002\\u{7f}ELF", expected a map of keys',
    ]);
  });

  it('a great many problems are counted, not printed', () => {
    const lines = read(Array.from({ length: 200 }, () => 'a: 1\n').join(''));
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('and 149 more problems');
  });
});

describe('a text that can be read', () => {
  it('knows the place of a key, of a value, and of what is not there', () => {
    const { place } = valueOf(readYaml({ file: 'f.yaml', text: 'a:\n  - b: 1\n    c:\n' }));
    expect(place(['a', 0, 'b'], 'key')).toEqual({ file: 'f.yaml', line: 2, column: 5 });
    expect(place(['a', 0, 'b'])).toEqual({ file: 'f.yaml', line: 2, column: 8 });
    expect(place(['a', 0, 'c'])).toEqual({ file: 'f.yaml', line: 3, column: 5 });
    expect(place(['a', 0, 'd', 'e'])).toEqual({ file: 'f.yaml', line: 2, column: 5 });
    expect(place(['z'])).toEqual({ file: 'f.yaml', line: 1, column: 1 });
  });

  it('takes anchors and aliases, windows line ends and a byte order mark', () => {
    const { value, place } = valueOf(readYaml({ file: 'f.yaml', text: '\ufeffa: &x {k: 1}\r\nb: *x\r\n' }));
    expect(value).toMatchObject({ a: { k: 1 }, b: { k: 1 } });
    expect(place(['b', 'k']).line).toBe(1);
    expect(place(['b'])).toEqual({ file: 'f.yaml', line: 2, column: 4 });
  });

  it('has keys such as "constructor" and "1" as they are written', () => {
    const { value } = valueOf(readYaml({ file: 'f.yaml', text: 'constructor: a\n1: b\ntrue: c\n' }));
    expect(Object.entries(value)).toEqual([
      ['1', 'b'],
      ['constructor', 'a'],
      ['true', 'c'],
    ]);
  });
});
