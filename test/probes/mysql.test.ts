// The `mysql` probe: its bytes against captures and the documentation's examples, how it ends every handshake, logins,
// TLS, and MariaDB, which must not count it among those who broke off.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/mysql/packet.js';
import {
  answerWithoutPassword,
  cachingSha2Answer,
  encodeGreeting,
  encodeLogin,
  encodePacket,
  encodeRefusal,
  encodeTlsRequest,
  nativeAnswer,
  parseAnswer,
  parseGreeting,
  parseLogin,
  parseRefusal,
  readPayloadSize,
  type ClientPacket,
} from '../../probes/mysql/packet.js';
import * as module from '../../probes/mysql/probe.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { openLab } from '../lab/lab.js';
import { linecheck, requireLinecheck } from '../lab/linecheck.js';
import { temporaryFolder, withSystemPath } from '../lab/place.js';
import { requireServer } from '../lab/requirements.js';
import { sshd } from '../lab/servers.js';
import { mariadb } from '../lab/servers/mariadb.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, closedPort, standInAt, tcpPeer, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const { probe } = module;
const captured = (name: string): Uint8Array => vector(`mysql/${name}.hex`);
const payloadOf = (name: string): Uint8Array => captured(name).subarray(4);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (words: string): Uint8Array => Uint8Array.from(Buffer.from(words, 'latin1'));

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

async function ask(port: number, options: Record<string, unknown> = {}, setting: Setting = {}): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  const { outcome } = await askOnce(bound, port, { deadlineMs: 20_000, ...setting });
  if (outcome.kind === 'answered') expect(bound.traits.depths).toContain(outcome.depth);
  return outcome;
}

const credentials = { user: 'name', password: 'word' };
const login = { login: true, secrets: { name: 'tech', word: 'tech-password' } };

describe('a greeting', () => {
  const CAPABILITIES_OF_5_5 = [
    ...['LONG_PASSWORD', 'FOUND_ROWS', 'LONG_FLAG', 'CONNECT_WITH_DB', 'NO_SCHEMA', 'COMPRESS', 'ODBC', 'LOCAL_FILES'],
    ...['IGNORE_SPACE', 'PROTOCOL_41', 'INTERACTIVE', 'IGNORE_SIGPIPE', 'TRANSACTIONS', 'SECURE_CONNECTION'],
  ];

  it.each([
    ['documented-5.5.2-greeting', '5.5.2-m2', 11, undefined, hex(text('dvH@I-CJ*4d|cZwk4^]:'))],
    ['documented-5.6.4-greeting', '5.6.4-m7-log', 2646, 'mysql_native_password', hex(text('RB3vz&Gr+yD&/ZZ305ZG'))],
    ['mysql-8.0.42-greeting', '8.0.42', 51, 'caching_sha2_password', '5d2e754d7f1e420f566c16157b481844482f4c05'],
  ])('%s is read', (name, version, connectionId, plugin, nonce) => {
    const greeting = parseGreeting(payloadOf(name));
    expect(greeting).toMatchObject({ kind: 'greeting', version, connectionId });
    if (greeting.kind !== 'greeting') return;
    expect(greeting.plugin).toBe(plugin);
    expect(hex(greeting.nonce)).toBe(nonce);
  });

  it('tells what the server can', () => {
    expect(parseGreeting(payloadOf('documented-5.5.2-greeting'))).toMatchObject({ capabilities: CAPABILITIES_OF_5_5 });
    const offersTls = (name: string): boolean => {
      const greeting = parseGreeting(payloadOf(name));
      return greeting.kind === 'greeting' && greeting.capabilities.includes('SSL');
    };
    expect(offersTls('mariadb-10.11.19-greeting')).toBe(false);
    expect(offersTls('mariadb-10.11.19-greeting-tls')).toBe(true);
    expect(offersTls('mysql-8.0.42-greeting')).toBe(true);
  });

  it('of a server of before 4.1 ends with its capabilities', () => {
    const old = Uint8Array.from([10, ...text('3.23.58\0'), 7, 0, 0, 0, ...text('12345678\0'), 0x2c, 0]);
    expect(parseGreeting(old)).toEqual({
      kind: 'greeting',
      version: '3.23.58',
      connectionId: 7,
      capabilities: ['LONG_FLAG', 'CONNECT_WITH_DB', 'COMPRESS'],
      nonce: text('12345678'),
    });
  });

  it('of another protocol, without a version, or with half a nonce is none', () => {
    const good = payloadOf('mariadb-10.11.19-greeting');
    expect(() => parseGreeting(good.with(0, 9))).toThrow('no MySQL greeting of protocol 10');
    expect(() => parseGreeting(Uint8Array.from([10, ...text('x\0')]))).toThrow('without a version');
    expect(() => parseGreeting(good.subarray(0, 70))).toThrow('a nonce of');
  });

  it('may be a refusal', () => {
    expect(parseGreeting(payloadOf('mariadb-10.11.19-not-allowed'))).toEqual({
      kind: 'refusal',
      code: 1130,
      message: "Host 'tech.lab.example' is not allowed to connect to this MariaDB server",
    });
    expect(parseGreeting(payloadOf('mariadb-10.11.19-too-many-connections'))).toMatchObject({ code: 1040 });
    expect(parseRefusal(payloadOf('documented-error'))).toEqual({
      kind: 'refusal',
      code: 1096,
      state: 'HY000',
      message: 'No tables used',
    });
  });

  it.each([
    [500, 'a message'],
    [10_000, 'a message'],
    [1045, 'no'],
    [1045, 'a\x01message'],
  ])('is no refusal with code %i and words %j', (code, message) => {
    expect(() => parseRefusal(encodeRefusal(0, { code, message }).subarray(4))).toThrow('no MySQL error');
  });
});

describe('a login', () => {
  it.each([
    ['documented-5.5.2-login', 'root', undefined, 0],
    ['documented-5.6.6-login', 'root', 'mysql_native_password', 6],
    ['mariadb-client-10.11.19-login', 'tech', 'mysql_native_password', 7],
    ['mariadb-client-10.11.19-login-sha2', 'tech', 'caching_sha2_password', 7],
  ])('of another client is read: %s', (name, user, plugin, attributes) => {
    const read = parseLogin(payloadOf(name));
    expect(read).toMatchObject({ kind: 'login', user, ...(plugin === undefined ? {} : { plugin }) });
    expect(read.kind === 'login' && read.attributes.length).toBe(attributes);
  });

  it('begins as a request for TLS does', () => {
    expect(parseLogin(payloadOf('documented-tls-request'))).toEqual({ kind: 'tls-request' });
    expect(parseLogin(payloadOf('mariadb-client-10.11.19-tls-request'))).toEqual({ kind: 'tls-request' });
    expect(encodeTlsRequest(1, ['PROTOCOL_41', 'SSL'])).toHaveLength(captured('documented-tls-request').length);
  });

  it('is written as it is read', () => {
    const written = {
      capabilities: ['LONG_PASSWORD', 'PROTOCOL_41', 'SECURE_CONNECTION', 'PLUGIN_AUTH', 'CONNECT_ATTRS'] as const,
      user: text('tech'),
      answer: Uint8Array.of(1, 2, 3),
      plugin: 'mysql_native_password',
      attributes: { program_name: 'linecheck', nonce: '0001' },
    };
    expect(parseLogin(encodeLogin(1, written).subarray(4))).toEqual({
      kind: 'login',
      ...written,
      user: 'tech',
      attributes: Object.entries(written.attributes),
    });
  });

  it('hashes the password with the nonce as MariaDB’s client does', () => {
    const password = text('tech-password');
    const nonceOf = (name: string): Uint8Array => {
      const greeting = parseGreeting(payloadOf(name));
      return greeting.kind === 'greeting' ? greeting.nonce : new Uint8Array(0);
    };
    const answerOf = (name: string): string => {
      const read = parseLogin(payloadOf(name));
      return hex(read.kind === 'login' ? read.answer : new Uint8Array(0));
    };
    const native = nativeAnswer(password, nonceOf('mariadb-10.11.19-greeting-tls'));
    expect(hex(native)).toBe(answerOf('mariadb-client-10.11.19-login'));
    const sha2 = cachingSha2Answer(password, nonceOf('mysql-8.0.42-greeting'));
    expect(hex(sha2)).toBe(answerOf('mariadb-client-10.11.19-login-sha2'));
    const asked = parseAnswer(payloadOf('mariadb-10.11.19-switch-native'));
    expect(asked).toMatchObject({ kind: 'switch', plugin: 'mysql_native_password' });
    const again = nativeAnswer(password, asked.kind === 'switch' ? asked.nonce : password);
    expect(hex(again)).toBe(hex(payloadOf('mariadb-client-10.11.19-switched')));
  });
});

describe('an answer to a login', () => {
  it.each([
    ['mariadb-10.11.19-accepted', { kind: 'accepted' }],
    ['mariadb-10.11.19-access-denied', { kind: 'refusal', code: 1045, state: '28000' }],
    ['documented-switch', { kind: 'switch', plugin: 'mysql_native_password', nonce: text('zQg4i6oNy6=rHN/>-b)A') }],
    ['mariadb-10.11.19-switch-ed25519', { kind: 'switch', plugin: 'client_ed25519' }],
    ['mariadb-10.11.19-switch-dialog', { kind: 'switch', plugin: 'dialog', nonce: new Uint8Array(0) }],
    ['mariadb-10.11.19-dialog-question', { kind: 'more', bytes: text('\x04Password: ') }],
  ])('%s is read', (name, expected) => {
    expect(parseAnswer(payloadOf(name))).toMatchObject(expected);
  });

  it('may be that of a server of before 4.1, or a plugin’s own bytes behind a 1', () => {
    expect(parseAnswer(Uint8Array.of(0xfe))).toMatchObject({ kind: 'switch', plugin: 'mysql_old_password' });
    expect(parseAnswer(Uint8Array.of(1, 4))).toEqual({ kind: 'more', bytes: Uint8Array.of(4) });
  });
});

interface Replaying extends Peer {
  /** What came, payload by payload: the first is a login. */
  readonly heard: Uint8Array[];
  first(): ClientPacket;
}

/** Greets, then says one of `payloads` to each packet, numbered as it must be; after the last it closes. */
async function replaying(greeting: Uint8Array, ...payloads: readonly Uint8Array[]): Promise<Replaying> {
  const heard: Uint8Array[] = [];
  const peer = await keep(
    tcpPeer((socket) => {
      const left = [...payloads];
      let unread = Buffer.alloc(0);
      socket.write(greeting);
      socket.on('data', (chunk: Buffer) => {
        unread = Buffer.concat([unread, chunk]);
        while (unread.length >= 4 && unread.length >= 4 + unread.readUIntLE(0, 3)) {
          const size = unread.readUIntLE(0, 3);
          heard.push(Uint8Array.from(unread.subarray(4, 4 + size)));
          const next = (unread[3] ?? 0) + 1;
          unread = unread.subarray(4 + size);
          const payload = left.shift();
          if (payload !== undefined) socket.write(encodePacket(next, payload));
          if (left.length === 0) socket.end();
        }
      });
    }),
  );
  return { ...peer, heard, first: () => parseLogin(heard[0] ?? new Uint8Array(0)) };
}

const GREETING = captured('mariadb-10.11.19-greeting');
const SHA2 = captured('mysql-8.0.42-greeting');
const DENIED = payloadOf('mariadb-10.11.19-access-denied');
const ACCEPTED = payloadOf('mariadb-10.11.19-accepted');
const QUIT = Uint8Array.of(1);

describe('the mysql probe', () => {
  it('logs in as linecheck without a password, and takes the refusal for an answer', async () => {
    const peer = await replaying(GREETING, DENIED);
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        version: '10.11.19-MariaDB-0+deb12u1',
        authPlugin: 'mysql_native_password',
        capabilities: expect.arrayContaining(['PROTOCOL_41', 'PLUGIN_AUTH', 'CONNECT_ATTRS']) as string[],
        tls: 'not offered',
        loginWithoutPassword: "1045 (28000): Access denied for user 'tech'@'tech.lab.example' (using password: YES)",
      },
    });
    expect(peer.heard).toHaveLength(1);
    expect(peer.first()).toMatchObject({
      user: 'linecheck',
      answer: new Uint8Array(0),
      attributes: [
        ['program_name', 'linecheck'],
        ['nonce', expect.stringMatching(/^[0-9a-f]{16}$/) as string],
      ],
    });
  });

  it('says so where nobody is asked for a password, and says goodbye', async () => {
    const peer = await replaying(GREETING, ACCEPTED, new Uint8Array(0));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { loginWithoutPassword: 'accepted' },
    });
    await expect.poll(() => peer.heard).toHaveLength(2);
    expect(peer.heard[1]).toEqual(QUIT);
  });

  it('speaks to servers that know no plugins and no attributes', async () => {
    const peer = await replaying(captured('documented-5.5.2-greeting'), payloadOf('documented-error'));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'answered',
      facts: { version: '5.5.2-m2', loginWithoutPassword: '1096 (HY000): No tables used' },
    });
    const first = peer.first();
    expect(first).toMatchObject({ user: 'linecheck', attributes: [] });
    expect(first).not.toHaveProperty('plugin');
  });

  it.each([
    ['switch-native', 'mysql_native_password', 0],
    ['switch-ed25519', 'client_ed25519', 64],
    ['switch-dialog', 'dialog', 1],
  ] as const)('answers %s too, in as many bytes as its plugin waits for', async (name, plugin, size) => {
    const peer = await replaying(GREETING, payloadOf(`mariadb-10.11.19-${name}`), DENIED);
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(peer.heard[1]).toEqual(new Uint8Array(size));
    expect(answerWithoutPassword(plugin)).toHaveLength(size);
  });

  it('answers every question of a plugin, up to a limit', async () => {
    const question = payloadOf('mariadb-10.11.19-dialog-question');
    const some = await replaying(GREETING, payloadOf('mariadb-10.11.19-switch-dialog'), question, question, DENIED);
    expect(await ask(some.port)).toMatchObject({ kind: 'answered' });
    expect(some.heard).toHaveLength(4);
    const endless = await replaying(GREETING, ...Array.from({ length: 20 }, () => question));
    expect(await ask(endless.port)).toMatchObject({ kind: 'stranger', detail: 'a MySQL handshake without end' });
  });

  it.each([
    ['blocked', '1129: Host '],
    ['not-allowed', '1130: Host '],
  ])('is turned away by a server that refuses its address: %s', async (name, words) => {
    const peer = await keep(tcpPeer((socket) => socket.end(captured(`mariadb-10.11.19-${name}`))));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'turned-away',
      presented: 'client',
      by: expect.stringContaining(words) as string,
    });
  });

  it('is turned away by one that refuses its address after the login', async () => {
    const peer = await replaying(GREETING, payloadOf('mariadb-10.11.19-not-allowed'));
    expect(await ask(peer.port)).toMatchObject({ kind: 'turned-away', presented: 'client' });
  });

  it('takes a full server for an answer', async () => {
    const peer = await keep(tcpPeer((socket) => socket.end(captured('mariadb-10.11.19-too-many-connections'))));
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { refusal: '1040: Too many connections' },
    });
  });

  it('takes no answer with another number than is due', async () => {
    const peer = await keep(
      tcpPeer((socket) => {
        socket.write(GREETING);
        socket.once('data', () => socket.write(encodePacket(7, DENIED)));
      }),
    );
    expect(await ask(peer.port)).toMatchObject({ kind: 'stranger', detail: 'MySQL packet 7 where 2 belongs' });
  });

  it.each([
    [
      'a server of before 4.1',
      Uint8Array.from([0x18, 0, 0, 0, 10, ...text('3.23.58\0'), 7, 0, 0, 0, ...text('12345678\0'), 0x2c, 0]),
      'before 4.1',
    ],
    [
      'a greeting of protocol 9',
      Uint8Array.from([0x14, 0, 0, 0, 9, ...text('3.20.0\0'), 7, 0, 0, 0, ...text('12345678\0')]),
      'bytes beginning',
    ],
    ['a query’s answer', Uint8Array.from([7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]), 'bytes beginning'],
    ['a PostgreSQL error', text('E\0\0\0\x2fSFATAL\0C0A000\0Munsupported frontend\0\0'), 'bytes beginning "E'],
    ['an SSH identification', text('SSH-2.0-OpenSSH_9.2\r\n'), 'an SSH identification'],
  ])('calls %s a stranger', async (_, bytes, words) => {
    const peer = await keep(tcpPeer((socket) => void socket.write(bytes)));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining(words) as string,
    });
  });
});

describe('options', () => {
  it.each([
    [{ user: 'name' }, 'go together'],
    [{ password: 'word' }, 'go together'],
    [{ tls: false, ca: 'site-ca' }, 'nothing to verify'],
    [{ 'client-key': 'key' }, 'client-cert'],
    [{ mode: 'plain' }, 'mode'],
  ])('refuse %j', (given, words) => {
    expect(probe.options.safeParse(given).error?.message).toContain(words);
  });

  it('decide how deep an answer may go, and what is sent', () => {
    const depths = (given: unknown): readonly string[] => probe.bind('tcp', probe.options.parse(given)).traits.depths;
    expect(depths({})).toEqual(['port', 'secure', 'protocol']);
    expect(depths({ tls: false })).toEqual(['port', 'protocol']);
    expect(depths({ tls: false, ...credentials })).toEqual(['port', 'protocol', 'service']);
    expect(JSON.stringify(probe.bind('tcp', { tls: false }).traits.sends)).not.toContain('TLS');
  });
});

describe('a login with credentials', () => {
  it('is not tried without --login', async () => {
    const peer = await replaying(GREETING, DENIED);
    expect(await ask(peer.port, credentials, { secrets: login.secrets })).toMatchObject({ kind: 'answered' });
    expect(peer.first()).toMatchObject({ user: 'linecheck' });
  });

  it.each([
    [GREETING, 'mysql_native_password', 20],
    [SHA2, 'caching_sha2_password', 32],
  ])('hashes the password, and proves the service: %#', async (greeting, plugin, size) => {
    const peer = await replaying(greeting, ACCEPTED, new Uint8Array(0));
    expect(await ask(peer.port, { tls: false, ...credentials }, login)).toMatchObject({
      kind: 'answered',
      depth: 'service',
      facts: { login: 'accepted' },
    });
    const first = peer.first();
    expect(first).toMatchObject({ user: 'tech', plugin });
    expect(first.kind === 'login' && first.answer.length).toBe(size);
    await expect.poll(() => peer.heard.at(-1)).toEqual(QUIT);
  });

  it('waits for the acceptance that caching_sha2_password announces', async () => {
    const heard: Buffer[] = [];
    const peer = await keep(
      tcpPeer((socket) => {
        socket.write(SHA2);
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.once('data', () => {
          socket.write(encodePacket(2, Uint8Array.of(1, 3)));
          socket.write(encodePacket(3, ACCEPTED));
        });
      }),
    );
    expect(await ask(peer.port, { tls: false, ...credentials }, login)).toMatchObject({ depth: 'service' });
  });

  it('that is refused is denied, once', async () => {
    const peer = await replaying(GREETING, DENIED);
    expect(await ask(peer.port, credentials, login)).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: expect.stringMatching(/^1045 \(28000\): Access denied/) as string,
    });
    expect(peer.heard).toHaveLength(1);
  });

  it('that fails for another reason than the credentials is an answer', async () => {
    const full = encodeRefusal(0, { code: 1203, state: '42000', message: 'User already has more than 3 connections' });
    const peer = await replaying(GREETING, full.subarray(4));
    expect(await ask(peer.port, credentials, login)).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { login: '1203 (42000): User already has more than 3 connections' },
    });
  });

  const clear = text('\xfemysql_clear_password\0');
  it.each([
    [
      'caching_sha2_password that wants it',
      SHA2,
      Uint8Array.of(1, 4),
      'caching_sha2_password wants the password itself',
    ],
    ['mysql_clear_password', GREETING, clear, 'mysql_clear_password wants the password itself'],
    [
      'a plugin that is not spoken',
      GREETING,
      payloadOf('mariadb-10.11.19-switch-ed25519'),
      'the server wants client_ed25519',
    ],
    ['a plugin that asks for more', GREETING, Uint8Array.of(1, 9, 9), 'mysql_native_password asks for more'],
  ])('shows no password to %s, says so, and still ends the handshake', async (_, greeting, asked, obstacle) => {
    const peer = await replaying(greeting, asked, DENIED);
    expect(await ask(peer.port, { tls: false, ...credentials }, login)).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        login: expect.stringContaining(`not tried: ${obstacle}`) as string,
        loginWithoutPassword: expect.stringContaining('1045') as string,
      },
    });
    expect(peer.heard).toHaveLength(2);
    expect(Buffer.concat(peer.heard).toString('latin1')).not.toContain('tech-password');
  });

  it('is not tried where the server does not show the certificate that the site names', async () => {
    const peer = await keep(standInAt(module.standIn));
    const shown = await ask(peer.port, { tls: true });
    const pin = shown.kind === 'answered' ? shown.facts['pin'] : undefined;
    const others = 'tpZjunAdgq2MkS3MxW8mY0TW9BET+aGYIjSeenbQD/M=';
    const without = await replaying(GREETING, DENIED);
    for (const [port, options] of [
      [peer.port, { pin: others }],
      [peer.port, { issuer: 'CN=Lab CA' }],
      [without.port, { pin: others }],
    ] as const) {
      expect(await ask(port, { ...credentials, ...options }, login)).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: {
          login: 'not tried: the server does not show the certificate that ca, pin or issuer ask for',
          loginWithoutPassword: expect.stringContaining('1045') as string,
        },
      });
    }
    expect(without.first()).toMatchObject({ user: 'linecheck' });
    expect(await ask(peer.port, { ...credentials, pin }, login)).toMatchObject({ kind: 'turned-away' });
  });

  it('with an empty password is none', async () => {
    const peer = await replaying(GREETING, DENIED);
    const secrets = { name: 'tech', word: '' };
    expect(await ask(peer.port, credentials, { login: true, secrets })).toMatchObject({
      kind: 'answered',
      facts: { login: 'not tried: the password is empty' },
    });
    expect(peer.first()).toMatchObject({ user: 'linecheck' });
  });
});

describe('TLS', () => {
  it('is completed where it is wanted, before anybody logs in', async () => {
    const peer = await keep(standInAt(module.standIn));
    for (const options of [{ tls: true }, { issuer: 'CN=x' }]) {
      expect(await ask(peer.port, options)).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { tls: 'completed', tlsVersion: 'TLSv1.3', subject: 'CN=stand-in.linecheck.invalid' },
      });
    }
    expect(await ask(peer.port)).toMatchObject({ facts: { tls: 'offered' } });
  });

  it('that is demanded and not offered makes a stranger, whose handshake is ended all the same', async () => {
    const peer = await replaying(GREETING, DENIED);
    expect(await ask(peer.port, { tls: true, ...credentials }, login)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'MySQL that does not offer TLS',
    });
    expect(peer.first()).toMatchObject({ user: 'linecheck' });
    const wanting = await replaying(GREETING, DENIED);
    expect(await ask(wanting.port, { issuer: 'CN=x' })).toMatchObject({ kind: 'answered' });
  });

  it('is not believed where plain text follows the greeting', async () => {
    const peer = await keep(tcpPeer((socket) => void socket.write(Buffer.concat([SHA2, encodePacket(2, DENIED)]))));
    expect(await ask(peer.port, { tls: true })).toMatchObject({
      kind: 'stranger',
      detail: 'plain text where TLS was agreed on',
    });
  });

  it('that stalls ends at the deadline', async () => {
    const peer = await keep(tcpPeer((socket) => void socket.write(SHA2)));
    expect(await ask(peer.port, { tls: true }, { deadlineMs: 500 })).toMatchObject({
      kind: 'stranger',
      came: 'silence',
    });
  });
});

/** Standard output and standard error of MariaDB's own client, whatever its exit code. */
function client(port: number, words: readonly string[]): Promise<string> {
  const all = [
    '--no-defaults',
    '--host=127.0.0.1',
    `--port=${port}`,
    '--connect-timeout=5',
    ...words,
    '--execute=SELECT 1',
  ];
  return new Promise((resolve) => {
    execFile('mariadb', all, { env: withSystemPath(), timeout: 10_000 }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

describe('the stand-in', () => {
  it('greets as it is read', () => {
    const greeting = {
      version: '8.0.0',
      connectionId: 9,
      capabilities: ['PROTOCOL_41', 'SECURE_CONNECTION', 'PLUGIN_AUTH'] as const,
      nonce: text('abcdefghijklmnopqrst'),
      plugin: 'mysql_native_password',
    };
    const bytes = encodeGreeting(greeting);
    expect(readPayloadSize(bytes)).toBe(bytes.length - 4);
    expect(parseGreeting(bytes.subarray(4))).toEqual({ kind: 'greeting', ...greeting });
  });

  it('is a server to MariaDB’s client, in the clear and in TLS', async (ctx) => {
    requireServer(ctx, 'mariadb', 'mariadb-server');
    const peer = await keep(standInAt(module.standIn));
    const denied = 'ERROR 1045 (28000): Access denied: nobody can log in to a linecheck stand-in';
    expect(await client(peer.port, ['--user=tech', '--skip-ssl'])).toContain(denied);
    expect(await client(peer.port, ['--user=tech', '--password=x', '--ssl'])).toContain(denied);
  });
});

describe('real servers', () => {
  const user = "CREATE USER tech@'%' IDENTIFIED BY 'tech-password'";

  it('MariaDB answers over IPv4 and IPv6, and refuses nothing that was presented', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const server = await keep(mariadb({ addresses: ['127.0.0.1', '::1'], users: [user] }));
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, {}, { family })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: {
          version: expect.stringMatching(/^1\d\.\d+\.\d+-MariaDB/) as string,
          authPlugin: 'mysql_native_password',
          tls: 'not offered',
          loginWithoutPassword: expect.stringMatching(/^1045 \(28000\): Access denied for user 'linecheck'@/) as string,
        },
      });
    }
    expect(await server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_c%'")).toMatch(/^Aborted_clients\t0\n.*\n.*_preauth\t0$/);
  });

  it('MariaDB takes a login, refuses a wrong one, and locks no account', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const server = await keep(mariadb({ users: [user, 'SET GLOBAL max_password_errors = 2'] }));
    const options = { tls: false, ...credentials };
    expect(await ask(server.port, options, login)).toMatchObject({ depth: 'service', facts: { login: 'accepted' } });
    expect(
      await ask(server.port, options, { login: true, secrets: { ...login.secrets, word: 'wrong' } }),
    ).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: expect.stringMatching(/^1045 \(28000\): Access denied for user 'tech'@/) as string,
    });
    for (let visit = 0; visit < 5; visit += 1) expect(await ask(server.port)).toMatchObject({ kind: 'answered' });
    expect(await ask(server.port, options, login)).toMatchObject({ depth: 'service' });
    expect(await server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_c%'")).toMatch(/^Aborted_clients\t0\n.*\n.*_preauth\t0$/);
  });

  it('MariaDB with TLS shows its certificate, and takes the password itself only where that is vouched for', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const server = await keep(
      mariadb({ tls: true, users: ["CREATE USER tech@'%' IDENTIFIED BY 'tech-password' REQUIRE SSL"] }),
    );
    const secrets = { ...login.secrets, 'site-ca': readFileSync(server.certificates.ca, 'latin1') };
    expect(await ask(server.port)).toMatchObject({ facts: { tls: 'offered' } });
    expect(await ask(server.port, { tls: true, ca: 'site-ca' }, { secrets })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { tls: 'completed', issuer: 'CN=Lab CA, O=linecheck lab', trusted: true, daysLeft: 1 },
    });
    expect(await ask(server.port, credentials, login)).toMatchObject({
      depth: 'service',
      facts: { tls: 'completed', trusted: false, login: 'accepted' },
    });
    expect(await ask(server.port, { tls: false, ...credentials }, login)).toMatchObject({ kind: 'turned-away' });
    expect(await server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_connects_preauth'")).toMatch(/\t0$/);
  });

  it('MariaDB that wants the password itself gets it in TLS to a verified server, and only there', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const extra = ['plugin-load-add = auth_pam', 'pam-use-cleartext-plugin = ON'];
    const server = await keep(mariadb({ tls: true, users: ["CREATE USER tech@'%' IDENTIFIED VIA pam"], extra }));
    const secrets = { ...login.secrets, 'site-ca': readFileSync(server.certificates.ca, 'latin1') };
    expect(await ask(server.port, credentials, login)).toMatchObject({
      kind: 'answered',
      facts: { login: expect.stringMatching(/^not tried: mysql_clear_password wants the password itself/) as string },
    });
    // No user of this machine is called that, so that PAM refuses him.
    expect(await ask(server.port, { ca: 'site-ca', ...credentials }, { login: true, secrets })).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      facts: { tls: 'completed', trusted: true },
    });
    expect(await server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_connects_preauth'")).toMatch(/\t0$/);
  });

  it('MariaDB that authenticates in another way than is spoken is answered to the end', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const server = await keep(
      mariadb({
        users: [
          "CREATE USER tech@'%' IDENTIFIED VIA ed25519 USING PASSWORD('tech-password')",
          "CREATE USER pam@'%' IDENTIFIED VIA pam",
        ],
        extra: ['plugin-load-add = auth_ed25519', 'plugin-load-add = auth_pam'],
      }),
    );
    for (const name of ['tech', 'pam']) {
      expect(await ask(server.port, credentials, { login: true, secrets: { ...login.secrets, name } })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { login: expect.stringMatching(/^not tried: the server wants (client_ed25519|dialog)/) as string },
      });
    }
    expect(await server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_connects_preauth'")).toMatch(/\t0$/);
  });

  it('MariaDB without an account for this host turns us away', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const users = ["DELETE FROM mysql.global_priv WHERE Host IN ('127.0.0.1', '::1')", 'FLUSH PRIVILEGES'];
    const server = await keep(mariadb({ addresses: ['127.0.0.1', '::1'], users, extra: ['skip-name-resolve'] }));
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, {}, { family })).toMatchObject({
        kind: 'turned-away',
        presented: 'client',
        by: expect.stringMatching(/^1130: Host '.*' is not allowed/) as string,
      });
    }
  });

  it('MariaDB that is full answers all the same', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const server = await keep(mariadb({ users: [user], extra: ['max-connections = 10'] }));
    const sockets: Socket[] = [];
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      return Promise.resolve();
    });
    // One more than it says is its administrator's.
    for (let count = 0; count < 11; count += 1) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'data');
    }
    expect(await ask(server.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { refusal: '1040: Too many connections' },
    });
  });

  it('where MariaDB was, it is refused', async (ctx) => {
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const server = await mariadb();
    await server.stop();
    expect(await ask(server.port)).toMatchObject({ kind: 'refused' });
    expect(await ask(await closedPort('tcp', 6), {}, { family: 6 })).toMatchObject({ kind: 'refused' });
  });

  it('sshd is a stranger', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await keep(sshd());
    expect(await ask(server.port)).toMatchObject({
      kind: 'stranger',
      detail: expect.stringContaining('SSH') as string,
    });
  });
});

const VISITS = 50;
const PROFILE = `
linecheck: profile/v1
id: database
title: A database
source: { title: this test }
roles: { tech: { title: Tech }, database: { title: Database } }
flows:
  - { id: sql, title: SQL, from: tech, to: database, tcp: 3306, probe: mysql, required: always, why: w, source: s }
`;

describe('in the lab', () => {
  it('leaves a server that counts broken handshakes as it found it, which a mere look at its greeting does not', async (ctx) => {
    requireLinecheck(ctx);
    requireServer(ctx, 'mariadbd', 'mariadb-server');
    const folder = temporaryFolder();
    const lab = await openLab();
    closing.push(async () => {
      await lab.close();
      folder.remove();
    });
    // As many servers to linecheck as addresses, and one client to the server, by a name for each family.
    const more = Array.from({ length: VISITS - 1 }, (_, index) => `10.3.0.${101 + index}`);
    const more6 = Array.from({ length: VISITS - 1 }, (_, index) => `fd00:3::1:${101 + index}`);
    const added = [...more.map((each) => `${each}/24`), ...more6.map((each) => `${each}/64 nodad`)];
    await lab.exec('server1', ['ip', '-batch', '-'], {
      input: added.map((each) => `address add ${each} dev lan\n`).join(''),
    });
    const server = await mariadb({
      on: lab.place('server1'),
      addresses: ['0.0.0.0', '::'],
      users: ["CREATE USER tech@'%' IDENTIFIED BY 'tech-password'"],
      names: ['10.1.0.2 tech.lab.example', 'fd00:1::2 tech.lab.example'],
      extra: ['max-connect-errors = 10', 'plugin-load-add = auth_ed25519'],
    });
    const hosts = ['10.3.0.11', ...more, 'fd00:3::11', ...more6];
    writeFileSync(join(folder.path, 'profile.yaml'), PROFILE);
    writeFileSync(
      join(folder.path, 'site.yaml'),
      `linecheck: site/v1\nprofiles: [./profile.yaml]\nhere: tech\nhosts: { database: ${JSON.stringify(hosts)} }\n`,
    );
    const visit = async (): Promise<void> => {
      const site = join(folder.path, 'site.yaml');
      const { stdout, stderr } = await lab.exec('tech', [
        process.execPath,
        'bin/linecheck.js',
        'check',
        site,
        '--format',
        'json',
      ]);
      expect(stderr).toBe('');
      const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly verdict: string }[] };
      expect(checks.map(({ verdict }) => verdict)).toEqual(hosts.map(() => 'open'));
    };
    const counted = (): Promise<string> =>
      server.sql(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'ABORTED_CONNECTS_PREAUTH'; " +
          'SELECT IP, HOST, SUM_CONNECT_ERRORS FROM performance_schema.host_cache ORDER BY IP',
      );
    const clean = ['0', '10.1.0.2\ttech.lab.example\t0', 'fd00:1::2\ttech.lab.example\t0'].join('\n');

    await visit();
    expect(await counted()).toBe(clean);
    expect(server.logs().match(/Access denied for user 'linecheck'@'tech.lab.example'/g)).toHaveLength(2 * VISITS);
    // Where most accounts are of another kind, the server pretends that linecheck is one of these.
    const ed25519 = "IDENTIFIED VIA ed25519 USING PASSWORD('tech-password')";
    const others = Array.from({ length: 20 }, (_, index) => `CREATE USER tech${index}@'%' ${ed25519}`);
    await server.sql(["DROP USER tech@'%'", ...others].join('; '));
    await visit();
    expect(await counted()).toBe(clean);
    expect(server.logs()).toContain("Access denied for user 'linecheck'@'tech.lab.example' (using password: YES)");
    expect(server.logs()).not.toContain('Aborted connection');

    const rude =
      "for (let n = 0; n < 12; n += 1) require('node:net').connect(3306, '10.3.0.11', function () { this.once('data', () => this.end()) })";
    await lab.exec('tech', [process.execPath, '-e', rude]);
    await expect.poll(counted, { timeout: 10_000 }).toMatch(/^10\.1\.0\.2\ttech\.lab\.example\t1[0-2]$/m);
    expect(await linecheck(lab, ['probe', 'mysql', '10.3.0.11'])).toMatchObject({
      verdict: 'denied',
      how: 'client',
      summary: expect.stringContaining('1129') as string,
    });
    expect(await linecheck(lab, ['probe', 'mysql', 'fd00:3::11'])).toMatchObject({ verdict: 'open' });
  });
});

const samples = vectorsOf('mysql');
const named = (pattern: RegExp): readonly Uint8Array[] =>
  samples.filter(({ path }) => pattern.test(path)).map(({ bytes }) => bytes.subarray(4));
describeDecoders(packet, {
  readPayloadSize: { decode: readPayloadSize, samples: samples.map(({ bytes }) => bytes.subarray(0, 4)) },
  parseGreeting: { decode: parseGreeting, samples: named(/greeting|not-allowed|blocked|many/) },
  parseAnswer: { decode: parseAnswer, samples: named(/accepted|denied|switch-|switch\.|question|error/) },
  parseRefusal: { decode: parseRefusal, samples: named(/denied|not-allowed|blocked|many|error/) },
  parseLogin: { decode: parseLogin, samples: named(/login|request/) },
});

describeConformance(module, { name: 'mysql', carrier: 'tcp' });
describeConformance(module, { name: 'mysql with TLS', carrier: 'tcp', options: { tls: true } });
describeConformance(module, {
  name: 'mysql with a login',
  carrier: 'tcp',
  options: { tls: false, user: 'name', password: 'word' },
  secrets: { name: 'tech-of-the-site', word: 'a-password-of-the-site' },
  login: true,
  healthy: { kind: 'turned-away' },
});
