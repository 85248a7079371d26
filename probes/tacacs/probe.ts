// The `tacacs` probe (RFC 8907, TACACS+): the START of an ASCII login without a user, and the server's REPLY. Then the
// login is aborted, as the protocol has it. A user and a password go out only with --login.
import { z } from 'zod';
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Stream, Traits } from '../../src/contract/probe.js';
import {
  CONTINUE_BYTES,
  HEADER_BYTES,
  MAX_FIELD_BYTES,
  START_BYTES,
  encodeContinue,
  encodePacket,
  encodeStart,
  obfuscated,
  parseHeader,
  parseReply,
  publishedSecret,
  type Continue,
  type Header,
  type Reply,
  type Start,
} from './packet.js';

export { standIn } from './stand-in.js';

const secretName = (what: string) => z.string().min(1).describe(what).meta({ linecheck: 'secret' }).optional();

const options = z
  .strictObject({
    secret: secretName(
      'Secret that this machine shares with the server. Without it the header of the answer proves the protocol, and ' +
        'what the server says stays unread.',
    ),
    method: z
      .enum(['ascii', 'pap'])
      .default('ascii')
      .describe(
        'How --login logs in: ascii sends the password once the server has shown that it knows the secret, pap at once.',
      ),
    user: secretName('Secret that holds the user name; used only with --login.'),
    password: secretName('Secret that holds the password; used only with --login.'),
  })
  .refine(({ secret, user, password }) => (user === undefined) === (password === undefined) && (!user || secret), {
    error: 'a login needs secret, user and password',
    path: ['user'],
  });

type Given = z.infer<typeof options>;

export const probe: Probe = {
  name: 'tacacs',
  summary: 'TACACS+: a server answers the start of a login, in our secret; the login is aborted (RFC 8907).',
  carriers: ['tcp'],
  defaultPort: 49,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits: traitsOf(parsed), ask: (_target, kit) => ask(kit, parsed) };
  },
};

/** They stand in the server's log: where the user sits, and why the login ended. */
const PORT = 'linecheck';
const REASON = 'linecheck: no login meant';

function traitsOf({ user }: Given): Traits {
  const login = user !== undefined;
  const start = HEADER_BYTES + START_BYTES + PORT.length;
  const abort = HEADER_BYTES + CONTINUE_BYTES + REASON.length;
  const typed = HEADER_BYTES + CONTINUE_BYTES + MAX_FIELD_BYTES;
  return {
    silence: 'conclusive',
    depths: login ? ['port', 'protocol', 'service'] : ['port', 'protocol'],
    defaultDepth: 'protocol',
    sends: [
      { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
      login
        ? {
            what: 'START of a login, with the user only with --login',
            packets: 1,
            bytes: start + 2 * MAX_FIELD_BYTES,
          }
        : { what: 'START of an ASCII login without a user', packets: 1, bytes: start },
      ...(login ? [{ what: 'CONTINUE with what a login needs, only with --login', packets: 2, bytes: typed }] : []),
      { what: 'CONTINUE that aborts the login', packets: 1, bytes: abort },
    ],
  };
}

interface Credentials {
  readonly user: Uint8Array;
  readonly password: Uint8Array;
}

async function ask(kit: Kit, given: Given): Promise<Outcome> {
  const credentials = credentialsOf(kit, given);
  const conversation = new Conversation(await kit.tcp(), kit, given);
  const { method } = given;
  const first = await conversation.start(
    credentials === undefined || method === 'ascii'
      ? { type: 'ascii', user: credentials?.user ?? NOTHING, port: PORT, data: NOTHING }
      : { type: 'pap', user: credentials.user, port: PORT, data: credentials.password },
  );
  if (first.kind !== 'reply') return first.outcome;
  return credentials === undefined
    ? withoutLogin(conversation, first)
    : login(conversation, first, credentials, method);
}

const NOTHING = new Uint8Array(0);

function credentialsOf(kit: Kit, { secret, user, password }: Given): Credentials | undefined {
  // Obfuscated with a published secret a password would be public.
  if (!kit.login || secret === undefined || user === undefined || password === undefined) return undefined;
  return { user: within(kit.secret(user), 'user name'), password: within(kit.secret(password), 'password') };
}

function within(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length > MAX_FIELD_BYTES) {
    throw new Error(`the ${what} has ${bytes.length} bytes, and TACACS+ takes ${MAX_FIELD_BYTES}`);
  }
  return bytes;
}

async function withoutLogin(conversation: Conversation, { reply, facts }: Heard): Promise<Outcome> {
  await conversation.leave(reply);
  return { kind: 'answered', depth: 'protocol', facts };
}

async function login(
  conversation: Conversation,
  first: Heard,
  { user, password }: Credentials,
  method: Given['method'],
): Promise<Outcome> {
  let heard = first;
  // A server may ask for the user whom the START named. What else it asks for is not ours to answer.
  const typed = method === 'ascii' ? { 'get-user': user, 'get-pass': password } : {};
  const left = new Map<string, Uint8Array>(Object.entries(typed));
  for (;;) {
    const { reply } = heard;
    const answer = reply === undefined ? undefined : left.get(reply.status);
    if (reply === undefined || answer === undefined) break;
    left.delete(reply.status);
    if (reply.status === 'get-pass') left.clear();
    const next = await conversation.say({ abort: false, message: answer, reason: '' });
    if (next === undefined) break;
    if (next.kind !== 'reply') return next.outcome;
    heard = next;
  }
  const { reply, facts: seen } = heard;
  const facts = { ...seen, login: method };
  await conversation.leave(reply);
  if (reply?.status === 'fail') return { kind: 'turned-away', presented: 'credentials', by: 'FAIL', facts };
  return { kind: 'answered', depth: reply?.status === 'pass' ? 'service' : 'protocol', facts };
}

/** `reply` is absent where the body cannot be read, which without a secret of the site is no wonder. */
interface Heard {
  readonly kind: 'reply';
  readonly reply: Reply | undefined;
  readonly facts: Facts;
}
type Turn = Heard | { readonly kind: 'over'; readonly outcome: Outcome };

/** One session of authentication: packets with their sequence numbers, in our secret. */
class Conversation {
  readonly #stream: Stream;
  readonly #kit: Kit;
  readonly #secret: Uint8Array | undefined;
  /** RFC 8907 §4.1: random. The attempt's nonce has more bytes than it has room for. */
  readonly #sessionId: Uint8Array;
  #minorVersion = 0;
  #sequence = 1;

  constructor(stream: Stream, kit: Kit, { secret }: Given) {
    this.#stream = stream;
    this.#kit = kit;
    this.#secret = secret === undefined ? undefined : kit.secret(secret);
    this.#sessionId = kit.nonce.subarray(0, 4);
  }

  async start(start: Start): Promise<Turn> {
    // RFC 8907 §5.4.2: ASCII has minor version 0, PAP 1.
    this.#minorVersion = start.type === 'pap' ? 1 : 0;
    try {
      return await this.#turn(encodeStart(start));
    } catch (error) {
      return { kind: 'over', outcome: await this.#ended(error) };
    }
  }

  /** undefined where the server closes instead of going on: its protocol is proven by then. */
  async say(message: Continue): Promise<Turn | undefined> {
    try {
      return await this.#turn(encodeContinue(message));
    } catch (error) {
      if (error instanceof EndOfStream) return undefined;
      throw error;
    }
  }

  /**
   * RFC 8907 §5.4.3: who does not go on with a login says so, and is not answered. A server may log that, without a user
   * and with our reason; one that is left without a word may log an error.
   */
  async leave(reply: Reply | undefined): Promise<void> {
    try {
      const waits = reply !== undefined && /^get-/.test(reply.status);
      if (waits) await this.#send(encodeContinue({ abort: true, message: NOTHING, reason: REASON }));
      await this.#stream.end();
    } catch {
      // The answer is in; whether the goodbye arrives does not change what was seen.
      this.#kit.note('the server did not wait for our goodbye');
    }
  }

  /** A packet of ours has an odd number, the reply to it the next (RFC 8907 §4.1). */
  async #send(body: Uint8Array): Promise<void> {
    const header: Header = {
      minorVersion: this.#minorVersion,
      sequence: this.#sequence,
      unencrypted: false,
      // Asks whether the server takes several sessions over one connection; no more is made of it.
      singleConnect: this.#sequence === 1,
      sessionId: this.#sessionId,
    };
    const packet = encodePacket(header, body, this.#secret ?? publishedSecret);
    // What we say is known, so a listener could try secrets on it.
    await this.#stream.write(packet, { secret: this.#secret !== undefined });
    this.#sequence += 2;
  }

  async #turn(body: Uint8Array): Promise<Turn> {
    const expected = this.#sequence + 1;
    await this.#send(body);
    const header = parseHeader(await this.#stream.read({ atLeast: HEADER_BYTES, max: HEADER_BYTES }));
    if (header.sequence !== expected) {
      throw new ProtocolError(`a TACACS+ packet with number ${header.sequence}, where ${expected} was due`);
    }
    if (!Buffer.from(header.sessionId).equals(this.#sessionId)) {
      throw new ProtocolError('a TACACS+ packet of another session');
    }
    const { bodyBytes } = header;
    if (bodyBytes === 0) throw new ProtocolError('a TACACS+ packet without a body');
    return this.#heard(header, await this.#stream.read({ atLeast: bodyBytes, max: bodyBytes }));
  }

  #heard(header: Header, body: Uint8Array): Turn {
    const facts: Facts = {
      version: `12.${header.minorVersion}`,
      singleConnect: header.singleConnect,
      unencrypted: header.unencrypted,
    };
    if (header.unencrypted) {
      const reply = parseReply(body);
      const told = { ...facts, ...replyFacts(reply) };
      if (this.#secret === undefined) return { kind: 'reply', reply, facts: told };
      // RFC 8907 §10.5.2: a client with a secret closes, and takes it for a failure.
      return turnedAway('a reply in the clear, without the secret', told);
    }
    const ours = readable(body, header, this.#secret ?? publishedSecret);
    if (this.#secret === undefined) {
      return ours === undefined
        ? { kind: 'reply', reply: undefined, facts: { ...facts, readable: false } }
        : { kind: 'reply', reply: ours, facts: { ...facts, ...replyFacts(ours), standIn: true } };
    }
    if (ours !== undefined) return { kind: 'reply', reply: ours, facts: { ...facts, ...replyFacts(ours) } };
    const standIn = readable(body, header, publishedSecret);
    return standIn === undefined
      ? turnedAway('a reply in another secret', { ...facts, readable: false })
      : turnedAway('a linecheck stand-in', { ...facts, ...replyFacts(standIn), standIn: true });
  }

  /** A connection that ends with our START unanswered. What else was thrown goes on. */
  async #ended(error: unknown): Promise<Outcome> {
    if (error instanceof ProtocolError) throw error;
    const received = error instanceof EndOfStream ? error.received : 0;
    const how = error instanceof EndOfStream ? 'end' : await this.#stream.peek(0);
    if (received > 0 || (how !== 'end' && how !== 'reset')) throw error;
    return {
      kind: 'stranger',
      came: how === 'end' ? 'close' : 'reset',
      detail: `the connection was accepted, and ${how === 'end' ? 'closed' : 'reset'} instead of an answer`,
      // RFC 8907 §10.5.2: servers only accept connections from clients that they know.
      facts: { likelyCause: 'a TACACS+ server does so to a client that it does not know, some to another secret' },
    };
  }
}

function turnedAway(by: string, facts: Facts): Turn {
  return { kind: 'over', outcome: { kind: 'turned-away', presented: 'secret', by, facts } };
}

function readable(body: Uint8Array, header: Header, key: Uint8Array): Reply | undefined {
  try {
    return parseReply(obfuscated(body, header, key));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function replyFacts({ status, message }: Reply): Facts {
  return { status, ...(message === '' ? {} : { serverMessage: message }) };
}
