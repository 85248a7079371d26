// The tacacs probe: what others captured, what it makes of each kind of server, and another's client against its stand-in.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as module from '../../probes/tacacs/probe.js';
import * as packet from '../../probes/tacacs/packet.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Attempt, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe } from '../../src/contract/probe.js';
import { skipFor } from '../lab/requirements.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, standInAt, tcpPeer, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const {
  HEADER_BYTES,
  encodeContinue,
  encodePacket,
  encodeReply,
  encodeStart,
  obfuscated,
  parseContinue,
  parseHeader,
  parseReply,
  parseStart,
  publishedSecret,
} = packet;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const of = (name: string): Uint8Array => vector(`tacacs/${name}.hex`);
const captures = vectorsOf('tacacs').filter(({ path }) => !path.includes('authorization'));
/** The keys under which the captures were made. */
const keyOf = (path: string): Uint8Array => bytesOf(path.includes('scapy') ? 'test' : 'testing123');
const bodyOf = (bytes: Uint8Array, key: Uint8Array): Uint8Array => {
  const header = parseHeader(bytes);
  const body = bytes.subarray(HEADER_BYTES);
  return header.unencrypted ? body : obfuscated(body, header, key);
};
const bodies = (word: string): readonly Uint8Array[] =>
  captures.filter(({ path }) => path.includes(word)).map(({ path, bytes }) => bodyOf(bytes, keyOf(path)));
const empty = new Uint8Array(0);

describe('a TACACS+ packet', () => {
  it.each(captures.map(({ path, bytes }) => [path, bytes] as const))('comes back from %s', (path, bytes) => {
    const { bodyBytes, ...header } = parseHeader(bytes);
    expect(bodyBytes).toBe(bytes.length - HEADER_BYTES);
    expect(encodePacket(header, bodyOf(bytes, keyOf(path)), keyOf(path))).toEqual(bytes);
  });

  it('tells of a START what others read in it', () => {
    expect(parseStart(bodyOf(of('scapy-start'), bytesOf('test')))).toEqual({
      type: 'ascii',
      user: bytesOf('scapy'),
      port: 'tty2',
      data: empty,
    });
    expect(bodyOf(of('scapy-start'), bytesOf('test'))).toEqual(bodyOf(of('scapy-start-unencrypted'), empty));
    expect(parseStart(bodyOf(of('pam-tacplus-start-pap'), bytesOf('testing123')))).toEqual({
      type: 'pap',
      user: bytesOf('bob'),
      port: 'tapioca/0',
      data: bytesOf('hello'),
    });
  });

  it('tells of a REPLY and a CONTINUE what others read in them', () => {
    expect(parseReply(bodyOf(of('scapy-reply-get-pass'), bytesOf('test')))).toEqual({
      status: 'get-pass',
      noEcho: true,
      message: 'Password: ',
    });
    expect(parseReply(bodyOf(of('pam-tacplus-reply-pass'), bytesOf('testing123')))).toEqual({
      status: 'pass',
      noEcho: false,
      message: '',
    });
    expect(parseContinue(bodyOf(of('scapy-continue-password'), bytesOf('test')))).toEqual({
      abort: false,
      message: bytesOf('password'),
      reason: '',
    });
  });

  it.each([
    ['get-user', { status: 'get-user', noEcho: false, message: 'User Access Verification..Username: ' }],
    ['get-pass', { status: 'get-pass', noEcho: true, message: 'User Access Verification..Password: ' }],
    ['pass', { status: 'pass', noEcho: false, message: '' }],
    ['fail', { status: 'fail', noEcho: false, message: 'Password incorrect..' }],
    ['pap-pass', { status: 'pass', noEcho: false, message: '' }],
    ['other-secret', { status: 'error', noEcho: false, message: 'Illegal packet (version=0xc0 type=0x01)' }],
  ])('tells what tac_plus-ng said: %s', (name, reply) => {
    expect(parseReply(bodyOf(of(`tac-plus-ng-reply-${name}`), bytesOf('testing123')))).toEqual(reply);
  });

  it('is encoded as others do', () => {
    expect(encodeContinue({ abort: false, message: bytesOf('pass'), reason: '' })).toEqual(
      bodyOf(of('scapy-continue-pass'), bytesOf('test')),
    );
    expect(encodeReply({ status: 'get-pass', noEcho: true, message: 'Password: ' })).toEqual(
      bodyOf(of('scapy-reply-get-pass'), bytesOf('test')),
    );
    // RFC 8907 §5.1: login, privilege 1, ASCII, service login; lengths of user, port, remote address, data.
    expect(encodeStart({ type: 'ascii', user: bytesOf('u'), port: 'port', data: empty })).toEqual(
      Uint8Array.from([1, 1, 1, 1, 1, 4, 0, 0, ...bytesOf('uport')]),
    );
    // RFC 8907 §5.3: the flag of an abort is the fifth byte, the reason stands in the data.
    expect(encodeContinue({ abort: true, message: empty, reason: 'why' })).toEqual(
      Uint8Array.from([0, 0, 0, 3, 1, ...bytesOf('why')]),
    );
  });

  it('cannot be read with another key', () => {
    const wrong = bytesOf('another');
    expect(() => parseStart(bodyOf(of('scapy-start'), wrong))).toThrow(ProtocolError);
    expect(() => parseReply(bodyOf(of('scapy-reply-get-pass'), wrong))).toThrow(ProtocolError);
    expect(() => parseReply(bodyOf(of('pam-tacplus-reply-pass'), wrong))).toThrow(ProtocolError);
    expect(() => parseContinue(bodyOf(of('scapy-continue-pass'), wrong))).toThrow(ProtocolError);
  });

  it.each([
    ['of another major version', of('scapy-start').with(0, 0xb0)],
    ['of another minor version', of('scapy-start').with(0, 0xc2)],
    ['of no type', of('scapy-start').with(1, 4)],
    ['of authorization', of('pam-tacplus-authorization-reply')],
    ['without a whole header', of('scapy-start').subarray(0, 11)],
    ['longer than the RFC recommends', of('scapy-start').with(9, 1).with(11, 1)],
  ])('is none when it is %s', (_, bytes) => {
    expect(() => parseHeader(bytes)).toThrow(ProtocolError);
  });
});

describeDecoders(packet, {
  parseHeader: { decode: parseHeader, samples: captures.map(({ bytes }) => bytes) },
  parseStart: { decode: parseStart, samples: bodies('start') },
  parseReply: { decode: parseReply, samples: bodies('reply') },
  parseContinue: { decode: parseContinue, samples: bodies('continue') },
});

const secrets = {
  shared: 'a key of the test',
  user: 'tester of tacacs',
  password: 'correct horse 1',
} as const;
const key = bytesOf(secrets.shared);

function bind(options: object = { secret: 'shared' }): BoundProbe {
  return module.probe.bind('tcp', module.probe.options.parse(options));
}

const loginOptions = { secret: 'shared', user: 'user', password: 'password' } as const;

/** One packet of the client, de-obfuscated. */
interface Asked {
  readonly header: packet.Header;
  readonly body: Uint8Array;
}

interface Answer {
  readonly reply: packet.Reply;
  readonly key?: Uint8Array;
  readonly header?: Partial<packet.Header>;
}

/** A server whose `answer` says what comes to each packet of a client; 'close' and 'reset' end the connection. */
function serverOf(
  answer: (asked: Asked, turn: number) => Answer | Uint8Array | 'close' | 'reset' | 'nothing',
): (socket: Socket) => void {
  return (socket) => {
    let unread = Buffer.alloc(0);
    let turn = 0;
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= HEADER_BYTES) {
        const { bodyBytes, ...header } = parseHeader(unread);
        if (unread.length < HEADER_BYTES + bodyBytes) return;
        const body = obfuscated(unread.subarray(HEADER_BYTES, HEADER_BYTES + bodyBytes), header, key);
        unread = unread.subarray(HEADER_BYTES + bodyBytes);
        const given = answer({ header, body }, turn);
        turn += 1;
        if (given === 'close') socket.end();
        else if (given === 'reset') socket.resetAndDestroy();
        else if (given instanceof Uint8Array) socket.write(given);
        else if (given !== 'nothing') {
          const own = { ...header, sequence: header.sequence + 1, singleConnect: false, ...given.header };
          socket.write(encodePacket(own, encodeReply(given.reply), given.key ?? key));
        }
      }
    });
  };
}

const getUser: packet.Reply = { status: 'get-user', noEcho: false, message: 'Username: ' };
const getPassword: packet.Reply = { status: 'get-pass', noEcho: true, message: 'Password: ' };
const plain = (status: packet.Status, message = ''): packet.Reply => ({ status, noEcho: false, message });

describe('the tacacs probe', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const open = async (peer: Promise<Peer>): Promise<Peer> => {
    const opened = await peer;
    closing.push(() => opened.close());
    return opened;
  };
  const asking = { deadlineMs: 10_000, secrets };
  async function attempt(serve: (socket: Socket) => void, options?: object, login = false): Promise<Attempt> {
    return askOnce(bind(options), (await open(tcpPeer(serve))).port, { ...asking, login });
  }
  async function ask(serve: (socket: Socket) => void, options?: object, login = false): Promise<Outcome> {
    return (await attempt(serve, options, login)).outcome;
  }

  it('starts a login without a user, and aborts it with its name', async () => {
    const heard: Asked[] = [];
    const outcome = await ask(
      serverOf((asked, turn) => {
        heard.push(asked);
        return turn === 0 ? { reply: getUser } : 'close';
      }),
    );
    expect(outcome).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        version: '12.0',
        singleConnect: false,
        unencrypted: false,
        status: 'get-user',
        serverMessage: 'Username: ',
      },
    });
    const [start, abort, ...more] = heard;
    expect(more).toEqual([]);
    expect(start?.header).toMatchObject({ sequence: 1, singleConnect: true, unencrypted: false, minorVersion: 0 });
    expect(parseStart(start?.body ?? empty)).toEqual({ type: 'ascii', user: empty, port: 'linecheck', data: empty });
    expect(abort?.header).toMatchObject({ sequence: 3, singleConnect: false, sessionId: start?.header.sessionId });
    expect(parseContinue(abort?.body ?? empty)).toEqual({
      abort: true,
      message: empty,
      reason: 'linecheck: no login meant',
    });
  });

  it.each(['pass', 'fail', 'error', 'restart', 'follow'] as const)(
    'goes without another word after a status that ends the session: %s',
    async (status) => {
      const turns: number[] = [];
      const outcome = await ask(
        serverOf((_, turn) => {
          turns.push(turn);
          return { reply: plain(status, 'so it is') };
        }),
      );
      expect(outcome).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { status, serverMessage: 'so it is' },
      });
      expect(turns).toEqual([0]);
    },
  );

  it('tells of single connections', async () => {
    const serve = serverOf((_, turn) => (turn === 0 ? { reply: getUser, header: { singleConnect: true } } : 'close'));
    expect(await ask(serve)).toMatchObject({ kind: 'answered', facts: { singleConnect: true } });
  });

  it('says that the secret is refused where the answer is in another', async () => {
    const serve = serverOf(() => ({ reply: plain('error', 'Invalid packet'), key: bytesOf('another') }));
    expect(await ask(serve)).toEqual({
      kind: 'turned-away',
      presented: 'secret',
      by: 'a reply in another secret',
      facts: { version: '12.0', singleConnect: false, unencrypted: false, readable: false },
    });
  });

  it('says so where the answer is in the clear, and what it says', async () => {
    const serve = serverOf(() => ({ reply: plain('error', 'no key'), header: { unencrypted: true } }));
    expect(await ask(serve)).toMatchObject({
      kind: 'turned-away',
      presented: 'secret',
      by: 'a reply in the clear, without the secret',
      facts: { unencrypted: true, status: 'error', serverMessage: 'no key' },
    });
  });

  it('says so where a stand-in answers, which does not know the secret', async () => {
    const peer = await open(standInAt(module.standIn));
    expect((await askOnce(bind(), peer.port, asking)).outcome).toMatchObject({
      kind: 'turned-away',
      presented: 'secret',
      by: 'a linecheck stand-in',
      facts: { standIn: true, status: 'error' },
    });
  });

  it('without a secret lets the header prove the protocol, and says that it read no more', async () => {
    const unread = serverOf(() => ({ reply: plain('error'), key: bytesOf('of the server') }));
    expect(await ask(unread, {})).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { version: '12.0', singleConnect: false, unencrypted: false, readable: false },
    });
    const clear = serverOf((_, turn) => (turn === 0 ? { reply: getUser, header: { unencrypted: true } } : 'close'));
    expect(await ask(clear, {})).toMatchObject({ kind: 'answered', facts: { unencrypted: true, status: 'get-user' } });
    const peer = await open(standInAt(module.standIn));
    expect((await askOnce(bind({}), peer.port, asking)).outcome).toMatchObject({
      kind: 'answered',
      facts: { standIn: true, status: 'get-user', serverMessage: 'Username: ' },
    });
  });

  it.each(['close', 'reset'] as const)('names whom a server treats so: %s instead of an answer', async (how) => {
    const outcome = await ask(serverOf(() => how));
    expect(outcome).toMatchObject({ kind: 'stranger', came: how });
    expect(JSON.stringify(outcome)).toContain('a client that it does not know');
  });

  it.each([
    ['another session', { sessionId: Uint8Array.of(1, 2, 3, 4) }, 'a TACACS+ packet of another session'],
    ['another number', { sequence: 4 }, 'a TACACS+ packet with number 4, where 2 was due'],
    ['its own number', { sequence: 1 }, 'a TACACS+ packet with number 1, where 2 was due'],
  ])('takes no answer with %s', async (_, header, detail) => {
    const outcome = await ask(serverOf(() => ({ reply: getUser, header })));
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol', detail });
  });

  it('takes nothing else for an answer', async () => {
    const authorization = serverOf(() => of('pam-tacplus-authorization-reply'));
    expect(await ask(authorization)).toMatchObject({
      detail: 'a TACACS+ packet of type 2, which is no authentication',
    });
    const start = serverOf(({ header }) => encodePacket(header, empty, key));
    expect(await ask(start)).toMatchObject({ kind: 'stranger' });
    const bodiless = serverOf(({ header }) => encodePacket({ ...header, sequence: 2 }, empty, key));
    expect(await ask(bodiless)).toMatchObject({ detail: 'a TACACS+ packet without a body' });
    const garbled = serverOf(({ header }) =>
      encodePacket({ ...header, sequence: 2, unencrypted: true }, bytesOf('?'), key),
    );
    expect(await ask(garbled, {})).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  /** A server that lets one user in. */
  const knowing = (password: string, heard: Asked[] = []): ((socket: Socket) => void) =>
    serverOf((asked, turn) => {
      heard.push(asked);
      const { header, body } = asked;
      if (turn > 0) {
        const { abort, message } = parseContinue(body);
        return abort ? 'close' : { reply: plain(Buffer.from(message).toString() === password ? 'pass' : 'fail') };
      }
      const { user, data } = parseStart(body);
      if (header.minorVersion === 1)
        return { reply: plain(Buffer.from(data).toString() === password ? 'pass' : 'fail') };
      return { reply: user.length === 0 ? getUser : getPassword };
    });

  it.each(['ascii', 'pap'] as const)('says what credentials are worth: %s', async (method) => {
    const options = { ...loginOptions, method };
    const heard: Asked[] = [];
    expect(await ask(knowing(secrets.password, heard), options, true)).toMatchObject({
      kind: 'answered',
      depth: 'service',
      facts: { status: 'pass', login: method },
    });
    expect(heard.map(({ header }) => [header.minorVersion, header.sequence])).toEqual(
      method === 'pap'
        ? [[1, 1]]
        : [
            [0, 1],
            [0, 3],
          ],
    );
    expect(parseStart(heard[0]?.body ?? empty)).toMatchObject({ type: method, user: bytesOf(secrets.user) });
    expect(await ask(knowing('another'), options, true)).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: 'FAIL',
    });
  });

  it('names no user and shows no password unless it may', async () => {
    const heard: Asked[] = [];
    expect(await ask(knowing(secrets.password, heard), loginOptions)).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { status: 'get-user' },
    });
    expect(await ask(knowing(secrets.password, heard), { secret: 'shared' }, true)).toMatchObject({
      facts: { status: 'get-user' },
    });
    for (const { body } of heard) {
      expect(Buffer.from(body).toString('latin1')).not.toContain(secrets.user);
      expect(Buffer.from(body).toString('latin1')).not.toContain(secrets.password);
    }
    expect(heard).toHaveLength(4);
  });

  it('shows no password to a server that has not shown that it knows the secret', async () => {
    const heard: Asked[] = [];
    const outcome = await ask(
      serverOf((asked) => {
        heard.push(asked);
        return { reply: getPassword, key: bytesOf('another') };
      }),
      loginOptions,
      true,
    );
    expect(outcome).toMatchObject({ kind: 'turned-away', presented: 'secret' });
    expect(heard).toHaveLength(1);
  });

  it('names the user where the server asks for it, and answers nothing that it is not there to answer', async () => {
    const heard: string[] = [];
    const asks =
      (...replies: readonly packet.Reply[]) =>
      (socket: Socket): void =>
        serverOf(({ body }, turn) => {
          if (turn > 0) {
            const { abort, message } = parseContinue(body);
            heard.push(abort ? 'abort' : Buffer.from(message).toString());
          }
          const reply = replies[turn];
          return reply === undefined ? 'close' : { reply };
        })(socket);
    expect(await ask(asks(getUser, getPassword, plain('pass')), loginOptions, true)).toMatchObject({
      depth: 'service',
    });
    expect(heard.splice(0)).toEqual([secrets.user, secrets.password]);
    // A second question for the password, or one for a token: whoever answers by guess locks accounts.
    for (const more of [getPassword, getUser, plain('get-data', 'Token: ')]) {
      expect(await ask(asks(getPassword, more), loginOptions, true)).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { status: more.status },
      });
      expect(heard.splice(0)).toEqual([secrets.password, 'abort']);
    }
    expect(await ask(asks(getPassword), loginOptions, true)).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(heard).toEqual([secrets.password]);
  });

  it('takes credentials only with all that they need', () => {
    const parse = (given: object): boolean => module.probe.options.safeParse(given).success;
    expect(parse(loginOptions)).toBe(true);
    for (const missing of ['secret', 'user', 'password'] as const) {
      expect(parse({ ...loginOptions, [missing]: undefined })).toBe(false);
    }
    expect(bind(loginOptions).traits.depths).toEqual(['port', 'protocol', 'service']);
    expect(bind().traits.depths).toEqual(['port', 'protocol']);
  });

  it('asks each time in another session', async () => {
    const sessions = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      await ask(
        serverOf(({ header }) => {
          sessions.add(Buffer.from(header.sessionId).toString('hex'));
          return { reply: plain('fail') };
        }),
      );
    }
    expect(sessions.size).toBe(5);
  });
});

describe('Authen::TacacsPlus, a client that is not ours', () => {
  const run = promisify(execFile);
  const reason = (): string | undefined =>
    spawnSync('perl', ['-MAuthen::TacacsPlus', '-e', '1']).status === 0
      ? undefined
      : 'Perl has no Authen::TacacsPlus: npm run lab:install (or apt-get install libauthen-tacacsplus-perl)';
  const script = `
    my ($port, $key, $type) = @ARGV;
    my $client = new Authen::TacacsPlus(Host => '127.0.0.1', Port => $port, Key => $key, Timeout => 5);
    print $client ? 'connected' : 'not connected', '; ';
    my $kind = $type eq 'pap' ? &Authen::TacacsPlus::TAC_PLUS_AUTHEN_TYPE_PAP : &Authen::TacacsPlus::TAC_PLUS_AUTHEN_TYPE_ASCII;
    print $client->authen('nobody', 'nothing', $kind) ? 'let in' : 'kept out: ' . Authen::TacacsPlus::errmsg();
    $client->close();
  `;
  const authenticate = async (port: number, secret: string, type: string): Promise<string> =>
    (await run('perl', ['-MAuthen::TacacsPlus', '-e', script, String(port), secret, type])).stdout;

  it.for(['ascii', 'pap'])('is kept out by our stand-in as by a server: %s', async (type, ctx) => {
    skipFor(ctx, reason());
    const peer = await standInAt(module.standIn);
    try {
      const secret = Buffer.from(publishedSecret).toString();
      expect(await authenticate(peer.port, secret, type)).toBe('connected; kept out: Authentication failed');
      const other = await authenticate(peer.port, 'another secret', type);
      expect(other).toMatch(/^connected; kept out: /);
      expect(other).not.toContain('Authentication failed');
    } finally {
      await peer.close();
    }
  });
});

describeConformance(module, { name: 'tacacs', carrier: 'tcp' });
describeConformance(module, {
  name: 'tacacs with a login',
  carrier: 'tcp',
  options: loginOptions,
  // The stand-in's own secret: nobody else answers in it.
  secrets: { ...secrets, shared: Buffer.from(publishedSecret).toString() },
  login: true,
  healthy: { kind: 'turned-away' },
  // The prompt for the password proves the protocol; what became of the login comes after it.
  answersEarly: true,
});
