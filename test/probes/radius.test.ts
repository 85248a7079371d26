// The radius probe: RFC examples and captures of FreeRADIUS, what it makes of each kind of answer, the server itself.
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import * as module from '../../probes/radius/probe.js';
import * as packet from '../../probes/radius/packet.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe } from '../../src/contract/probe.js';
import { requireServer, skipFor } from '../lab/requirements.js';
import { freeradius, radiusUsers } from '../lab/servers/freeradius.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, loopbackAddress, noFamily, udpPeer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const {
  answerVerifies,
  chapPassword,
  encodeAnswer,
  encodeRequest,
  hidePassword,
  messageAuthenticatorOf,
  parseAnswer,
  parsePacket,
  publishedSecret,
  readAttributes,
} = packet;

const of = (name: string): Uint8Array => vector(`radius/${name}.hex`);
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const captures = vectorsOf('radius');
const answers = captures.filter(({ path }) => !/request|status-server/.test(path));

/** Of the RFCs' examples. */
const exampleSecret = bytesOf('xyzzy5461');
/** Of the captures: what they answer had this authenticator and this identifier. */
const captureSecret = bytesOf('testing123');
const captureAuthenticator = Uint8Array.from(Buffer.from('a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex'));

describe('the Response Authenticator', () => {
  const examples = [
    ['rfc2865-7.1-access-request', 'rfc2865-7.1-access-accept'],
    ['rfc2865-7.2-access-request', 'rfc2865-7.2-access-accept'],
    ['rfc2865-7.3-access-request', 'rfc2865-7.3-access-challenge'],
    ['rfc2865-7.3-second-access-request', 'rfc2865-7.3-access-reject'],
    ['rfc5997-6-status-server', 'rfc5997-6-access-accept'],
    ['rfc5997-6-status-server-accounting', 'rfc5997-6-accounting-response'],
  ] as const;

  it.each(examples)('of the answer to %s is right with the secret', (request, answer) => {
    const { authenticator } = parsePacket(of(request));
    expect(answerVerifies(of(answer), authenticator, exampleSecret)).toBe(true);
    expect(answerVerifies(of(answer), authenticator, bytesOf('xyzzy5462'))).toBe(false);
    expect(answerVerifies(of(answer), authenticator.with(0, 1), exampleSecret)).toBe(false);
  });

  it('is wrong as soon as any bit of the answer is', () => {
    const answer = of('rfc2865-7.1-access-accept');
    const { authenticator } = parsePacket(of('rfc2865-7.1-access-request'));
    const taken: string[] = [];
    for (let bit = 0; bit < answer.length * 8; bit += 1) {
      const at = bit >> 3;
      // Another length is another packet, or none.
      if (at === 2 || at === 3) continue;
      const flipped = answer.with(at, (answer[at] ?? 0) ^ (1 << (bit & 7)));
      if (answerVerifies(flipped, authenticator, exampleSecret)) taken.push(`bit ${bit}`);
    }
    expect(taken).toEqual([]);
  });

  it('of what FreeRADIUS answers is right', () => {
    for (const { path, bytes } of captures.filter((each) => each.path.includes('freeradius'))) {
      expect(answerVerifies(bytes, captureAuthenticator, captureSecret), path).toBe(true);
    }
  });
});

describe('the Message-Authenticator', () => {
  const names = ['status', 'accept', 'reject', 'challenge'] as const;

  it.each(names)('of FreeRADIUS verifies where it is told to seal, and is absent else: %s', (name) => {
    const seen = (tag: string): string =>
      messageAuthenticatorOf(of(`freeradius-3.2.1-${name}${tag}`), captureAuthenticator, captureSecret);
    expect(seen('-sealed')).toBe('verified');
    expect(seen('')).toBe('absent');
  });

  it('is wrong with another secret, another request, another byte, another size, or twice', () => {
    const sealed = of('freeradius-3.2.1-challenge-sealed');
    const seen = (bytes: Uint8Array, authenticator = captureAuthenticator, secret = captureSecret) =>
      messageAuthenticatorOf(bytes, authenticator, secret);
    expect(seen(sealed, captureAuthenticator, exampleSecret)).toBe('wrong');
    expect(seen(sealed, captureAuthenticator.with(3, 0))).toBe('wrong');
    expect(seen(sealed.with(22, (sealed[22] ?? 0) ^ 1))).toBe('wrong');
    expect(seen(sealed.with(73, (sealed[73] ?? 0) ^ 1))).toBe('wrong');
    const attribute = sealed.subarray(20, 38);
    const twice = Uint8Array.from([...sealed, ...attribute]).with(3, sealed.length + attribute.length);
    expect(seen(twice)).toBe('wrong');
    const short = Uint8Array.from([...of('freeradius-3.2.1-accept'), 80, 3, 0]).with(3, 23);
    expect(seen(short)).toBe('wrong');
  });
});

describe('a request', () => {
  const { identifier, authenticator } = parsePacket(of('rfc5997-6-status-server'));

  it('is sealed as in RFC 5997', () => {
    const plain = { code: packet.STATUS_SERVER, identifier, authenticator, nasIdentifier: 'x' } as const;
    // The example has nothing but its Message-Authenticator, ours a name besides, which the package leaves out when empty.
    expect(encodeRequest({ ...plain, nasIdentifier: '' }, exampleSecret).subarray(0, 22)).toEqual(
      Uint8Array.from([...of('rfc5997-6-status-server').subarray(0, 3), 40, ...authenticator, 80, 18]),
    );
    const sealed = encodeRequest(plain, exampleSecret);
    expect(messageAuthenticatorOf(sealed, authenticator, exampleSecret)).toBe('verified');
    expect(messageAuthenticatorOf(of('rfc5997-6-status-server'), authenticator, exampleSecret)).toBe('verified');
  });

  it.each([
    ['rfc2865-7.1-access-request', 'arctangent'],
    ['rfc2865-7.3-access-request', 'challenge'],
    ['rfc2865-7.3-second-access-request', '99101462'],
  ])('hides the password as in %s', (name, password) => {
    const { authenticator: asked, attributes } = parsePacket(of(name));
    const hidden = attributes.find(({ type }) => type === 2)?.value;
    expect(hidePassword(bytesOf(password), asked, exampleSecret)).toEqual(hidden);
  });

  it('hides long and empty passwords in whole blocks', () => {
    expect(hidePassword(new Uint8Array(0), authenticator, exampleSecret)).toHaveLength(16);
    const long = hidePassword(new Uint8Array(128).fill(97), authenticator, exampleSecret);
    expect(long).toHaveLength(128);
    // RFC 2865 §5.2: each block is hidden with the one before it.
    expect(hidePassword(new Uint8Array(16).fill(97), long.subarray(96, 112), exampleSecret)).toEqual(
      long.subarray(112),
    );
  });

  it('answers its own challenge as in RFC 2865 §7.2', () => {
    const { authenticator: challenge, attributes } = parsePacket(of('rfc2865-7.2-access-request'));
    expect(chapPassword(bytesOf('arctangent'), challenge, 22)).toEqual(
      attributes.find(({ type }) => type === 3)?.value,
    );
  });

  it('has its Message-Authenticator first, then the user, the password and our name', () => {
    const bytes = encodeRequest(
      {
        code: packet.ACCESS_REQUEST,
        identifier: 7,
        authenticator,
        nasIdentifier: 'linecheck',
        user: bytesOf('nemo'),
        password: { attribute: 'User-Password', value: new Uint8Array(16) },
      },
      exampleSecret,
    );
    const read = parsePacket(bytes);
    expect(read).toMatchObject({ code: 1, identifier: 7, authenticator });
    expect(read.attributes.map(({ type, value }) => [type, value.length])).toEqual([
      [80, 16],
      [1, 4],
      [2, 16],
      [32, 9],
    ]);
  });
});

describe('a RADIUS packet', () => {
  const challenge = of('rfc2865-7.3-access-challenge');

  it('has attributes with names, of which one is shown', () => {
    expect(readAttributes(challenge)).toEqual({
      names: ['Reply-Message', 'State'],
      replyMessage: 'Challenge 32769430.  Enter response at prompt.',
    });
    expect(readAttributes(of('rfc2865-7.1-access-accept')).names).toEqual([
      'Service-Type',
      'Login-Service',
      'Login-IP-Host',
    ]);
  });

  /** An Access-Accept with these attributes. */
  const accept = (...attributes: readonly (readonly number[])[]): Uint8Array => {
    const body = attributes.flatMap(([type = 0, ...value]) => [type, value.length + 2, ...value]);
    return Uint8Array.from([2, 0, 0, 20 + body.length, ...new Uint8Array(16), ...body]);
  };

  it('may have attributes that no dictionary knows, and any that a vendor made', () => {
    const bytes = accept([241, 1], [26, 0, 0, 0, 9, 1, 255, 3], [26, 7], [26, 0, 0, 1, 55, 1, 0]);
    expect(readAttributes(bytes).names).toEqual(['attribute 241', 'Vendor-Specific']);
  });

  it('is none where an attribute is not of its type', () => {
    // Session-Timeout has four bytes, Tunnel-Type a tag.
    expect(() => readAttributes(accept([27, 0, 1]))).toThrow(ProtocolError);
    expect(() => readAttributes(accept([64]))).toThrow(ProtocolError);
  });

  it('ends where it says, whatever pads it', () => {
    const padded = Uint8Array.from([...challenge, 1, 2, 3]);
    expect(parsePacket(padded)).toEqual(parsePacket(challenge));
    const { authenticator } = parsePacket(of('rfc2865-7.3-access-request'));
    expect(answerVerifies(padded, authenticator, exampleSecret)).toBe(true);
  });

  it.each([
    ['shorter than it says', challenge.subarray(0, challenge.length - 1)],
    ['shorter than its header', challenge.subarray(0, 19)],
    ['of a length below 20', challenge.with(3, 19)],
    ['of a length above 4096', Uint8Array.from([...challenge.with(2, 0x10), ...new Uint8Array(5000)])],
    ['ended within an attribute', challenge.with(3, challenge.length - 1)],
    ['of an attribute without length', accept([18]).with(21, 1)],
  ])('is none when it is %s', (_, bytes) => {
    expect(() => parsePacket(bytes)).toThrow(ProtocolError);
  });

  it('answers a client only with an answer', () => {
    for (const request of captures.filter(({ path }) => /request|status-server/.test(path))) {
      expect(() => parseAnswer(request.bytes)).toThrow(/answers nothing/);
    }
    for (const { bytes } of answers) expect(parseAnswer(bytes)).toEqual(parsePacket(bytes));
    expect(parseAnswer(challenge.with(0, 52)).code).toBe(52);
  });
});

describeDecoders(packet, {
  parsePacket: { decode: parsePacket, samples: captures.map(({ bytes }) => bytes) },
  parseAnswer: { decode: parseAnswer, samples: answers.map(({ bytes }) => bytes) },
  readAttributes: { decode: readAttributes, samples: captures.map(({ bytes }) => bytes) },
});

/** `answer` with the Response Authenticator that RFC 2865 §3 gives it, made here and not by the probe. */
function signed(answer: Uint8Array, request: packet.RadiusPacket): Uint8Array {
  const made = Uint8Array.from(answer);
  made.set(request.authenticator, 4);
  made.set(createHash('md5').update(made).update(captureSecret).digest(), 4);
  return made;
}

const secrets = {
  shared: 'testing123',
  other: 'not-the-one',
  user: radiusUsers.known,
  challenged: radiusUsers.challenged,
  password: radiusUsers.password,
  wrong: 'wrong horse 2',
} as const;

function bind(options: object = {}): BoundProbe {
  return module.probe.bind('udp', module.probe.options.parse(options));
}

const access = { secret: 'shared', mode: 'access', user: 'user', password: 'password' } as const;

describe('the radius probe', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  interface Scene {
    readonly options?: object;
    readonly login?: boolean;
    readonly deadlineMs?: number;
  }
  /** Asks a peer that answers with what `make` makes of the question. */
  async function askPeer(
    make: (request: packet.RadiusPacket, bytes: Uint8Array) => readonly Uint8Array[],
    { options = { secret: 'shared' }, login = false, deadlineMs = 10_000 }: Scene = {},
  ): Promise<Outcome> {
    const peer = await udpPeer((request, answer) => {
      for (const bytes of make(parsePacket(request), request)) answer(bytes);
    });
    closing.push(() => peer.close());
    return (await askOnce(bind(options), peer.port, { deadlineMs, secrets, login })).outcome;
  }
  const answering =
    (code: number, secret: Uint8Array = captureSecret) =>
    (request: packet.RadiusPacket): readonly Uint8Array[] => [encodeAnswer(code, request, secret)];
  /** An answer as an old server gives it: without Message-Authenticator. */
  const unsealed = (code: number, request: packet.RadiusPacket): Uint8Array =>
    signed(Uint8Array.from([code, request.identifier, 0, 20, ...new Uint8Array(16)]), request);

  it('is answered by who knows the secret', async () => {
    expect(await askPeer(answering(2))).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        asked: 'Status-Server',
        response: 'Access-Accept',
        verified: true,
        messageAuthenticator: 'verified',
        attributes: ['Message-Authenticator'],
      },
    });
  });

  it('says that the secret is refused where the answer is made with another', async () => {
    expect(await askPeer(answering(2, bytesOf('another')))).toMatchObject({
      kind: 'turned-away',
      presented: 'secret',
      by: 'Access-Accept made with another secret',
      facts: { verified: false, messageAuthenticator: 'unverified' },
    });
  });

  it('says so where a stand-in answers, which does not know the secret', async () => {
    expect(await askPeer(answering(2, publishedSecret))).toMatchObject({
      kind: 'turned-away',
      presented: 'secret',
      by: 'Access-Accept of a linecheck stand-in',
      facts: { verified: false, standIn: true },
    });
  });

  it('without a secret takes any answer of a RADIUS server, and says that nothing verified it', async () => {
    expect(await askPeer(answering(2), { options: {} })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { response: 'Access-Accept', verified: false, messageAuthenticator: 'unverified' },
    });
  });

  it('wants an accounting service where it is told to, or by the port, and names it there', async () => {
    const names: string[] = [];
    const noting =
      (code: number) =>
      (request: packet.RadiusPacket): readonly Uint8Array[] => {
        names.push(Buffer.from(request.attributes.find(({ type }) => type === 32)?.value ?? []).toString());
        return [encodeAnswer(code, request, captureSecret)];
      };
    const options = { secret: 'shared', service: 'accounting' };
    expect(await askPeer(noting(5), { options })).toMatchObject({
      kind: 'answered',
      facts: { response: 'Accounting-Response' },
    });
    expect(await askPeer(noting(2), { options })).toMatchObject({
      kind: 'stranger',
      detail: 'a RADIUS Access-Accept: an authentication service, and not accounting',
    });
    expect(await askPeer(noting(5))).toMatchObject({
      kind: 'stranger',
      detail: 'a RADIUS Accounting-Response: an accounting service, and not authentication',
    });
    expect(names).toEqual(['linecheck acct', 'linecheck acct', 'linecheck auth']);
  });

  it('ignores an answer with another identifier, and one whose Message-Authenticator is wrong', async () => {
    const outcome = await askPeer((request) => {
      const good = encodeAnswer(2, request, captureSecret);
      const spoilt = good.with(25, (good[25] ?? 0) ^ 1);
      return [
        good.with(1, (request.identifier + 1) & 0xff),
        signed(spoilt, request),
        encodeAnswer(3, request, captureSecret),
      ];
    });
    expect(outcome).toMatchObject({ kind: 'answered', facts: { response: 'Access-Reject' } });
  });

  it('takes an answer without Message-Authenticator, unless the site requires one', async () => {
    const make = (request: packet.RadiusPacket): readonly Uint8Array[] => [unsealed(2, request)];
    expect(await askPeer(make)).toMatchObject({ kind: 'answered', facts: { messageAuthenticator: 'absent' } });
    const options = { secret: 'shared', 'require-message-authenticator': true };
    expect(await askPeer(make, { options, deadlineMs: 300 })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'a RADIUS Access-Accept without the Message-Authenticator that the site requires',
    });
    expect(await askPeer(answering(2), { options })).toMatchObject({ kind: 'answered' });
  });

  it('names no user unless it may', async () => {
    const codes: number[] = [];
    const noting = (request: packet.RadiusPacket): readonly Uint8Array[] => {
      codes.push(request.code);
      return [encodeAnswer(request.attributes.some(({ type }) => type === 1) ? 3 : 2, request, captureSecret)];
    };
    expect(await askPeer(noting, { options: access })).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(await askPeer(noting, { options: { secret: 'shared' }, login: true })).toMatchObject({ depth: 'protocol' });
    const accounting = { ...access, service: 'accounting' };
    expect(await askPeer(noting, { options: accounting, login: true })).toMatchObject({ kind: 'stranger' });
    expect(codes).toEqual([12, 12, 12]);
    expect(await askPeer(noting, { options: access, login: true })).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: 'Access-Reject',
    });
    expect(codes).toEqual([12, 12, 12, 1]);
  });

  it('says what the credentials are worth', async () => {
    const login = { options: access, login: true };
    expect(await askPeer(answering(2), login)).toMatchObject({ kind: 'answered', depth: 'service' });
    expect(await askPeer(answering(11), login)).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { asked: 'Access-Request, PAP', response: 'Access-Challenge' },
    });
    expect(await askPeer(answering(3, bytesOf('another')), login)).toMatchObject({
      kind: 'turned-away',
      presented: 'secret',
    });
  });

  it('asks each time with another authenticator', async () => {
    const seen = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      await askPeer((request) => {
        seen.add(Buffer.from(request.authenticator).toString('hex'));
        return [encodeAnswer(2, request, captureSecret)];
      });
    }
    expect(seen.size).toBe(5);
  });

  it('takes credentials only with all that they need', () => {
    const parse = (given: object) => module.probe.options.safeParse(given).success;
    expect(parse(access)).toBe(true);
    for (const missing of ['secret', 'user', 'password'] as const) {
      expect(parse({ ...access, [missing]: undefined })).toBe(false);
    }
    expect(parse({ secret: '' })).toBe(false);
    expect(parse({ secret: 'shared', mode: 'accounting' })).toBe(false);
    expect(bind(access).traits.depths).toEqual(['protocol', 'service']);
    expect(bind().traits).toMatchObject({ silence: 'ambiguous', depths: ['protocol'] });
  });

  it('never sends more than RADIUS has room for', async () => {
    const long = { ...secrets, password: 'x'.repeat(129) };
    const peer = await udpPeer(() => undefined);
    closing.push(() => peer.close());
    const { outcome } = await askOnce(bind(access), peer.port, { deadlineMs: 300, secrets: long, login: true });
    expect(outcome).toMatchObject({ kind: 'unable' });
    expect(JSON.stringify(outcome)).toContain('the password has 129 bytes, and RADIUS takes 128');
  });
});

describe('the radius stand-in', () => {
  const reply = (request: Uint8Array): readonly Uint8Array[] =>
    module.standIn.reply?.(request, { address: '192.0.2.1', port: 1812 }) ?? [];
  const authenticator = captureAuthenticator;
  const asked = (code: 1 | 12, nasIdentifier = 'linecheck'): Uint8Array =>
    encodeRequest({ code, identifier: 9, authenticator, nasIdentifier }, captureSecret);

  it.each([
    ['a Status-Server', asked(12), 2],
    ['a Status-Server to an accounting service', asked(12, 'linecheck acct'), 5],
    ['an Access-Request', asked(1), 3],
  ])('answers %s with a secret that everybody knows', (_, request, code) => {
    const [answer = new Uint8Array(0), ...more] = reply(request);
    expect(more).toEqual([]);
    expect(parseAnswer(answer)).toMatchObject({ code, identifier: 9 });
    expect(answerVerifies(answer, authenticator, publishedSecret)).toBe(true);
    expect(messageAuthenticatorOf(answer, authenticator, publishedSecret)).toBe('verified');
  });

  it('answers nothing else', () => {
    for (const code of [2, 3, 4, 5, 11, 13, 40, 43]) expect(reply(asked(12).with(0, code))).toEqual([]);
    expect(reply(of('rfc5997-6-status-server').subarray(0, 37))).toEqual([]);
    // Its answer has 38 bytes, and is never longer than the question.
    expect(reply(of('rfc5997-6-status-server'))).toHaveLength(1);
    const short = Uint8Array.from([12, 0, 0, 20, ...new Uint8Array(16)]);
    expect(reply(short)).toEqual([]);
  });
});

describe('FreeRADIUS', () => {
  const secret = secrets.shared;
  const ask = async (port: number, options: object, more: object = {}): Promise<Outcome> =>
    (await askOnce(bind(options), port, { deadlineMs: 10_000, secrets, ...more })).outcome;
  /** Long enough for an answer that there is none of, and for the kit's second sending. */
  const silence = { deadlineMs: 1300 };

  it.for([4, 6] as const)('answers on both ports, and is refused when stopped: IPv%i', async (family, ctx) => {
    requireServer(ctx, 'freeradius', 'freeradius');
    skipFor(ctx, noFamily(family));
    const server = await freeradius({ secret, addresses: [loopbackAddress[family]] });
    try {
      expect(await ask(server.port, { secret: 'shared' }, { family })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { asked: 'Status-Server', response: 'Access-Accept', verified: true },
      });
      expect(await ask(server.accountingPort, { secret: 'shared', service: 'accounting' }, { family })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { response: 'Accounting-Response', verified: true },
      });
      expect(await ask(server.accountingPort, { secret: 'shared' }, { family })).toMatchObject({ kind: 'stranger' });
    } finally {
      await server.stop();
    }
    expect(await ask(server.port, { secret: 'shared' }, { family })).toMatchObject({
      kind: 'refused',
      signal: 'refused',
    });
  });

  it('is silent for another secret, for none, and for an unknown client', async (ctx) => {
    requireServer(ctx, 'freeradius', 'freeradius');
    const server = await freeradius({ secret });
    try {
      const silent = { kind: 'silent' };
      expect(await ask(server.port, { secret: 'other' }, silence)).toMatchObject(silent);
      expect(await ask(server.port, {}, silence)).toMatchObject(silent);
      expect(await ask(server.port, { ...access, secret: 'other' }, { ...silence, login: true })).toMatchObject(silent);
      expect(server.logs()).toContain('Shared secret is incorrect');
      expect(server.logs()).not.toContain('Login');
    } finally {
      await server.stop();
    }
    const stranger = await freeradius({ secret, client: '192.0.2.0/24' });
    try {
      expect(await ask(stranger.port, { secret: 'shared' }, silence)).toMatchObject({ kind: 'silent' });
      expect(stranger.logs()).toContain('from unknown client 127.0.0.1');
    } finally {
      await stranger.stop();
    }
  });

  it.for(['pap', 'chap'] as const)('says what credentials are worth: %s', async (method, ctx) => {
    requireServer(ctx, 'freeradius', 'freeradius');
    const server = await freeradius({ secret });
    const login = { login: true };
    try {
      expect(await ask(server.port, { ...access, method }, login)).toMatchObject({
        kind: 'answered',
        depth: 'service',
        facts: { asked: `Access-Request, ${method.toUpperCase()}`, response: 'Access-Accept', verified: true },
      });
      expect(await ask(server.port, { ...access, method, password: 'wrong' }, login)).toMatchObject({
        kind: 'turned-away',
        presented: 'credentials',
        by: 'Access-Reject',
      });
      expect(await ask(server.port, { ...access, method, user: 'challenged' }, login)).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { response: 'Access-Challenge', replyMessage: 'Enter the code of your token' },
      });
      expect(server.logs()).toContain(`Login OK: [${radiusUsers.known}]`);
    } finally {
      await server.stop();
    }
  });

  it('seals its answers where it is told to, and only then is taken by a site that requires it', async (ctx) => {
    requireServer(ctx, 'freeradius', 'freeradius');
    const options = { secret: 'shared', 'require-message-authenticator': true };
    const sealed = await freeradius({ secret, sealed: true });
    try {
      const facts = { messageAuthenticator: 'verified', verified: true };
      expect(await ask(sealed.port, options)).toMatchObject({ kind: 'answered', facts });
      expect(await ask(sealed.port, { ...access, ...options }, { login: true })).toMatchObject({
        depth: 'service',
        facts,
      });
    } finally {
      await sealed.stop();
    }
    const plain = await freeradius({ secret });
    try {
      const detail = 'a RADIUS Access-Accept without the Message-Authenticator that the site requires';
      expect(await ask(plain.port, options, silence)).toMatchObject({ kind: 'stranger', detail });
    } finally {
      await plain.stop();
    }
  });

  it('that ignores Status-Server is silent, and answers a login', async (ctx) => {
    requireServer(ctx, 'freeradius', 'freeradius');
    const server = await freeradius({ secret, statusServer: false });
    try {
      expect(await ask(server.port, { secret: 'shared' }, silence)).toMatchObject({ kind: 'silent' });
      expect(await ask(server.port, access, { login: true })).toMatchObject({ kind: 'answered', depth: 'service' });
    } finally {
      await server.stop();
    }
  });

  it('has seen no user after a hundred questions, with credentials at hand', async (ctx) => {
    requireServer(ctx, 'freeradius', 'freeradius');
    const server = await freeradius({ secret });
    try {
      for (let count = 0; count < 50; count += 1) {
        expect(await ask(server.port, access)).toMatchObject({ kind: 'answered' });
        expect(await ask(server.accountingPort, { ...access, service: 'accounting' }, { login: true })).toMatchObject({
          kind: 'answered',
        });
      }
      // With `auth = yes` there is a line for every login, good or bad: this one alone.
      expect(await ask(server.port, access, { login: true })).toMatchObject({ depth: 'service' });
      await expect.poll(() => server.logs().match(/ Auth: .*/g)).toHaveLength(1);
      expect(server.logs()).not.toMatch(/Error|Dropping|Ignoring/);
    } finally {
      await server.stop();
    }
  });
});

describeConformance(module, { name: 'radius', carrier: 'udp' });
describeConformance(module, {
  name: 'radius with a secret',
  carrier: 'udp',
  options: { secret: 'shared', service: 'accounting' },
  // The stand-in's own: nobody else can sign as it does.
  secrets: { shared: Buffer.from(publishedSecret).toString() },
});
describeConformance(module, {
  name: 'radius with a login',
  carrier: 'udp',
  options: { ...access, method: 'pap' },
  secrets: { shared: Buffer.from(publishedSecret).toString(), user: 'tester of radius', password: 'correct horse 1' },
  login: true,
  healthy: { kind: 'turned-away' },
});
