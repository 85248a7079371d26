// The `xmpp` probe: its XML against Prosody and ejabberd, hostile XML, stream errors, STARTTLS, strangers, Prosody running.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/xmpp/packet.js';
import {
  STARTTLS,
  STREAM_END,
  encodeHeader,
  encodeStreamError,
  headerFacts,
  parseFeatures,
  parseHeader,
  parseStreamError,
} from '../../probes/xmpp/packet.js';
import * as module from '../../probes/xmpp/probe.js';
import { serve } from '../../probes/xmpp/stand-in.js';
import * as xml from '../../probes/xmpp/xml.js';
import { Assembler, parsePiece, type XmlElement, type XmlEvent } from '../../probes/xmpp/xml.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { StandIn } from '../../src/contract/probe.js';
import { makeCertificates } from '../lab/certificates.js';
import { requireServer } from '../lab/requirements.js';
import { nginx, sshd } from '../lab/servers.js';
import { withSystemPath } from '../lab/place.js';
import { DOMAIN, prosody } from '../lab/servers/prosody.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, closedPort, spoiltStandIn, standInAt, tcpPeer, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf8'));
const captured = (name: string): Uint8Array =>
  vector(`xmpp/${name.startsWith('ejabberd') ? '' : 'prosody-0.12.3-'}${name}.hex`);

const { probe } = module;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function keep<T extends Peer | { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const begun = await starting;
  closing.push(() => ('stop' in begun ? begun.stop() : begun.close()));
  return begun;
}

interface Setting {
  readonly family?: Family;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

async function ask(port: number, options: Record<string, unknown> = {}, setting: Setting = {}): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  const { outcome } = await askOnce(bound, port, { deadlineMs: 20_000, ...setting });
  if (outcome.kind === 'answered') expect(bound.traits.depths).toContain(outcome.depth);
  return outcome;
}

/** What stands up to each `>`; one that ends nothing is joined to the next. */
function piecesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x3e); end >= 0; end = bytes.indexOf(0x3e, end + 1)) {
    const piece = bytes.subarray(start, end + 1);
    if (parsePiece(piece) === undefined) continue;
    pieces.push(piece);
    start = end + 1;
  }
  return pieces;
}

function eventsOf(bytes: Uint8Array): readonly XmlEvent[] {
  const assembler = new Assembler();
  return piecesOf(bytes).flatMap((piece) => {
    const parsed = parsePiece(piece);
    const event = parsed === undefined ? undefined : assembler.take(parsed);
    return event === undefined ? [] : [event];
  });
}

function elementsOf(bytes: Uint8Array, kind: 'root' | 'child'): readonly XmlElement[] {
  return eventsOf(bytes).flatMap((event) => (event.kind === kind ? [event.element] : []));
}

/** The first of them; where there is none, what a stream's end would throw. */
function firstOf(bytes: Uint8Array, kind: 'root' | 'child'): XmlElement {
  const [element] = elementsOf(bytes, kind);
  if (element === undefined) throw new ProtocolError('nothing came');
  return element;
}

/** An element alone, as a child of some root. */
const child = (text: string): XmlElement =>
  firstOf(utf8(`<r xmlns:stream='${packet.NAMESPACE.stream}'>${text}`), 'child');

describe('a piece of XML', () => {
  it.each([
    [`<?xml version='1.0'?>`, '', { kind: 'declaration' }],
    ['<a>', '', { kind: 'start', name: 'a', attributes: new Map(), empty: false }],
    [
      " \n<s:a b=\"1 > '0'\"\tc = '\"' />",
      ' \n',
      {
        kind: 'start',
        name: 's:a',
        attributes: new Map([
          ['b', "1 > '0'"],
          ['c', '"'],
        ]),
        empty: true,
      },
    ],
    ['a &lt;&#38;&#x1F600;&gt; ü</a >', 'a <&😀> ü', { kind: 'end', name: 'a' }],
    [
      `<a b='&quot;&apos;&amp;amp;'/>`,
      '',
      {
        kind: 'start',
        name: 'a',
        attributes: new Map([['b', `"'&amp;`]]),
        empty: true,
      },
    ],
  ] as const)('is read from %j', (source, text, tag) => {
    expect(parsePiece(utf8(source))).toEqual({ text, tag });
  });

  it.each(['', 'text', 'a > b', `<a b='>`, `<a b='1' c=">`])('is not whole in %j', (source) => {
    expect(parsePiece(utf8(source))).toBeUndefined();
  });

  it.each([
    ['<!DOCTYPE html>', 'document type'],
    ['<!DOCTYPE a [<!ENTITY b "c">', 'document type'],
    ['<!-- a -->', 'comment'],
    ['<![CDATA[a]]>', 'CDATA'],
    ['<?php echo 1 ?>', 'processing instruction'],
    ['<?xml version="1.0">', 'declaration'],
    ['<>', 'a name'],
    ['< a>', 'a name'],
    ['<a b>', 'the value of an attribute'],
    ['<a b=c>', 'the value of an attribute'],
    [`<a b='1'c='2'>`, 'white space'],
    [`<a b='1' b='2'>`, 'two attributes b'],
    [`<a b='<'>`, '<'],
    [`<a ${Array.from({ length: 40 }, (_, index) => `a${String(index)}=''`).join(' ')}>`, 'too many attributes'],
    ['</a b>', 'the end of a tag'],
    ['<a>b', 'the end'],
    ['&lol9;<a>', '&lol9;'],
    ['&constructor;<a>', '&constructor;'],
    ['&<a>', '&;'],
    ['&#0;<a>', '&#0;'],
    ['&#xD800;<a>', '&#xD800;'],
    ['&#x110000;<a>', '&#x110000;'],
  ])('is not read from %j', (source, words) => {
    expect(() => parsePiece(utf8(source))).toThrow(ProtocolError);
    expect(() => parsePiece(utf8(source))).toThrow(words);
  });

  it('shows a terminal nothing of its names but what is printable', () => {
    const root = firstOf(utf8('<\x1b[2J>'), 'root');
    expect(() => parseHeader(root)).toThrow('it begins with <.[2J>');
  });

  it('is UTF-8', () => {
    expect(() => parsePiece(Uint8Array.of(0xff, 0x3c, 0x61, 0x3e))).toThrow('no UTF-8');
  });
});

describe('XML as a whole', () => {
  it('has namespaces by prefix and by default, and text of each element alone', () => {
    const [element] = elementsOf(
      utf8(`<r xmlns='one' xmlns:p='two'> <a>x<p:b xmlns:p='three' p:c='d'/>y<e xmlns=''>z</e></a> </r>`),
      'child',
    );
    const none = { attributes: new Map(), children: [], text: '' };
    expect(element).toEqual({
      ...none,
      name: 'a',
      namespace: 'one',
      text: 'xy',
      children: [
        {
          ...none,
          name: 'b',
          namespace: 'three',
          attributes: new Map([
            ['xmlns:p', 'three'],
            ['p:c', 'd'],
          ]),
        },
        { ...none, name: 'e', namespace: '', attributes: new Map([['xmlns', '']]), text: 'z' },
      ],
    });
  });

  it.each([
    ['<r><a></r>', 'r ends that has not begun'],
    ['</r>', 'r ends that has not begun'],
    ['<r></r><r>', 'after its end'],
    ['<r></r></r>', 'has not begun'],
    ['<r>text<a/>', 'text between'],
    ['<r><?xml version="1.0"?>', 'in the middle'],
    ['<?xml version="1.0"?><?xml version="1.0"?>', 'in the middle'],
    ['<p:r>', 'p:r has no namespace'],
    [`<r xmlns:p='one'><p:/>`, 'p: has no namespace'],
    ['<a>'.repeat(17), 'nested too deep'],
  ])('is not %j', (source, words) => {
    expect(() => eventsOf(utf8(source))).toThrow(ProtocolError);
    expect(() => eventsOf(utf8(source))).toThrow(words);
  });
});

const captures = vectorsOf('xmpp').map(({ bytes }) => bytes);
const childrenIn = (name: string): readonly Uint8Array[] =>
  captures.filter((bytes) => Buffer.from(bytes).includes(`<stream:${name}>`));

describeDecoders(xml, {
  parsePiece: { decode: (bytes) => parsePiece(bytes) ?? 'more', samples: captures.flatMap(piecesOf) },
});
describeDecoders(packet, {
  parseHeader: { decode: (bytes) => parseHeader(firstOf(bytes, 'root')), samples: captures },
  parseFeatures: { decode: (bytes) => parseFeatures(firstOf(bytes, 'child')), samples: childrenIn('features') },
  parseStreamError: {
    decode: (bytes) => parseStreamError(firstOf(bytes, 'child')) ?? 'no error',
    samples: childrenIn('error'),
  },
});

describe('what a server says', () => {
  it.each([
    ['plain', ['mechanisms'], 'not offered', ['SCRAM-SHA-1']],
    ['offered', ['mechanisms', 'starttls'], 'offered', ['SCRAM-SHA-1']],
    ['required', ['starttls'], 'required', []],
    ['in-tls', ['mechanisms'], 'not offered', ['SCRAM-SHA-1', 'PLAIN']],
    [
      'ejabberd-23.01-offered',
      ['mechanisms', 'starttls'],
      'offered',
      ['DIGEST-MD5', 'PLAIN', 'SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'X-OAUTH2'],
    ],
    ['ejabberd-23.01-required', ['starttls'], 'required', []],
  ] as const)('%s: %j, STARTTLS %s, %j', (name, names, startTls, mechanisms) => {
    expect(parseFeatures(firstOf(captured(name), 'child'))).toEqual({ names, startTls, mechanisms });
    expect(headerFacts(parseHeader(firstOf(captured(name), 'root')))).toEqual({ version: '1.0', domain: DOMAIN });
  });

  it.each([
    ['host-unknown', 'host-unknown: This server does not serve other.example'],
    ['improper-addressing', "improper-addressing: A 'to' attribute is required on stream headers"],
    ['http', 'not-well-formed'],
    ['ejabberd-23.01-host-unknown', 'host-unknown'],
    ['ejabberd-23.01-http', 'not-well-formed: syntax error'],
    ['ejabberd-23.01-s2s', 'invalid-namespace'],
  ])('%s: the stream error "%s"', (name, words) => {
    expect(parseStreamError(firstOf(captured(name), 'child'))).toBe(words);
  });

  it.each([
    [
      `<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[2001:db8::1]:5222</see-other-host>`,
      'see-other-host: [2001:db8::1]:5222',
    ],
    ['Invalid Namespace', 'Invalid Namespace'],
    ['', 'no reason given'],
    [`<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\u0007 gone</text>`, '. gone'],
  ])('reads the stream error %j as "%s"', (inner, words) => {
    expect(parseStreamError(child(`<stream:error>${inner}</stream:error>`))).toBe(words);
  });

  it('is no error and no feature in other namespaces', () => {
    expect(parseStreamError(child('<error/>'))).toBeUndefined();
    expect(() => parseFeatures(child('<features/>'))).toThrow('<features> where its features belong');
    const other = child(
      `<stream:features><starttls xmlns='x'/><mechanisms><mechanism>A</mechanism></mechanisms></stream:features>`,
    );
    expect(parseFeatures(other)).toEqual({
      names: ['starttls', 'mechanisms'],
      startTls: 'not offered',
      mechanisms: [],
    });
  });

  it('is cut to what a person reads', () => {
    const many = '<a/>'.repeat(300);
    expect(parseFeatures(child(`<stream:features>${many}</stream:features>`)).names).toHaveLength(40);
    const long = parseStreamError(child(`<stream:error>${'x'.repeat(3000)}</stream:error>`));
    expect(long).toHaveLength(201);
  });

  it('tells of a stream for others than clients', () => {
    expect(headerFacts(parseHeader(firstOf(captured('ejabberd-23.01-s2s'), 'root')))).toEqual({
      version: '1.0',
      domain: DOMAIN,
      content: 'jabber:server',
    });
  });
});

describe('options', () => {
  it.each([
    [{ mode: 'smtps' }, 'xmpps'],
    [{ domain: 'a b' }, 'host name'],
    [{ domain: `a'/><b` }, 'host name'],
    [{ 'client-key': 'k' }, 'client-cert'],
    [{ starttls: true }, 'starttls'],
  ])('refuses %j', (given, words) => {
    const parsed = probe.options.safeParse(given);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('without TLS offer no secure depth, and name no handshake among what is sent', () => {
    const { traits } = probe.bind('tcp', probe.options.parse({ mode: 'plain' }));
    expect(traits.depths).toEqual(['port', 'protocol']);
    expect(JSON.stringify(traits.sends)).not.toContain('TLS');
    expect(probe.bind('tcp', {}).traits.depths).toContain('secure');
  });
});

interface Talker extends Peer {
  /** What came, a part for each reply. */
  readonly heard: string[];
}

/** Says one of `replies` to each part that comes, and leaves after the last. */
async function talking(...replies: readonly (string | Uint8Array)[]): Promise<Talker> {
  const heard: string[] = [];
  const peer = await keep(
    tcpPeer((socket) => {
      const left = [...replies];
      socket.on('data', (chunk: Buffer) => {
        heard.push(chunk.toString('latin1'));
        const reply = left.shift();
        if (reply !== undefined) socket.write(reply);
        if (left.length === 0) socket.end();
      });
    }),
  );
  return { ...peer, heard };
}

/** A capture, cut into replies after features and errors, and before the end of the stream. */
const replaying = (name: string): Promise<Talker> =>
  talking(
    ...Buffer.from(captured(name))
      .toString('latin1')
      .split(/(?<=<\/stream:features>)|(?=<\/stream:stream>)/),
  );

const header = (domain: string): string => Buffer.from(encodeHeader({ to: domain })).toString('latin1');
const END = Buffer.from(STREAM_END).toString('latin1');
const BEGIN = Buffer.from(encodeHeader({ from: DOMAIN, id: '1' })).toString('latin1');
const OFFER = `${BEGIN}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>`;
const PROCEED = `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`;

describe('the xmpp probe', () => {
  it('tells what Prosody and ejabberd say of themselves, and closes the stream', async () => {
    const peer = await replaying('plain');
    expect(await ask(peer.port, { domain: DOMAIN })).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        version: '1.0',
        domain: DOMAIN,
        features: ['mechanisms'],
        saslMechanisms: ['SCRAM-SHA-1'],
        startTls: 'not offered',
      },
    });
    expect(peer.heard).toEqual([header(DOMAIN), END]);
    const other = await replaying('ejabberd-23.01-required');
    expect(await ask(other.port, { domain: DOMAIN })).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { version: '1.0', domain: DOMAIN, features: ['starttls'], startTls: 'required' },
    });
  });

  it.each([
    [4, '127.0.0.1'],
    [6, '[::1]'],
  ] as const)('asks for the address where it has no name, over IPv%i', async (family, domain) => {
    const heard: string[] = [];
    const peer = await keep(
      tcpPeer((socket) => {
        socket.on('data', (chunk: Buffer) => heard.push(chunk.toString('latin1')));
        socket.write(captured('offered'));
      }, family),
    );
    expect(await ask(peer.port, {}, { family })).toMatchObject({ kind: 'answered' });
    expect(heard.join('')).toBe(header(domain) + END);
  });

  it.each(['host-unknown', 'ejabberd-23.01-host-unknown'])('takes %s for an answer', async (name) => {
    const peer = await replaying(name);
    const outcome = await ask(peer.port, { domain: 'other.example' });
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'protocol', facts: { askedFor: 'other.example' } });
    expect(outcome.kind === 'answered' && outcome.facts).toEqual({
      version: '1.0',
      streamError: expect.stringMatching(/^host-unknown/) as string,
      askedFor: 'other.example',
    });
    expect(peer.heard).toEqual([header('other.example'), END]);
  });

  it('hears the error of a server that names no version before it', async () => {
    const peer = await replaying('improper-addressing');
    expect(await ask(peer.port)).toMatchObject({
      kind: 'answered',
      facts: { version: '0.9', streamError: expect.stringContaining('improper-addressing') as string },
    });
  });

  it('takes a server that is older than features for an answer', async () => {
    const peer = await talking(BEGIN.replace(` version='1.0' xml`, ' xml'), END);
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { version: '0.9', domain: DOMAIN },
    });
  });

  it('tells of a port for servers', async () => {
    const peer = await replaying('ejabberd-23.01-s2s');
    expect(await ask(peer.port)).toMatchObject({
      kind: 'answered',
      facts: { content: 'jabber:server', streamError: 'invalid-namespace' },
    });
  });

  it('needs the whole of the features', async () => {
    const healthy = await keep(spoiltStandIn(module.standIn, { how: 'not' }));
    await ask(healthy.port);
    const all = Buffer.concat(healthy.traffic.fromPeer).toString('latin1');
    const whole = all.indexOf(END);
    expect(whole).toBeGreaterThan(200);
    for (let after = 0; after < whole; after += 1) {
      const peer = await keep(spoiltStandIn(module.standIn, { how: 'cut', after, then: 'close' }));
      expect(await ask(peer.port), `${String(after)} bytes`).toMatchObject({ kind: 'stranger', came: 'close' });
    }
    const enough = await keep(spoiltStandIn(module.standIn, { how: 'cut', after: whole, then: 'close' }));
    expect(await ask(enough.port)).toMatchObject({ kind: 'answered' });
  });

  it('does not wait for the end of the server’s stream for ever', async () => {
    const peer = await keep(tcpPeer((socket) => void socket.write(captured('offered').subarray(0, -16))));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered' });
  });

  it.each([
    ['<html><head></head></html>', 'it begins with <html>'],
    ['<!DOCTYPE html><html>', 'document type'],
    ['<stream:stream>', 'has no namespace'],
    [`<stream:stream xmlns:stream='http://example.net/'>`, 'it begins with <stream>'],
    [`<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><lolz>&lol;</lolz>`, 'document type'],
    [`${BEGIN}<presence/>`, '<presence> where its features belong'],
    [`${BEGIN}<stream:features>&lol9;</stream:features>`, '&lol9;'],
    [`${BEGIN}${END}`, 'ends where an answer belongs'],
    [`${BEGIN.slice(0, -1)}/>`, 'XML without content'],
    [`${BEGIN}<stream:features>${'<a></a>'.repeat(6000)}`, 'larger than any of XMPP'],
    [`${BEGIN}<stream:features>${`<a>${'x'.repeat(2000)}</a>`.repeat(30)}`, 'larger than any of XMPP'],
    [`<a ${`b='>' `.repeat(2000)}`, ''],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'an HTTP answer'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'an SSH identification'],
    ['220 mail.example.net ESMTP\r\n', 'an SMTP or FTP greeting'],
  ])('calls another service a stranger: %#', async (answer, words) => {
    const peer = await keep(tcpPeer((socket) => void socket.once('data', () => socket.write(answer))));
    expect(await ask(peer.port, { domain: DOMAIN }, { deadlineMs: 5000 })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining(words) as string,
    });
  });
});

describe('TLS', () => {
  it('is completed where it is wanted, and what was said before it is asked again', async () => {
    const peer = await keep(standInAt(module.standIn));
    expect(await ask(peer.port, { mode: 'starttls' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { startTls: 'completed', tlsVersion: 'TLSv1.3', subject: 'CN=stand-in.linecheck.invalid', features: [] },
    });
  });

  it('is begun where something is asked of the certificate', async () => {
    const peer = await keep(standInAt(module.standIn));
    const pin = 'tpZjunAdgq2MkS3MxW8mY0TW9BET+aGYIjSeenbQD/M=';
    expect(await ask(peer.port, { pin })).toMatchObject({ kind: 'answered', facts: { startTls: 'completed' } });
  });

  it.each([
    ['plain', 'XMPP that does not offer STARTTLS', { startTls: 'not offered' }],
    [
      'host-unknown',
      'XMPP that comes to no STARTTLS: host-unknown: This server does not serve other.example',
      { askedFor: DOMAIN },
    ],
    ['starttls-refused', 'XMPP that does not offer STARTTLS', { startTls: 'not offered' }],
  ])(
    'that is demanded and does not come (%s) makes a stranger; that is merely wanted does not',
    async (name, detail, facts) => {
      const demanding = await replaying(name);
      expect(await ask(demanding.port, { mode: 'starttls', domain: DOMAIN })).toMatchObject({
        kind: 'stranger',
        came: 'other-protocol',
        detail,
        facts,
      });
      const wanting = await replaying(name);
      expect(await ask(wanting.port, { issuer: 'CN=x', domain: DOMAIN })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts,
      });
      // Nothing that was not offered was asked for.
      expect(demanding.heard).toEqual([header(DOMAIN), END]);
    },
  );

  it.each([
    [`<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`, 'failure'],
    [Buffer.from(encodeStreamError('unsupported-stanza-type')).toString('latin1'), 'unsupported-stanza-type'],
  ])('that is offered and then refused is told: %#', async (answer, said) => {
    for (const [options, expected] of [
      [{ mode: 'starttls' }, { kind: 'stranger', detail: `XMPP that refuses STARTTLS: ${said}` }],
      [{ issuer: 'CN=x' }, { kind: 'answered', facts: { startTls: `refused: ${said}` } }],
    ] as const) {
      const peer = await talking(OFFER, answer, END);
      expect(await ask(peer.port, options)).toMatchObject(expected);
      expect(peer.heard[1]).toBe(Buffer.from(STARTTLS).toString('latin1'));
    }
  });

  it('is not believed where plain text follows the agreement', async () => {
    const peer = await talking(OFFER, `${PROCEED}<stream:features/>`, '', '');
    expect(await ask(peer.port, { mode: 'starttls' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'plain text where TLS was agreed on',
    });
  });

  it('that stalls ends at the deadline', async () => {
    const peer = await talking(OFFER, PROCEED, '', '', '');
    expect(await ask(peer.port, { mode: 'starttls' }, { deadlineMs: 500 })).toMatchObject({
      kind: 'stranger',
      came: 'silence',
    });
  });

  it('from the start finds plain XMPP a stranger', async () => {
    const peer = await talking(captured('http'), '', '');
    expect(await ask(peer.port, { mode: 'xmpps' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining('not TLS') as string,
    });
  });
});

describe('the stand-in', () => {
  it('is a server to openssl s_client', async (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const peer = await keep(standInAt(module.standIn));
    const words = ['s_client', '-connect', `127.0.0.1:${String(peer.port)}`, '-starttls', 'xmpp', '-xmpphost', DOMAIN];
    const said = await new Promise<string>((resolve) => {
      const client = execFile('openssl', words, { env: withSystemPath() }, (_, stdout) => resolve(stdout));
      client.stdin?.end();
    });
    expect(said).toContain('subject=CN = stand-in.linecheck.invalid');
  });

  it('lets nobody say more', async () => {
    const peer = await keep(standInAt(module.standIn));
    const said = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: peer.port });
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.once('end', () => resolve(text)).once('error', reject);
      socket.write(
        `${header(`<&'">`)}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>`,
      );
    });
    expect(said).toContain('<not-authorized ');
    expect(said).toMatch(/<\/stream:stream>$/);
    expect(parseHeader(firstOf(utf8(said), 'root')).from).toBe(`<&'">`);
  });
});

describe('real servers', () => {
  const tls = { issuer: 'CN=Lab CA, O=linecheck lab', daysLeft: 1 };

  it('Prosody answers over IPv4 and IPv6; 100 visits leave no login and no error in its log', async (ctx) => {
    requireServer(ctx, 'prosody', 'prosody');
    const server = await keep(prosody({ addresses: ['127.0.0.1', '::1'] }));
    for (let visit = 0; visit < 50; visit += 1) {
      for (const family of [4, 6] as const) {
        expect(await ask(server.port, { domain: DOMAIN }, { family })).toMatchObject({
          kind: 'answered',
          depth: 'protocol',
          facts: { version: '1.0', domain: DOMAIN, saslMechanisms: ['SCRAM-SHA-1'], startTls: 'not offered' },
        });
      }
    }
    const logged = (words: string): number => server.logs().split(words).length - 1;
    await expect.poll(() => logged('Client disconnected: connection closed'), { timeout: 10_000 }).toBe(100);
    expect(logged('closed: session closed')).toBe(100);
    expect(server.logs()).not.toMatch(/^\S+\s+(?:warn|error)\b/m);
    expect(server.logs()).not.toMatch(/Authenticat|invalid|c2s stream for \S+ closed: (?!session closed)/i);
  });

  it('Prosody that does not serve the domain says so', async (ctx) => {
    requireServer(ctx, 'prosody', 'prosody');
    const server = await keep(prosody());
    expect(await ask(server.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        version: '1.0',
        streamError: 'host-unknown: This server does not serve 127.0.0.1',
        askedFor: '127.0.0.1',
      },
    });
  });

  it('Prosody with STARTTLS shows its certificate, for the domain', async (ctx) => {
    requireServer(ctx, 'prosody', 'prosody');
    const server = await keep(prosody({ tls: 'starttls' }));
    // In whatever order.
    const saslMechanisms = expect.arrayContaining(['PLAIN', 'SCRAM-SHA-1']) as readonly string[];
    const secrets = { 'site-ca': readFileSync(server.certificates.ca, 'latin1') };
    expect(await ask(server.port, { domain: DOMAIN })).toMatchObject({
      kind: 'answered',
      facts: { startTls: 'offered' },
    });
    expect(await ask(server.port, { domain: DOMAIN, mode: 'starttls', ca: 'site-ca' }, { secrets })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { ...tls, startTls: 'completed', trusted: true, saslMechanisms },
    });
    expect(
      await ask(server.port, { domain: DOMAIN, servername: 'other.example', ca: 'site-ca' }, { secrets }),
    ).toMatchObject({ kind: 'answered', facts: { trusted: false, distrust: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
  });

  it('Prosody that requires STARTTLS names its mechanisms in TLS only', async (ctx) => {
    requireServer(ctx, 'prosody', 'prosody');
    const server = await keep(prosody({ tls: 'required', addresses: ['127.0.0.1', '::1'] }));
    const plain = await ask(server.port, { domain: DOMAIN });
    expect(plain.kind === 'answered' && plain.facts).toEqual({
      version: '1.0',
      domain: DOMAIN,
      features: ['starttls'],
      startTls: 'required',
    });
    expect(await ask(server.port, { domain: DOMAIN, mode: 'starttls' }, { family: 6 })).toMatchObject({
      kind: 'answered',
      facts: { ...tls, startTls: 'completed', features: ['mechanisms'] },
    });
  });

  it('Prosody with TLS from the start is asked in it, and is a stranger to plain XMPP', async (ctx) => {
    requireServer(ctx, 'prosody', 'prosody');
    const server = await keep(prosody({ tls: 'xmpps' }));
    expect(await ask(server.port, { domain: DOMAIN, mode: 'xmpps' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { ...tls, domain: DOMAIN, features: ['mechanisms'] },
    });
    expect(await ask(server.port, { domain: DOMAIN })).toMatchObject({ kind: 'stranger' });
  });

  it.for([
    ['starttls', 'protocol'],
    ['xmpps', 'secure'],
  ] as const)(
    'Prosody that demands a client certificate (%s) says so, takes a good one, refuses another’s',
    async ([mode, depth], ctx) => {
      requireServer(ctx, 'prosody', 'prosody');
      const server = await keep(prosody({ tls: mode, requireClient: true }));
      const others = await makeCertificates(['other.example']);
      closing.push(() => {
        others.remove();
        return Promise.resolve();
      });
      const show = (cert: string, key: string): Promise<Outcome> =>
        ask(
          server.port,
          { domain: DOMAIN, mode, 'client-cert': 'cert', 'client-key': 'key' },
          { secrets: { cert: readFileSync(cert, 'latin1'), key: readFileSync(key, 'latin1') } },
        );
      expect(await ask(server.port, { domain: DOMAIN, mode })).toMatchObject({
        kind: 'answered',
        depth,
        facts: { ...tls, alert: 'certificate_required', clientCertificate: 'demanded' },
      });
      expect(await show(server.certificates.clientCert, server.certificates.clientKey)).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { clientCertificate: 'requested', features: ['mechanisms'] },
      });
      expect(await show(others.clientCert, others.clientKey)).toMatchObject({
        kind: 'turned-away',
        presented: 'credentials',
        by: expect.stringContaining('TLS alert unknown_ca') as string,
        facts: { clientCertificate: 'refused' },
      });
    },
  );

  it('where Prosody was, it is refused', async (ctx) => {
    requireServer(ctx, 'prosody', 'prosody');
    const server = await prosody();
    await server.stop();
    expect(await ask(server.port)).toMatchObject({ kind: 'refused' });
    expect(await ask(await closedPort('tcp', 6), {}, { family: 6 })).toMatchObject({ kind: 'refused' });
  });

  it('nginx and sshd are strangers', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    requireServer(ctx, 'sshd', 'openssh-server');
    const [web, ssh] = [await keep(nginx()), await keep(sshd())];
    expect(await ask(web.port)).toMatchObject({ kind: 'stranger' });
    expect(await ask(ssh.port)).toMatchObject({ kind: 'stranger', detail: expect.stringContaining('SSH') as string });
  });
});

// What comes after the features proves nothing more: what must be whole is tested above.
describeConformance(module, { name: 'xmpp', carrier: 'tcp', answersEarly: true });
describeConformance(module, {
  name: 'xmpp with STARTTLS',
  carrier: 'tcp',
  options: { mode: 'starttls', domain: DOMAIN },
  answersEarly: true,
});
const implicit: StandIn = { carrier: 'tcp', session: (stream, stage) => serve(stream, stage, true) };
describeConformance(
  { probe, standIn: implicit },
  { name: 'xmpp with TLS from the start', carrier: 'tcp', options: { mode: 'xmpps' }, answersEarly: true },
);
