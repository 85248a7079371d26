// YAML text to plain values that remember where they stood. What the keys mean is not known here.
import type { Alias, Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Place } from '../contract/flow.js';
import { Problems, quoted, shown, type Parsed, type SourceText } from './problem.js';

/** Keys and list positions from the top of a document down to a value. */
export type Path = readonly PropertyKey[];

export interface YamlFile {
  readonly file: string;
  /** Null-prototype objects, arrays, strings, finite and other numbers, booleans, null. No cycles. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the value at `path` stands, or its key; where nothing stands there, the nearest thing above it. */
  readonly place: (path: Path, part?: 'key' | 'value') => Place;
}

/** Characters. No profile or site comes near it; it bounds time and memory. */
const LARGEST = 1_000_000;
/** The formats nest six deep; probe options may nest a little more. */
const DEEPEST = 24;
/** Values that aliases may unfold to, all together. */
const UNFOLDED = 5_000;

interface Offsets {
  readonly key: number;
  readonly value: number;
}

/** Reads one YAML 1.2 document whose top is a map. Never throws. */
export function readYaml({ file, text }: SourceText): Parsed<YamlFile> {
  const problems = new Problems();
  if (text.length > LARGEST) {
    problems.add(() => ({
      place: { file, line: 1, column: 1 },
      what: `the file has ${text.length} characters`,
      expected: `at most ${LARGEST}`,
    }));
    return problems.failed();
  }
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };

  // uniqueKeys compares every key with every other; the map below does it in one pass and names both places.
  const parsed = parse(text, lines);
  if (parsed === undefined) {
    problems.add(() => ({ place: at(0), what: 'the file nests too deeply to be read' }));
    return problems.failed();
  }
  for (const error of parsed.errors) {
    problems.add(() => ({ place: at(error.pos[0]), what: yamlSentence(error.code, error.message) }));
  }
  for (const warning of parsed.warnings) {
    problems.add(() => ({ place: at(warning.pos[0]), what: yamlSentence(warning.code, warning.message) }));
  }
  if (problems.any()) return problems.failed();
  if (parsed.directives.yaml.explicit === true && parsed.directives.yaml.version !== '1.2') {
    problems.add(() => ({
      place: at(0),
      what: `the file says YAML ${parsed.directives.yaml.version}`,
      expected: '1.2',
    }));
    return problems.failed();
  }

  const offsets = new WeakMap<object, Map<string, Offsets>>();
  const top = new Unfolding(problems, at, offsets).value(parsed.contents, 0);
  if (problems.any()) return problems.failed();
  if (!isRecord(top)) {
    const what = top === null ? 'the file is empty' : `the file is ${typeof top === 'object' ? 'a list' : shown(top)}`;
    problems.add(() => ({ place: at(parsed.contents?.range[0] ?? 0), what, expected: 'a map of keys' }));
    return problems.failed();
  }

  const place = (path: Path, part: 'key' | 'value' = 'value'): Place => {
    let here: unknown = top;
    let offset = parsed.contents?.range[0] ?? 0;
    for (const [depth, step] of path.entries()) {
      const child = typeof here === 'object' && here !== null ? offsets.get(here)?.get(String(step)) : undefined;
      if (child === undefined) break;
      offset = part === 'key' && depth === path.length - 1 ? child.key : child.value;
      here = childOf(here, step);
    }
    return at(offset);
  };
  return problems.finish(() => ({ file, value: top, place }));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at one step below `value`, own keys only. */
export function childOf(value: unknown, step: PropertyKey): unknown {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return typeof step === 'symbol' ? undefined : list[Number(step)];
  }
  return isRecord(value) && typeof step === 'string' && Object.hasOwn(value, step) ? value[step] : undefined;
}

type Parse = Document.Parsed;

function parse(text: string, lineCounter: LineCounter): Parse | undefined {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  } catch (error) {
    // The composer recurses once a level.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The library's sentence, or ours where its own would puzzle. */
function yamlSentence(code: string, message: string): string {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'a second document begins here ("---"); the file must hold one';
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; YAML is indented with spaces';
    case 'RESOURCE_EXHAUSTION':
      return 'the file nests too deeply to be read';
    case 'TAG_RESOLVE_FAILED':
      return `a YAML tag that is not known here: ${harmless(message)}`;
    default:
      return `not valid YAML: ${harmless(message)}`;
  }
}

/** The library's sentences repeat what stands in the file. */
function harmless(message: string): string {
  return message.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '.').slice(0, 200);
}

/** Turns nodes into plain values, unfolds aliases within bounds, and notes where each came from. */
class Unfolding {
  readonly #problems: Problems;
  readonly #at: (offset: number) => Place;
  readonly #offsets: WeakMap<object, Map<string, Offsets>>;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #inAlias = 0;
  #unfolded = 0;
  #gaveUp = false;

  constructor(problems: Problems, at: (offset: number) => Place, offsets: WeakMap<object, Map<string, Offsets>>) {
    this.#problems = problems;
    this.#at = at;
    this.#offsets = offsets;
  }

  value(node: unknown, depth: number): unknown {
    if (this.#gaveUp) return null;
    if (isAlias(node)) return this.#alias(node, depth);
    if (this.#inAlias > 0 && ++this.#unfolded > UNFOLDED) {
      return this.#giveUp(node, `aliases unfold to more than ${UNFOLDED} values`);
    }
    if (depth > DEEPEST) return this.#giveUp(node, `this nests more than ${DEEPEST} deep`);
    if (isScalar(node)) return this.#scalar(node);
    if (isMap(node)) return this.#within(node, () => this.#map(node, depth));
    if (isSeq(node)) return this.#within(node, () => this.#list(node, depth));
    return null;
  }

  #scalar(node: Scalar): unknown {
    if (node.anchor !== undefined && this.#inAlias === 0) this.#anchors.set(node.anchor, node);
    const { value } = node;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return value;
    }
    this.#problems.add(() => ({ place: this.#at(start(node)), what: 'a value of a kind that is not read here' }));
    return null;
  }

  #within<T>(node: YAMLMap | YAMLSeq, read: () => T): T {
    if (node.anchor !== undefined && this.#inAlias === 0) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    const value = read();
    this.#open.delete(node);
    return value;
  }

  #map(node: YAMLMap, depth: number): unknown {
    const entries = new Map<string, Offsets>();
    // No prototype: a key named "constructor" is a key like any other.
    const value: Record<string, unknown> = { __proto__: null };
    this.#offsets.set(value, entries);
    for (const pair of node.items) {
      const offset = start(pair.key);
      const key = this.#key(pair.key);
      if (key === undefined || key === '__proto__') {
        this.#problems.add(() => ({ place: this.#at(offset), what: 'this is not a key', expected: 'a word' }));
        continue;
      }
      const before = entries.get(key);
      if (before !== undefined) {
        this.#problems.add(() => ({
          place: this.#at(offset),
          what: `the key ${quoted(key)} stands twice in one map; the first is in line ${this.#at(before.key).line}`,
        }));
        continue;
      }
      // An absent value has no node, or one of no width after the colon.
      const valueAt = isScalar(pair.value) && pair.value.value === null ? offset : start(pair.value, offset);
      entries.set(key, { key: offset, value: valueAt });
      value[key] = this.value(pair.value, depth + 1);
    }
    return value;
  }

  #list(node: YAMLSeq, depth: number): unknown {
    const entries = new Map<string, Offsets>();
    const value: unknown[] = [];
    this.#offsets.set(value, entries);
    for (const [index, item] of node.items.entries()) {
      const offset = start(item, start(node));
      entries.set(String(index), { key: offset, value: offset });
      value.push(this.value(item, depth + 1));
    }
    return value;
  }

  /** Keys are text: `1: x` is the key "1", as it was written. */
  #key(node: unknown): string | undefined {
    if (!isScalar(node) || node.value === null) return undefined;
    if (typeof node.value === 'string') return node.value;
    return node.source;
  }

  #alias(node: Alias, depth: number): unknown {
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      this.#problems.add(() => ({
        place: this.#at(start(node)),
        what: `no anchor ${quoted(node.source)} before this alias`,
      }));
      return null;
    }
    if (this.#open.has(target)) return this.#giveUp(node, `the alias ${quoted(node.source)} contains itself`);
    this.#inAlias += 1;
    const value = this.value(target, depth);
    this.#inAlias -= 1;
    return value;
  }

  #giveUp(node: unknown, what: string): null {
    this.#gaveUp = true;
    this.#problems.add(() => ({ place: this.#at(start(node)), what }));
    return null;
  }
}

/** The offset at which a node begins; `otherwise` where there is none. */
function start(node: unknown, otherwise = 0): number {
  if (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) return node.range?.[0] ?? otherwise;
  return otherwise;
}
