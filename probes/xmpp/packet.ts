// What the two sides of an XMPP stream say before anybody logs in (RFC 6120 §4 to §6): stream headers, features, STARTTLS,
// stream errors, as text and as facts. How XML is read stands in xml.ts.
import { ProtocolError } from '../../src/bytes/errors.js';
import { printable } from '../../src/bytes/text.js';
import type { Facts } from '../../src/contract/outcome.js';
import type { Kit, Stream } from '../../src/contract/probe.js';
import { shown, type XmlElement } from './xml.js';

export const NAMESPACE = {
  stream: 'http://etherx.jabber.org/streams',
  client: 'jabber:client',
  streamError: 'urn:ietf:params:xml:ns:xmpp-streams',
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
} as const;

/** What a fact may carry of a stranger's text, characters, and of its lists. */
const MAX_TEXT = 200;
const MAX_NAMES = 40;
const MAX_NAME = 60;

/** How long a server may take to close its side of the stream, ms; its answer is in already. */
const FAREWELL_MS = 1000;

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');

export const STARTTLS = utf8(`<starttls xmlns='${NAMESPACE.tls}'/>`);
export const PROCEED = utf8(`<proceed xmlns='${NAMESPACE.tls}'/>`);
export const STREAM_END = utf8('</stream:stream>');

/** A client names the domain that it asks `to`; a server says `from` which it speaks, and gives the stream an `id`. */
export function encodeHeader(names: Readonly<Partial<Record<'to' | 'from' | 'id', string>>>): Uint8Array {
  const own = Object.entries(names).map(([key, value]) => `${key}='${escaped(value)}' `);
  return utf8(
    `<?xml version='1.0'?><stream:stream ${own.join('')}version='1.0' xml:lang='en' ` +
      `xmlns='${NAMESPACE.client}' xmlns:stream='${NAMESPACE.stream}'>`,
  );
}

export function encodeFeatures(startTls: boolean): Uint8Array {
  return utf8(
    startTls ? `<stream:features><starttls xmlns='${NAMESPACE.tls}'/></stream:features>` : '<stream:features/>',
  );
}

/** `condition`: a name of RFC 6120 §4.9.3. */
export function encodeStreamError(condition: string): Uint8Array {
  return utf8(`<stream:error><${condition} xmlns='${NAMESPACE.streamError}'/></stream:error>`);
}

function escaped(text: string): string {
  return text.replace(/[&<>'"]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

export function isElement(element: XmlElement, namespace: string, name: string): boolean {
  return element.namespace === namespace && element.name === name;
}

export interface StreamHeader {
  /** `1.0`; RFC 6120 §4.7.5: a server that names none speaks 0.9, and sends no features. */
  readonly version: string;
  readonly sendsFeatures: boolean;
  /** The domain that the server speaks for, or the client asks for, where it says. Printable. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** What the stream carries, where it is not what clients send. Printable. */
  readonly content: string | undefined;
}

/** The root of a stream. Throws ProtocolError for another. */
export function parseHeader(root: XmlElement): StreamHeader {
  if (!isElement(root, NAMESPACE.stream, 'stream')) {
    throw new ProtocolError(`XML that is no XMPP stream: it begins with <${shown(root.name)}>`);
  }
  const attribute = (name: string): string | undefined => {
    const value = root.attributes.get(name);
    return value === undefined || value === '' ? undefined : textOf(value);
  };
  const version = attribute('version') ?? '0.9';
  const content = attribute('xmlns');
  return {
    version,
    sendsFeatures: Number.parseInt(version, 10) >= 1,
    from: attribute('from'),
    to: attribute('to'),
    content: content === NAMESPACE.client ? undefined : content,
  };
}

export function headerFacts({ version, from, content }: StreamHeader): Facts {
  return { version, ...(from === undefined ? {} : { domain: from }), ...(content === undefined ? {} : { content }) };
}

export interface Features {
  /** Names of all features, without their namespaces. Printable. */
  readonly names: readonly string[];
  readonly startTls: 'required' | 'offered' | 'not offered';
  readonly mechanisms: readonly string[];
}

/** RFC 6120 §4.3.2. Throws ProtocolError for another element. */
export function parseFeatures(element: XmlElement): Features {
  if (!isElement(element, NAMESPACE.stream, 'features')) {
    throw new ProtocolError(`an XMPP stream with <${shown(element.name)}> where its features belong`);
  }
  const startTls = element.children.find((each) => isElement(each, NAMESPACE.tls, 'starttls'));
  const mechanisms = element.children
    .filter((each) => isElement(each, NAMESPACE.sasl, 'mechanisms'))
    .flatMap(({ children }) => children.filter((each) => isElement(each, NAMESPACE.sasl, 'mechanism')));
  const required = startTls?.children.some((each) => isElement(each, NAMESPACE.tls, 'required'));
  return {
    names: element.children.slice(0, MAX_NAMES).map(({ name }) => textOf(name, MAX_NAME)),
    startTls: required === undefined ? 'not offered' : required ? 'required' : 'offered',
    mechanisms: mechanisms.slice(0, MAX_NAMES).map(({ text }) => textOf(text, MAX_NAME)),
  };
}

export function featureFacts({ names, mechanisms }: Features): Facts {
  return { features: names, ...(mechanisms.length === 0 ? {} : { saslMechanisms: mechanisms }) };
}

/** For a person: `host-unknown: This server does not serve other.example`. Undefined for an element that is no error. */
export function parseStreamError(element: XmlElement): string | undefined {
  if (!isElement(element, NAMESPACE.stream, 'error')) return undefined;
  const own = element.children.filter(({ namespace }) => namespace === NAMESPACE.streamError);
  const condition = own.find(({ name }) => name !== 'text');
  // RFC 6120 §4.9.3.19: see-other-host has the host as its text. Before RFC 3920 a stream error was a text alone.
  const texts = [condition?.text, own.find(({ name }) => name === 'text')?.text, element.text];
  const words = [condition?.name, ...texts].map((each) => each?.trim() ?? '').filter((each) => each !== '');
  return textOf(words.join(': ')) || 'no reason given';
}

function textOf(text: string, max = MAX_TEXT): string {
  return printable(utf8(text), max);
}

/** The end of the stream, and the wait for the server's (RFC 6120 §4.4). Never throws. */
export async function leave(stream: Stream, kit: Kit): Promise<void> {
  try {
    await stream.write(STREAM_END);
    await stream.peek(FAREWELL_MS);
    await stream.end();
  } catch {
    kit.note('the server did not wait for the end of our stream');
  }
}
