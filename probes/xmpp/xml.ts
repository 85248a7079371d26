// As much XML as an XMPP stream may have (RFC 6120 §11): elements with namespaces, text, the five predefined entities and
// character references. A document type, a comment, a processing instruction or CDATA is refused; nothing is ever expanded
// from a definition of the peer's. All is bounded. What the elements mean stands in packet.ts.
import { ProtocolError } from '../../src/bytes/errors.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import type { Stream } from '../../src/contract/probe.js';

/** A tag and the text before it; no text that anybody needs is longer. */
const MAX_PIECE = 4096;
/** A child of the root with all that is in it: features are 1 to 4 KiB long. */
const MAX_CHILD = 32 * 1024;
const MAX_TAGS = 500;
const MAX_DEPTH = 16;
const MAX_ATTRIBUTES = 32;

const GT = Uint8Array.of(0x3e);
const LT = 0x3c;
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);
const SPACE = ' \t\r\n';
/** What ends a name; the Unicode classes of XML §2.3 are not looked into. */
const AFTER_NAME = `${SPACE}/>=<"'&!?`;

export type Attributes = ReadonlyMap<string, string>;

export type Tag =
  | { readonly kind: 'declaration' }
  /** Names and attribute names with their prefixes. `empty`: it is its own end. */
  | { readonly kind: 'start'; readonly name: string; readonly attributes: Attributes; readonly empty: boolean }
  | { readonly kind: 'end'; readonly name: string };

export interface Piece {
  /** What stands before the tag, its references resolved. */
  readonly text: string;
  readonly tag: Tag;
}

/** `name` without its prefix. Attributes keep theirs. */
export interface XmlElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: Attributes;
  readonly children: readonly XmlElement[];
  /** That of this element alone, without its children's. */
  readonly text: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Text up to a tag, and the tag, from bytes that end in `>`; undefined where that one does not end the tag, since it
 * stands in the text or in an attribute's value. Throws ProtocolError for what is no XML, or none that XMPP allows.
 */
export function parsePiece(bytes: Uint8Array): Piece | undefined {
  const source = decoded(bytes);
  const start = source.indexOf('<');
  if (start < 0) return undefined;
  const tag = tagIn(new Cursor(source, start + 1));
  return tag === undefined ? undefined : { text: resolved(source.slice(0, start)), tag };
}

function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ProtocolError(`${lookOf(bytes)}: no UTF-8`);
  }
}

/** A place in a text that moves on. */
class Cursor {
  readonly #source: string;
  #at: number;

  constructor(source: string, at: number) {
    this.#source = source;
    this.#at = at;
  }

  /** Moves past `text` where it stands here. */
  passes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** Whether white space stood here. */
  passesSpace(): boolean {
    const before = this.#at;
    while (this.#at < this.#source.length && SPACE.includes(this.#source.charAt(this.#at))) this.#at += 1;
    return this.#at > before;
  }

  name(): string {
    const before = this.#at;
    while (this.#at < this.#source.length && !AFTER_NAME.includes(this.#source.charAt(this.#at))) this.#at += 1;
    if (this.#at === before) throw this.malformed('a name');
    return this.#source.slice(before, this.#at);
  }

  /** Up to `end`, which is passed; undefined where it does not come. */
  upTo(end: string): string | undefined {
    const found = this.#source.indexOf(end, this.#at);
    if (found < 0) return undefined;
    const text = this.#source.slice(this.#at, found);
    this.#at = found + end.length;
    return text;
  }

  get ended(): boolean {
    return this.#at >= this.#source.length;
  }

  malformed(wanted: string): ProtocolError {
    const look = printable(Buffer.from(this.#source.slice(this.#at, this.#at + 20)), 20);
    return new ProtocolError(`no XML: ${wanted} is missing before "${look}"`);
  }
}

/** What a `<` begins, to the end of the text. */
function tagIn(cursor: Cursor): Tag | undefined {
  const tag = tagAt(cursor);
  if (tag !== undefined && !cursor.ended) throw cursor.malformed('the end');
  return tag;
}

function tagAt(cursor: Cursor): Tag | undefined {
  if (cursor.passes('!')) throw new ProtocolError('XML with a comment, CDATA or a document type, which XMPP forbids');
  if (cursor.passes('?')) {
    if (cursor.name() !== 'xml') throw new ProtocolError('XML with a processing instruction, which XMPP forbids');
    if (cursor.upTo('?>') === undefined) throw cursor.malformed('the end of the declaration');
    return { kind: 'declaration' };
  }
  if (cursor.passes('/')) {
    const name = cursor.name();
    cursor.passesSpace();
    if (!cursor.passes('>')) throw cursor.malformed('the end of a tag');
    return { kind: 'end', name };
  }
  const name = cursor.name();
  const attributes = new Map<string, string>();
  for (;;) {
    const spaced = cursor.passesSpace();
    if (cursor.passes('/>')) return { kind: 'start', name, attributes, empty: true };
    if (cursor.passes('>')) return { kind: 'start', name, attributes, empty: false };
    if (!spaced) throw cursor.malformed('white space');
    const key = cursor.name();
    cursor.passesSpace();
    if (!cursor.passes('=')) throw cursor.malformed('the value of an attribute');
    cursor.passesSpace();
    const quote = ['"', "'"].find((each) => cursor.passes(each));
    if (quote === undefined) throw cursor.malformed('the value of an attribute');
    const value = cursor.upTo(quote);
    if (value === undefined) return undefined;
    if (value.includes('<')) throw new ProtocolError('no XML: < in the value of an attribute');
    if (attributes.has(key)) throw new ProtocolError(`no XML: two attributes ${shown(key)}`);
    if (attributes.size >= MAX_ATTRIBUTES) throw new ProtocolError('an XML element with too many attributes');
    attributes.set(key, resolved(value));
  }
}

/** Text with its references resolved: the predefined ones and those of single characters, no others (RFC 6120 §11.1). */
function resolved(text: string): string {
  const [first = '', ...parts] = text.split('&');
  return parts.reduce((whole, part) => {
    const end = part.indexOf(';');
    const reference = part.slice(0, Math.max(0, end));
    return whole + (PREDEFINED.get(reference) ?? characterOf(reference)) + part.slice(end + 1);
  }, first);
}

/** XML §4.1: `#38`, `#x26`. Throws ProtocolError for another reference, and for what is no character (§2.2). */
function characterOf(reference: string): string {
  const [, hex, decimal] = /^#(?:x([\da-fA-F]{1,6})|(\d{1,7}))$/.exec(reference) ?? [];
  const code = hex === undefined ? Number(decimal ?? NaN) : parseInt(hex, 16);
  const character =
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 0x20 && code < 0xd800) ||
    (code >= 0xe000 && code < 0xfffe) ||
    (code >= 0x1_0000 && code <= 0x10_ffff);
  if (character) return String.fromCodePoint(code);
  throw new ProtocolError(`XML with a reference that XMPP forbids: &${shown(reference)};`);
}

/** A stranger's word in a sentence. */
export function shown(word: string): string {
  return printable(Buffer.from(word.slice(0, 60)), 60);
}

export type XmlEvent =
  /** The root began; its children come one by one. */
  | { readonly kind: 'root'; readonly element: XmlElement }
  | { readonly kind: 'child'; readonly element: XmlElement }
  /** The root ended. */
  | { readonly kind: 'end' };

interface Growing extends XmlElement {
  readonly qualified: string;
  readonly scope: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/** Makes elements out of pieces. Throws ProtocolError where they do not fit together. */
export class Assembler {
  readonly #open: Growing[] = [];
  #began = false;
  #ended = false;

  /** What a piece completes; undefined where more must come first. */
  take({ text, tag }: Piece): XmlEvent | undefined {
    const parent = this.#open.at(-1);
    // RFC 6120 §4.6.1: white space keeps a quiet connection alive. Any other text stands within a child.
    if (this.#open.length > 1 && parent !== undefined) parent.text += text;
    else if (text.trim() !== '') throw new ProtocolError('XML with text between the children of its root');
    switch (tag.kind) {
      case 'declaration':
        if (this.#began) throw new ProtocolError('an XML declaration in the middle');
        this.#began = true;
        return undefined;
      case 'start':
        return this.#start(tag, parent);
      case 'end':
        return this.#end(tag.name);
    }
  }

  #start(tag: Extract<Tag, { kind: 'start' }>, parent: Growing | undefined): XmlEvent | undefined {
    if (this.#ended) throw new ProtocolError('XML after its end');
    if (this.#open.length >= MAX_DEPTH) throw new ProtocolError('XML elements nested too deep');
    this.#began = true;
    const { name: qualified, attributes } = tag;
    const scope = scopeOf(attributes, parent?.scope ?? new Map([['xml', XML_NAMESPACE]]));
    const growing = { qualified, scope, ...expanded(qualified, scope), attributes, children: [], text: '' };
    this.#open.push(growing);
    if (tag.empty) return this.#end(qualified);
    return this.#open.length === 1 ? { kind: 'root', element: elementOf(growing) } : undefined;
  }

  #end(qualified: string): XmlEvent | undefined {
    const last = this.#open.pop();
    if (last?.qualified !== qualified) throw new ProtocolError(`no XML: ${shown(qualified)} ends that has not begun`);
    const parent = this.#open.at(-1);
    if (parent === undefined) {
      this.#ended = true;
      return { kind: 'end' };
    }
    if (this.#open.length === 1) return { kind: 'child', element: elementOf(last) };
    parent.children.push(elementOf(last));
    return undefined;
  }
}

function elementOf({ name, namespace, attributes, children, text }: Growing): XmlElement {
  return { name, namespace, attributes, children, text };
}

/** The namespaces that hold within an element, by prefix; the default one by the empty word (Namespaces in XML §6). */
function scopeOf(attributes: Attributes, outer: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const own = [...attributes].flatMap(([key, value]): [string, string][] => {
    if (key === 'xmlns') return [['', value]];
    return key.startsWith('xmlns:') ? [[key.slice('xmlns:'.length), value]] : [];
  });
  return own.length === 0 ? outer : new Map([...outer, ...own]);
}

function expanded(
  qualified: string,
  scope: ReadonlyMap<string, string>,
): { readonly name: string; readonly namespace: string } {
  const colon = qualified.indexOf(':');
  const prefix = qualified.slice(0, Math.max(0, colon));
  const name = qualified.slice(colon + 1);
  const namespace = scope.get(prefix) ?? (colon < 0 ? '' : undefined);
  if (namespace === undefined || name === '') throw new ProtocolError(`no XML: ${shown(qualified)} has no namespace`);
  return { name, namespace };
}

/** The XML of one side of a connection. It takes no byte beyond the tag that it returns. */
export class XmlInput {
  readonly #stream: Stream;
  readonly #assembler = new Assembler();
  #first = true;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** The root's beginning, its next child, or its end. Throws ProtocolError as soon as it is clear that none comes. */
  async next(): Promise<XmlEvent> {
    let left = MAX_CHILD;
    for (let tags = 0; ; tags += 1) {
      const { piece, size } = await this.#piece();
      left -= size;
      if (left < 0 || tags >= MAX_TAGS) throw new ProtocolError('an XML element larger than any of XMPP');
      const event = this.#assembler.take(piece);
      if (event !== undefined) return event;
    }
  }

  async #piece(): Promise<{ readonly piece: Piece; readonly size: number }> {
    for (let bytes = await this.#upToEnd(); ;) {
      const piece = parsePiece(bytes);
      if (piece !== undefined) return { piece, size: bytes.length };
      if (bytes.length >= MAX_PIECE) throw new ProtocolError(`${lookOf(bytes)}: no XML tag is so long`);
      bytes = Buffer.concat([bytes, await this.#upToEnd()]);
    }
  }

  /** Up to the next `>`. */
  async #upToEnd(): Promise<Uint8Array> {
    if (!this.#first) return this.#stream.readUntil(GT, MAX_PIECE);
    this.#first = false;
    // One byte tells: a stranger may never send a `>`.
    const start = await this.#stream.read({ atLeast: 1, max: 1 });
    if (start[0] !== LT) {
      throw new ProtocolError(lookOf(Buffer.concat([start, await this.#stream.read({ atLeast: 0, max: 79 })])));
    }
    return Buffer.concat([start, await this.#stream.readUntil(GT, MAX_PIECE)]);
  }
}
