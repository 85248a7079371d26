// The `ldap` probe: its bytes against ldapsearch and slapd, logins and what keeps a password back, slapd in many moods.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Client } from 'ldapts';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/ldap/packet.js';
import {
  NOTICE_OF_DISCONNECTION,
  OPERATION,
  encodeEntry,
  encodeResult,
  encodeSearch,
  encodeSimpleBind,
  encodeStartTls,
  encodeUnbind,
  parseAnswer,
  parseRequest,
  sentenceOf,
  type LdapAttribute,
  type LdapRequest,
} from '../../probes/ldap/packet.js';
import * as module from '../../probes/ldap/probe.js';
import { serve } from '../../probes/ldap/stand-in.js';
import { BerReader, TAG, element, elementSize, wholeNumber } from '../../src/bytes/ber.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Attempt, Outcome } from '../../src/contract/outcome.js';
import type { StandIn } from '../../src/contract/probe.js';
import { makeCertificates } from '../lab/certificates.js';
import { withSystemPath } from '../lab/place.js';
import { requireServer } from '../lab/requirements.js';
import { sshd, stunnel } from '../lab/servers.js';
import { BASE, READER, slapd } from '../lab/servers/slapd.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, spoiltStandIn, standInAt, tcpPeer, type Peer } from './scenes.js';
import { vector } from './vectors.js';

const ATTRIBUTES = [
  ...['supportedLDAPVersion', 'namingContexts', 'supportedExtension', 'supportedSASLMechanisms'],
  ...['vendorName', 'vendorVersion', 'dnsHostName'],
];

/** The messages that stand one after the other in a capture. */
function messagesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const size = elementSize(rest, 'LDAP message') ?? rest.length;
    messages.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return messages;
}
const slapdSaid = (name: string): readonly Uint8Array[] => messagesIn(vector(`ldap/slapd-2.5.13-${name}.hex`));
const ldapsearchSaid = (name: string): readonly Uint8Array[] =>
  messagesIn(vector(`ldap/ldapsearch-2.5.13-${name}.hex`));

/** The same message with another id. */
function withId(message: Uint8Array, id: number): Uint8Array {
  const envelope = new BerReader(message, 'LDAP message').within(TAG.sequence);
  envelope.number();
  const { tag, content } = envelope.next();
  return element(TAG.sequence, wholeNumber(id), element(tag, content));
}

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
  readonly login?: boolean;
  readonly deadlineMs?: number;
}

async function attempt(port: number, options: Record<string, unknown> = {}, setting: Setting = {}): Promise<Attempt> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  const attempt = await askOnce(bound, port, { deadlineMs: 20_000, ...setting });
  if (attempt.outcome.kind === 'answered') expect(bound.traits.depths).toContain(attempt.outcome.depth);
  return attempt;
}
const ask = async (port: number, options?: Record<string, unknown>, setting?: Setting): Promise<Outcome> =>
  (await attempt(port, options, setting)).outcome;

/** Answers each request with what `reply` makes of it, and keeps what it heard. */
async function ldapPeer(
  reply: (request: LdapRequest, nth: number) => readonly Uint8Array[],
): Promise<Peer & { readonly heard: LdapRequest[] }> {
  const heard: LdapRequest[] = [];
  const peer = await keep(
    tcpPeer((socket) => {
      let unread = Buffer.alloc(0);
      let nth = 0;
      socket.on('data', (chunk: Buffer) => {
        unread = Buffer.concat([unread, chunk]);
        for (;;) {
          // What is no message is a ClientHello, which this peer leaves unanswered.
          const size = unread[0] === TAG.sequence ? elementSize(unread, 'LDAP message') : undefined;
          if (size === undefined || size > unread.length) return;
          const request = parseRequest(unread.subarray(0, size));
          unread = unread.subarray(size);
          heard.push(request);
          for (const answer of reply(request, nth)) socket.write(answer);
          nth += 1;
        }
      });
    }),
  );
  return { ...peer, heard };
}

/** Answers with captured messages, their ids made to fit. */
const answering = (...turns: readonly (readonly Uint8Array[])[]): ReturnType<typeof ldapPeer> =>
  ldapPeer(({ id }, nth) => (turns[nth] ?? []).map((message) => withId(message, id)));

const result = (code: number, diagnostic = '', operation: number = OPERATION.searchResultDone): Uint8Array =>
  encodeResult(1, operation, { code, diagnostic });

describe('what is sent', () => {
  it('is, byte for byte, what ldapsearch sends', () => {
    const [bind, search, unbind] = ldapsearchSaid('login');
    expect(Uint8Array.from(encodeSimpleBind(1, READER.dn, Buffer.from(READER.password)))).toEqual(bind);
    expect(Uint8Array.from(encodeSearch(2, '', ATTRIBUTES))).toEqual(search);
    expect(Uint8Array.from(encodeUnbind(3))).toEqual(unbind);
    const [startTls] = ldapsearchSaid('starttls');
    expect(Uint8Array.from(encodeStartTls(1))).toEqual(startTls);
    const [, other] = ldapsearchSaid('no-such-object');
    expect(Uint8Array.from(encodeSearch(2, 'dc=other,dc=example', ['1.1']))).toEqual(other);
  });

  it('is understood by the stand-in', () => {
    expect(ldapsearchSaid('root-dse').map((message) => parseRequest(message))).toEqual([
      { id: 1, kind: 'bind', dn: '', anonymous: true },
      { id: 2, kind: 'search', base: '' },
      { id: 3, kind: 'unbind' },
    ]);
    expect(ldapsearchSaid('login').map((message) => parseRequest(message))[0]).toEqual({
      id: 1,
      kind: 'bind',
      dn: READER.dn,
      anonymous: false,
    });
    expect(ldapsearchSaid('starttls').map((message) => parseRequest(message))).toEqual([
      { id: 1, kind: 'extended', name: '1.3.6.1.4.1.1466.20037' },
    ]);
  });
});

describe('what slapd answers', () => {
  it.each([
    ['wrong-password', [{ id: 1, kind: 'bind', result: { code: 49, diagnostic: '' } }]],
    ['bind-refused', [{ id: 1, kind: 'bind', result: { code: 48, diagnostic: 'anonymous bind disallowed' } }]],
    [
      'authentication-required',
      [{ id: 2, kind: 'search-done', result: { code: 53, diagnostic: 'authentication required' } }],
    ],
    ['starttls', [{ id: 1, kind: 'extended', result: { code: 0, diagnostic: '' } }]],
    [
      'starttls-refused',
      [{ id: 1, kind: 'extended', result: { code: 2, diagnostic: 'unsupported extended operation' } }],
    ],
    [
      'no-such-object',
      [
        { id: 1, kind: 'bind', result: { code: 0, diagnostic: '' } },
        { id: 2, kind: 'search-done', result: { code: 32, diagnostic: '' } },
      ],
    ],
  ] as const)('%s', (name, expected) => {
    expect(slapdSaid(name).map((message) => parseAnswer(message))).toEqual(expected);
  });

  it('to a search is an entry with its attributes, and the end', () => {
    const [, entry, done] = slapdSaid('root-dse').map((message) => parseAnswer(message));
    expect(entry).toMatchObject({ id: 2, kind: 'entry' });
    expect(entry?.kind === 'entry' && entry.attributes.map(({ type, values }) => [type, values.length])).toEqual([
      ['namingContexts', 1],
      ['supportedExtension', 5],
      ['supportedLDAPVersion', 1],
      ['supportedSASLMechanisms', 8],
    ]);
    expect(done).toEqual({ id: 2, kind: 'search-done', result: { code: 0, diagnostic: '' } });
  });

  it('may be written longer than need be, as Active Directory does', () => {
    const long = Uint8Array.from(Buffer.from('3084000000100201076584000000070a010104000400', 'hex'));
    expect(parseAnswer(long)).toEqual({ id: 7, kind: 'search-done', result: { code: 1, diagnostic: '' } });
  });

  it.each([
    ['a request', encodeUnbind(1)],
    ['a search result without a code', element(TAG.sequence, wholeNumber(1), element(OPERATION.searchResultDone))],
    ['an empty message', element(TAG.sequence)],
    ['no sequence', element(TAG.set, wholeNumber(1))],
  ])('is not %s', (_, bytes) => {
    expect(() => parseAnswer(bytes)).toThrow(ProtocolError);
  });

  it('is worded by its name and number', () => {
    expect(sentenceOf({ code: 49, diagnostic: 'data 52e' })).toBe('invalidCredentials (49): data 52e');
    expect(sentenceOf({ code: 118, diagnostic: '' })).toBe('result 118');
  });

  it('comes back from its bytes', () => {
    const attributes: readonly LdapAttribute[] = [
      { type: 'a', values: ['1', '2'] },
      { type: 'b', values: [] },
    ];
    expect(parseAnswer(encodeEntry(300, 'cn=x', attributes))).toEqual({ id: 300, kind: 'entry', attributes });
    expect(parseAnswer(encodeResult(7, OPERATION.bindResponse, { code: 80, diagnostic: 'x\0' }))).toEqual({
      id: 7,
      kind: 'bind',
      result: { code: 80, diagnostic: 'x' },
    });
  });
});

const answers = ['root-dse', 'wrong-password', 'starttls-refused', 'no-such-object'].flatMap((name) => slapdSaid(name));
const notice = element(
  TAG.sequence,
  wholeNumber(0),
  element(
    OPERATION.extendedResponse,
    ...[wholeNumber(52, TAG.enumerated), element(0x04), element(0x04, Buffer.from('shutting down'))],
    element(0x8a, Buffer.from(NOTICE_OF_DISCONNECTION)),
  ),
);
describeDecoders(packet, {
  parseAnswer: { decode: parseAnswer, samples: [...answers, notice] },
  parseRequest: { decode: parseRequest, samples: ['login', 'starttls'].flatMap((name) => ldapsearchSaid(name)) },
});

describe('options', () => {
  it.each([
    [{ mode: 'smtps' }, 'ldaps'],
    [{ 'bind-dn': 'cn=x' }, 'go together'],
    [{ password: 'p' }, 'go together'],
    [{ base: '' }, '>=1'],
    [{ 'client-key': 'k' }, 'client-cert'],
  ])('refuses %j', (given, words) => {
    const parsed = probe.options.safeParse(given);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('decide how deep an answer can go', () => {
    const depths = (given: unknown): readonly string[] => probe.bind('tcp', probe.options.parse(given)).traits.depths;
    expect(depths({})).toEqual(['port', 'secure', 'protocol']);
    expect(depths({ mode: 'plain' })).toEqual(['port', 'protocol']);
    expect(depths({ mode: 'plain', 'bind-dn': 'cn=x', password: 'p' })).toEqual(['port', 'protocol', 'service']);
  });
});

describe('the ldap probe', () => {
  it('tells what slapd says of itself, without a bind', async () => {
    const peer = await answering(slapdSaid('root-dse').slice(1));
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        ldapVersions: ['3'],
        namingContexts: ['dc=lab,dc=example'],
        saslMechanisms: [
          ...['SCRAM-SHA-512', 'SCRAM-SHA-384', 'SCRAM-SHA-256', 'SCRAM-SHA-224', 'SCRAM-SHA-1'],
          ...['DIGEST-MD5', 'CRAM-MD5', 'NTLM'],
        ],
        startTls: 'not offered',
      },
    });
    expect(peer.heard.map(({ kind }) => kind)).toEqual(['search', 'unbind']);
  });

  it('tells that StartTLS is offered, and leaves it at that', async () => {
    const peer = await answering(slapdSaid('root-dse-starttls-offered').slice(1));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { startTls: 'offered' } });
  });

  it.each([
    [1, 'operationsError (1)'],
    [8, 'strongerAuthRequired (8)'],
    [48, 'inappropriateAuthentication (48)'],
    [50, 'insufficientAccessRights (50)'],
    [53, 'unwillingToPerform (53)'],
  ])('takes result %i to a question without a login for an answer', async (code, words) => {
    const peer = await answering([result(code, 'a login first')]);
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { rootDse: `${words}: a login first` },
    });
  });

  it('takes a root DSE that is not shown for an answer', async () => {
    const peer = await answering([result(0)]);
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { rootDse: 'not shown' } });
  });

  it('takes a server that says why it leaves for an answer', async () => {
    const peer = await ldapPeer(() => [notice]);
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { disconnected: 'unavailable (52): shutting down' },
    });
  });

  it('looks for the entry that it is told', async () => {
    for (const [second, expected] of [
      [[encodeEntry(1, BASE, []), result(0)], 'found'],
      [[result(0)], 'not found'],
      [slapdSaid('no-such-object').slice(1), 'noSuchObject (32)'],
    ] as const) {
      const peer = await answering(slapdSaid('root-dse').slice(1), second);
      expect(await ask(peer.port, { base: BASE })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { base: expected },
      });
      expect(peer.heard[1]).toMatchObject({ kind: 'search', base: BASE });
    }
  });

  it('keeps what the root DSE told where the second question stays unanswered', async () => {
    const peer = await answering(slapdSaid('root-dse').slice(1), []);
    expect(await ask(peer.port, { base: BASE }, { deadlineMs: 500 })).toMatchObject({
      kind: 'answered',
      facts: { ldapVersions: ['3'] },
    });
  });

  it('believes no answer to another question, and none of another kind', async () => {
    for (const [bad, words] of [
      [({ id }: LdapRequest) => [withId(result(0), id + 1)], 'to another question'],
      [({ id }: LdapRequest) => [withId(result(0, '', OPERATION.bindResponse), id)], 'of another kind (bind)'],
      [({ id }: LdapRequest) => Array.from({ length: 20 }, () => encodeEntry(id, '', [])), 'without end'],
      [() => [encodeUnbind(5)], 'no server sends'],
    ] as const) {
      const peer = await ldapPeer(bad);
      expect(await ask(peer.port)).toMatchObject({
        kind: 'stranger',
        came: 'other-protocol',
        detail: expect.stringContaining(words) as string,
      });
    }
  });

  it('does not wait for a message that is too long to be one', async () => {
    const peer = await keep(tcpPeer((socket) => void socket.write(Buffer.from('30847fffffff', 'hex'))));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'stranger',
      detail: expect.stringContaining('no LDAP message is 2147483653 bytes long') as string,
    });
  });

  it('needs the whole answer', async () => {
    const healthy = await keep(spoiltStandIn(module.standIn, { how: 'not' }));
    await ask(healthy.port);
    const { length } = Buffer.concat(healthy.traffic.fromPeer);
    for (let after = 0; after < length; after += 1) {
      const peer = await keep(spoiltStandIn(module.standIn, { how: 'cut', after, then: 'close' }));
      expect(await ask(peer.port), `${after} bytes`).toMatchObject({ kind: 'stranger' });
    }
  });
});

describe('a login', () => {
  const credentials = { 'bind-dn': READER.dn, password: 'reader' };
  const secrets = { reader: READER.password };
  const bound = (code: number, diagnostic = ''): Uint8Array => result(code, diagnostic, OPERATION.bindResponse);
  const rootDse = slapdSaid('root-dse').slice(1);

  it('is tried with --login only', async () => {
    const peer = await answering(rootDse);
    expect(await ask(peer.port, { mode: 'plain', ...credentials }, { secrets })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
    });
    expect(peer.heard.map(({ kind }) => kind)).toEqual(['search', 'unbind']);
  });

  it('that is accepted proves the service, where the entry asked for is there', async () => {
    for (const [options, last, depth] of [
      [{}, [], 'service'],
      [{ base: BASE }, [encodeEntry(1, BASE, []), result(0)], 'service'],
      [{ base: BASE }, [result(32)], 'protocol'],
    ] as const) {
      const peer = await answering([bound(0)], rootDse, last);
      const { outcome, wire } = await attempt(
        peer.port,
        { mode: 'plain', ...credentials, ...options },
        { secrets, login: true },
      );
      expect(outcome).toMatchObject({ kind: 'answered', depth, facts: { login: 'accepted' } });
      expect(peer.heard[0]).toMatchObject({ kind: 'bind', dn: READER.dn });
      const shown = JSON.stringify({ outcome, wire });
      expect(shown).not.toContain(READER.password);
      expect(shown).not.toContain(Buffer.from(READER.password).toString('hex'));
    }
  });

  it.each([7, 8, 13, 32, 34, 48, 49, 50, 53])(
    'refused with result %i is turned away, and asks no more',
    async (code) => {
      const peer = await answering([bound(code, '80090308: LdapErr: DSID-0C09044E, data 52e, v4563\0')]);
      expect(await ask(peer.port, { mode: 'plain', ...credentials }, { secrets, login: true })).toEqual({
        kind: 'turned-away',
        presented: 'credentials',
        by: `LDAP bind, ${sentenceOf({ code, diagnostic: '80090308: LdapErr: DSID-0C09044E, data 52e, v4563' })}`,
        facts: {},
      });
      expect(peer.heard.map(({ kind }) => kind)).toEqual(['bind', 'unbind']);
    },
  );

  it.each([1, 51, 52, 80])('that a server could not look at (result %i) is no refusal', async (code) => {
    const peer = await answering([bound(code)], rootDse);
    expect(await ask(peer.port, { mode: 'plain', ...credentials }, { secrets, login: true })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { login: sentenceOf({ code, diagnostic: '' }) },
    });
  });

  it('is not tried in the clear unless that is said', async () => {
    const peer = await answering(slapdSaid('starttls-refused'), rootDse);
    expect(await ask(peer.port, credentials, { secrets, login: true })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        startTls: 'refused: protocolError (2): unsupported extended operation',
        login: 'not tried: the password would go in the clear; mode: plain allows that',
      },
    });
    expect(peer.heard.map(({ kind }) => kind)).toEqual(['extended', 'search', 'unbind']);
  });

  it('is not tried where the certificate is not trusted, nor pinned, nor as pinned', async () => {
    const peer = await keep(standInAt(module.standIn));
    const pin = 'tpZjunAdgq2MkS3MxW8mY0TW9BET+aGYIjSeenbQD/M=';
    for (const given of [{}, { mode: 'starttls' }, { pin }, { issuer: 'stand-in.linecheck.invalid' }]) {
      expect(await ask(peer.port, { ...credentials, ...given }, { secrets, login: true })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: {
          startTls: 'completed',
          login: 'not tried: the certificate is not trusted; ca or pin would vouch for it',
        },
      });
    }
  });

  it('is tried where the pin is right, and the stand-in lets nobody in', async () => {
    const peer = await keep(standInAt(module.standIn));
    const shown = await ask(peer.port, { mode: 'starttls' });
    const pin = shown.kind === 'answered' ? shown.facts['pin'] : undefined;
    expect(await ask(peer.port, { ...credentials, pin }, { secrets, login: true })).toMatchObject({
      kind: 'turned-away',
      by: 'LDAP bind, invalidCredentials (49): linecheck stand-in: nobody can log in here',
      facts: { startTls: 'completed' },
    });
  });

  it('with an empty password is none: a server would take it for anonymous', async () => {
    const peer = await answering(rootDse);
    expect(
      await ask(peer.port, { mode: 'plain', ...credentials }, { secrets: { reader: '' }, login: true }),
    ).toMatchObject({ kind: 'answered', depth: 'protocol', facts: { login: 'not tried: the password is empty' } });
    expect(peer.heard.map(({ kind }) => kind)).toEqual(['search', 'unbind']);
  });
});

describe('StartTLS', () => {
  it('that is demanded and refused makes a stranger; that is merely wanted does not', async () => {
    const refused = slapdSaid('starttls-refused');
    const demanding = await answering(refused);
    expect(await ask(demanding.port, { mode: 'starttls' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'LDAP that refuses StartTLS: protocolError (2): unsupported extended operation',
    });
    const wanting = await answering(refused, slapdSaid('root-dse').slice(1));
    expect(await ask(wanting.port, { issuer: 'CN=x' })).toMatchObject({ kind: 'answered', depth: 'protocol' });
  });

  it('that stalls after its agreement ends at the deadline', async () => {
    const peer = await answering(slapdSaid('starttls'));
    expect(await ask(peer.port, { mode: 'starttls' }, { deadlineMs: 500 })).toMatchObject({
      kind: 'stranger',
      came: 'silence',
    });
  });

  it('that stalls in the middle of the handshake ends at the deadline', async () => {
    // The beginning of a ServerHello record, and no more.
    const peer = await keep(
      tcpPeer((socket) => {
        socket.once('data', (request: Buffer) => {
          socket.write(withId(result(0, '', OPERATION.extendedResponse), parseRequest(request).id));
          socket.once('data', () => socket.write(Uint8Array.of(0x16, 3, 3, 0, 90, 2, 0)));
        });
      }),
    );
    expect(await ask(peer.port, { mode: 'starttls' }, { deadlineMs: 500 })).toMatchObject({ kind: 'stranger' });
  });

  it('is not believed where plain text follows the agreement', async () => {
    const peer = await answering([...slapdSaid('starttls'), ...slapdSaid('root-dse')]);
    expect(await ask(peer.port, { mode: 'starttls' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'plain text where TLS was agreed on',
    });
  });
});

describe('the stand-in', () => {
  it('is a server to ldapts', async () => {
    const peer = await keep(standInAt(module.standIn));
    const client = new Client({ url: `ldap://127.0.0.1:${peer.port}`, timeout: 5000 });
    try {
      await client.startTLS({ rejectUnauthorized: false });
      const { searchEntries } = await client.search('', { scope: 'base', attributes: ['supportedLDAPVersion'] });
      expect(searchEntries).toMatchObject([{ dn: '', supportedLDAPVersion: '3' }]);
      await expect(client.bind('cn=x', 'y')).rejects.toMatchObject({ code: 49 });
      await expect(client.search('dc=x', { scope: 'base' })).rejects.toMatchObject({ code: 32 });
    } finally {
      await client.unbind();
    }
  });

  it('is a server to ldapsearch and ldapwhoami', async (ctx) => {
    requireServer(ctx, 'ldapsearch', 'ldap-utils');
    const peer = await keep(standInAt(module.standIn));
    const url = `ldap://127.0.0.1:${peer.port}`;
    const said = await run('ldapsearch', ['-x', '-H', url, '-ZZ', '-b', '', '-s', 'base', '-LLL', '+']);
    expect(said).toContain('vendorName: linecheck stand-in');
    expect(await run('ldapwhoami', ['-x', '-H', url, '-D', 'cn=x', '-w', 'y'])).toContain('Invalid credentials (49)');
  });
});

/** Standard output and standard error, whatever the exit code. */
function run(file: string, words: readonly string[]): Promise<string> {
  const env = { ...withSystemPath(), LDAPTLS_REQCERT: 'never' };
  return new Promise((resolve) => {
    execFile(file, [...words], { env }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

describe('real servers', () => {
  const credentials = { 'bind-dn': READER.dn, password: 'reader' };
  const secretsFor = (ca: string, password: string = READER.password): Record<string, string> => ({
    'site-ca': readFileSync(ca, 'latin1'),
    reader: password,
  });

  it('slapd answers over IPv4 and IPv6; 100 visits leave no bind and no error in its log', async (ctx) => {
    requireServer(ctx, 'slapd', 'slapd');
    const server = await keep(slapd({ addresses: ['127.0.0.1', '::1'] }));
    for (let visit = 0; visit < 50; visit += 1) {
      for (const family of [4, 6] as const) {
        expect(await ask(server.port, { base: BASE }, { family })).toMatchObject({
          kind: 'answered',
          depth: 'protocol',
          facts: { ldapVersions: ['3'], namingContexts: [BASE], startTls: 'not offered', base: 'found' },
        });
      }
    }
    await expect.poll(() => server.logs().match(/ UNBIND$/gm)?.length, { timeout: 10_000 }).toBe(100);
    expect(server.logs()).not.toMatch(/ BIND |connection lost|err=[1-9]/);
  });

  it('slapd that lets nobody ask without a login answers all the same, and to one with a login in full', async (ctx) => {
    requireServer(ctx, 'slapd', 'slapd');
    const server = await keep(slapd({ anonymous: 'refused' }));
    expect(await ask(server.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { rootDse: 'unwillingToPerform (53): authentication required' },
    });
    const secrets = { reader: READER.password };
    expect(
      await ask(server.port, { mode: 'plain', base: BASE, ...credentials }, { secrets, login: true }),
    ).toMatchObject({ kind: 'answered', depth: 'service', facts: { login: 'accepted', namingContexts: [BASE] } });
  });

  it('slapd refuses a wrong password once', async (ctx) => {
    requireServer(ctx, 'slapd', 'slapd');
    const server = await keep(slapd());
    const secrets = { reader: 'wrong-password' };
    expect(await ask(server.port, { mode: 'plain', ...credentials }, { secrets, login: true })).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: 'LDAP bind, invalidCredentials (49)',
    });
    await expect.poll(() => server.logs(), { timeout: 10_000 }).toContain('UNBIND');
    expect(server.logs().match(/ BIND dn=/g)).toHaveLength(1);
    expect(server.logs()).not.toContain('SRCH');
  });

  it('slapd with StartTLS shows its certificate, and takes a login that the site’s CA vouches for', async (ctx) => {
    requireServer(ctx, 'slapd', 'slapd');
    const server = await keep(slapd({ tls: 'starttls' }));
    const secrets = secretsFor(server.certificates.ca);
    const tls = { startTls: 'completed', issuer: 'CN=Lab CA, O=linecheck lab', daysLeft: 1 };
    expect(await ask(server.port)).toMatchObject({ kind: 'answered', facts: { startTls: 'offered' } });
    expect(await ask(server.port, { mode: 'starttls' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { ...tls, trusted: false, namingContexts: [BASE] },
    });
    expect(await ask(server.port, { ca: 'site-ca', ...credentials }, { secrets, login: true })).toMatchObject({
      kind: 'answered',
      depth: 'service',
      facts: { ...tls, trusted: true, login: 'accepted' },
    });
    const otherName = { ca: 'site-ca', servername: 'other.example', ...credentials };
    expect(await ask(server.port, otherName, { secrets, login: true })).toMatchObject({ depth: 'service' });
  });

  it('slapd with LDAPS is asked in TLS, and is a stranger to plain LDAP', async (ctx) => {
    requireServer(ctx, 'slapd', 'slapd');
    const server = await keep(slapd({ tls: 'ldaps', addresses: ['127.0.0.1', '::1'] }));
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, { mode: 'ldaps' }, { family })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { tlsVersion: 'TLSv1.3', subject: 'CN=127.0.0.1, O=linecheck lab', namingContexts: [BASE] },
      });
    }
    expect(await ask(server.port)).toMatchObject({ kind: 'stranger' });
  });

  it('slapd without TLS is a stranger to LDAPS, and to StartTLS that is demanded', async (ctx) => {
    requireServer(ctx, 'slapd', 'slapd');
    const server = await keep(slapd());
    expect(await ask(server.port, { mode: 'ldaps' })).toMatchObject({ kind: 'stranger' });
    expect(await ask(server.port, { mode: 'starttls' })).toMatchObject({
      kind: 'stranger',
      detail: 'LDAP that refuses StartTLS: protocolError (2): unsupported extended operation',
    });
  });

  it.for([
    ['starttls', 'protocol'],
    ['ldaps', 'secure'],
  ] as const)(
    'slapd that demands a client certificate (%s) closes without a word, takes a good one, refuses another’s',
    async ([tls, depth], ctx) => {
      requireServer(ctx, 'slapd', 'slapd');
      const server = await keep(slapd({ tls, verifyClient: true }));
      const others = await makeCertificates(['other.example']);
      closing.push(() => {
        others.remove();
        return Promise.resolve();
      });
      const show = (cert: string, key: string): Promise<Outcome> =>
        ask(
          server.port,
          { mode: tls, 'client-cert': 'cert', 'client-key': 'key' },
          { secrets: { cert: readFileSync(cert, 'latin1'), key: readFileSync(key, 'latin1') } },
        );
      expect(await ask(server.port, { mode: tls })).toMatchObject({
        kind: 'answered',
        depth,
        facts: {
          clientCertificate: 'probably demanded',
          afterHandshake: expect.stringMatching(/close|reset/) as string,
        },
      });
      expect(await show(server.certificates.clientCert, server.certificates.clientKey)).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { clientCertificate: 'requested', namingContexts: [BASE] },
      });
      expect(await show(others.clientCert, others.clientKey)).toMatchObject({
        kind: 'stranger',
        detail: 'the end of the connection after the client certificate that was asked for',
        facts: { clientCertificate: 'probably refused' },
      });
    },
  );

  it('a demand for a client certificate that comes as an alert is told as one', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const server = await keep(stunnel());
    expect(await ask(server.port, { mode: 'ldaps' })).toMatchObject({
      kind: 'answered',
      depth: 'secure',
      facts: { alert: 'certificate_required', clientCertificate: 'demanded' },
    });
  });

  it('where slapd was, it is refused', async (ctx) => {
    requireServer(ctx, 'slapd', 'slapd');
    const server = await slapd({ addresses: ['127.0.0.1', '::1'] });
    await server.stop();
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, {}, { family })).toMatchObject({ kind: 'refused', signal: 'refused' });
    }
  });

  it('sshd is a stranger', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await keep(sshd());
    expect(await ask(server.port)).toMatchObject({
      kind: 'stranger',
      detail: expect.stringContaining('an SSH identification') as string,
    });
  });
});

describeConformance(module, { name: 'ldap', carrier: 'tcp' });
describeConformance(module, {
  name: 'ldap with StartTLS',
  carrier: 'tcp',
  options: { mode: 'starttls' },
  answersEarly: true,
});
describeConformance(module, {
  name: 'ldap with a login',
  carrier: 'tcp',
  options: { mode: 'plain', 'bind-dn': 'cn=tech', password: 'tech' },
  secrets: { tech: 'a-password-of-the-site' },
  login: true,
  healthy: { kind: 'turned-away' },
});
const implicit: StandIn = { carrier: 'tcp', session: (stream, stage) => serve(stream, stage, true) };
describeConformance(
  { probe, standIn: implicit },
  { name: 'ldap with TLS from the start', carrier: 'tcp', options: { mode: 'ldaps' }, answersEarly: true },
);
