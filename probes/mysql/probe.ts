// The `mysql` probe (MySQL, MariaDB): the server's greeting, TLS where wanted, and a login that ends the handshake:
// without a password, which the server refuses, or with --login as the site's user. No query.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Stream, Target, TlsSession, Traits } from '../../src/contract/probe.js';
import {
  Conversation,
  handshakeSends,
  keyNeedsCertificate,
  sendsInTls,
  tlsOptions,
  wantsTls,
  type GivenTlsOptions,
} from '../tls/packet.js';
import {
  CACHING_SHA2_PASSWORD,
  CLEAR_PASSWORD,
  NATIVE_PASSWORD,
  answerWithoutPassword,
  cachingSha2Answer,
  encodeLogin,
  encodePacket,
  encodeQuit,
  encodeTlsRequest,
  nativeAnswer,
  parseAnswer,
  sentenceOf,
  takeGreeting,
  takePacket,
  type Answer,
  type Capability,
  type Greeting,
  type Login,
  type Refusal,
} from './packet.js';

export { standIn } from './stand-in.js';

/** Stands in the server's log, so that its administrator knows what came by. */
const OWN_NAME = Buffer.from('linecheck');
/** A login takes two rounds; with PAM as many as its modules have questions. */
const MOST_ROUNDS = 8;
/** For `sends`: names and passwords of users are no longer, as a rule. */
const USER_BYTES = 80;
const PASSWORD_BYTES = 64;

/** ER_HOST_IS_BLOCKED, ER_HOST_NOT_PRIVILEGED: this machine's address is refused, whoever asks. */
const ABOUT_CLIENT: readonly number[] = [1129, 1130];
/**
 * ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_MUST_CHANGE_PASSWORD_LOGIN, ER_ACCOUNT_HAS_BEEN_LOCKED
 * (MySQL, MariaDB), ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK, ER_USER_IS_BLOCKED. Any other says
 * that the server could not look at them, or not now.
 */
const ABOUT_CREDENTIALS: readonly number[] = [1045, 1698, 1862, 3118, 3955, 4150, 4151];

const secretName = (what: string) => z.string().min(1).describe(what).meta({ linecheck: 'secret' }).optional();

const options = z
  .strictObject({
    tls: z
      .boolean()
      .describe(
        'true: demanded, and completed. false: never. Default: where offered, with ca, pin, issuer, servername, ' +
          'client-cert or min-version given, and before a login; else whether it is offered is a fact. A server counts a ' +
          'TLS handshake that fails as a connection error of this host.',
      )
      .optional(),
    user: secretName('Secret that holds the user name; used only with --login. It needs no rights.'),
    password: secretName(
      'Secret that holds the password of user. Sent as a hash of mysql_native_password or caching_sha2_password; ' +
        'itself, where the server wants it, only in TLS to a verified server.',
    ),
    ...tlsOptions,
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem)
  .refine((given) => (given.user === undefined) === (given.password === undefined), {
    error: 'user and password go together',
    path: ['user'],
  })
  .refine((given) => given.tls !== false || !wantsTls(given), {
    error: 'tls: false leaves nothing to verify',
    path: ['tls'],
  });

type Given = z.infer<typeof options>;

export const probe: Probe = {
  name: 'mysql',
  summary: 'MySQL, MariaDB: greeting, TLS with certificate facts, a login without a password; a real one with --login.',
  carriers: ['tcp'],
  defaultPort: 3306,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits: traitsOf(parsed), ask: (_target: Target, kit) => ask(kit, parsed) };
  },
};

function traitsOf(given: Given): Traits {
  const login = given.user !== undefined;
  const answer = new Uint8Array(login ? PASSWORD_BYTES : 0);
  const user = login ? new Uint8Array(USER_BYTES) : OWN_NAME;
  const capabilities = usedOf(['PLUGIN_AUTH', 'CONNECT_ATTRS'], false);
  const plugin = CACHING_SHA2_PASSWORD;
  const bytes = encodeLogin(0, { capabilities, user, answer, plugin, attributes: attributesOf(NO_NONCE) }).length;
  return {
    silence: 'conclusive',
    depths: [
      'port',
      ...(given.tls === false ? [] : (['secure'] as const)),
      'protocol',
      ...(login ? (['service'] as const) : []),
    ],
    defaultDepth: 'protocol',
    sends: [
      ...(given.tls === false
        ? []
        : sendsInTls(given.tls === true || wantsTls(given) || login, [
            { what: 'request for TLS', packets: 1, bytes: encodeTlsRequest(1, []).length },
            ...handshakeSends(given['client-cert'] !== undefined),
            { what: 'the framing of what is said in TLS, up to', packets: 4, bytes: 32 },
          ])),
      login
        ? { what: 'login, as the user only with --login, else without a password, about', packets: 1, bytes }
        : { what: 'login as linecheck, without a password', packets: 1, bytes },
      { what: 'the same in another way, where the server asks for that, up to', packets: 2, bytes: 70 },
      { what: 'quit, where the login was accepted', packets: 1, bytes: encodeQuit().length },
    ],
  };
}

const NO_NONCE = new Uint8Array(8);

/** "Connection Attributes"; the server shows them while the connection lasts. */
function attributesOf(nonce: Uint8Array): Login['attributes'] {
  return { program_name: 'linecheck', nonce: Buffer.from(nonce).toString('hex') };
}

/** What of a server's capabilities this client uses. */
function usedOf(offered: readonly Capability[], tls: boolean): readonly Capability[] {
  const optional: readonly Capability[] = ['PLUGIN_AUTH', 'CONNECT_ATTRS'];
  return [
    'LONG_PASSWORD',
    'PROTOCOL_41',
    'SECURE_CONNECTION',
    ...optional.filter((name) => offered.includes(name)),
    ...(tls ? (['SSL'] as const) : []),
  ];
}

async function ask(kit: Kit, given: Given): Promise<Outcome> {
  const talk = new Conversation(kit, given);
  try {
    const failed = await talk.open(false);
    if (failed !== undefined) return failed;
    return await asked(talk, kit, given);
  } catch (error) {
    const outcome = talk.outcomeOf(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

async function asked(talk: Conversation, kit: Kit, given: Given): Promise<Outcome> {
  const greeting = await takeGreeting(talk.stream);
  if (greeting.kind === 'refusal') return withoutGreeting(talk, greeting);
  talk.tell(greetingFacts(greeting));
  const { capabilities } = greeting;
  if (!capabilities.includes('PROTOCOL_41') || !capabilities.includes('SECURE_CONNECTION')) {
    return talk.stranger('MySQL of before 4.1, with logins that today’s clients do not know');
  }

  const credentials = credentialsOf(kit, given);
  const offered = capabilities.includes('SSL');
  const secured = offered && (given.tls ?? (wantsTls(given) || credentials !== undefined));
  const used = usedOf(capabilities, secured);
  if (secured) {
    await talk.stream.write(encodeTlsRequest(1, used));
    const failed = await talk.secure({ tls: 'completed' });
    if (failed !== undefined) return failed;
  }
  const client = clientOf(credentials, talk.session, given);
  const answer = await handshake(talk, kit, { greeting, client, used, sequence: secured ? 2 : 1 });
  const said = meaningOf(talk, answer, client);
  const outcome = given.tls === true && !offered ? talk.stranger('MySQL that does not offer TLS') : said;
  kit.seen(outcome);
  if (answer.kind === 'accepted') await leave(talk.stream, kit);
  return outcome;
}

/** What the end of the handshake says. Only credentials that were shown can have been refused. */
function meaningOf(talk: Conversation, answer: Ending, client: Client): Outcome {
  const said = answer.kind === 'accepted' ? 'accepted' : sentenceOf(answer);
  const shown = client.secret && client.obstacle === undefined;
  talk.tell({
    ...(shown ? { login: said } : { loginWithoutPassword: said }),
    ...(client.obstacle === undefined ? {} : { login: `not tried: ${client.obstacle}` }),
  });
  if (answer.kind === 'accepted') return talk.answered(shown ? 'service' : 'protocol');
  if (ABOUT_CLIENT.includes(answer.code)) return talk.turnedAway('client', said);
  return shown && ABOUT_CREDENTIALS.includes(answer.code) ? talk.turnedAway('credentials', said) : talk.answered();
}

/** After a refusal the server closes; after a login it waits for a command. Never throws. */
async function leave(stream: Stream, kit: Kit): Promise<void> {
  try {
    await stream.write(encodeQuit());
    await stream.end();
  } catch {
    // The answer is in; whether the goodbye arrives does not change what was seen.
    kit.note('the server did not wait for our quit');
  }
}

/** A server that greets with an error has said all that it will. */
function withoutGreeting(talk: Conversation, refusal: Refusal): Outcome {
  const said = sentenceOf(refusal);
  talk.tell({ refusal: said });
  return ABOUT_CLIENT.includes(refusal.code) ? talk.turnedAway('client', said) : talk.answered();
}

function greetingFacts({ version, capabilities, plugin }: Greeting): Facts {
  return {
    // MariaDB of 10.0 and later bears this before its version, for replicas that know of no higher than 5.
    version: version.replace(/^5\.5\.5-(?=\d+\.\d+\.\d+-MariaDB)/, ''),
    ...(plugin === undefined ? {} : { authPlugin: plugin }),
    capabilities,
    tls: capabilities.includes('SSL') ? 'offered' : 'not offered',
  };
}

interface Credentials {
  readonly user: Uint8Array;
  readonly password: Uint8Array;
}

function credentialsOf(kit: Kit, { user, password }: Given): Credentials | undefined {
  if (!kit.login || user === undefined || password === undefined) return undefined;
  return { user: kit.secret(user), password: kit.secret(password) };
}

/** Who logs in, and what he says to a plugin. */
interface Client {
  readonly user: Uint8Array;
  readonly secret: boolean;
  answer(plugin: string, nonce: Uint8Array): Uint8Array;
  /** Undefined: nothing is owed. */
  more(plugin: string, bytes: Uint8Array): Uint8Array | undefined;
  /** Why the password was kept back, where it was. */
  obstacle?: string;
}

function nobody(obstacle?: string): Client {
  const silent = { user: OWN_NAME, secret: false, answer: answerWithoutPassword, more: answerWithoutPassword };
  return obstacle === undefined ? silent : { ...silent, obstacle };
}

/** Whose credentials are not to be used logs in as nobody: the handshake must end in any case. */
function clientOf(credentials: Credentials | undefined, session: TlsSession | undefined, given: Given): Client {
  if (credentials === undefined) return nobody();
  if (credentials.password.length === 0) return nobody('the password is empty');
  if (given.tls === true && session === undefined) return nobody('the server does not offer TLS');
  const vouched = isVouchedFor(session, given);
  // Whoever is in between could try passwords on a hash, too.
  const named = [given.ca, given.pin, given.issuer].some((each) => each !== undefined);
  if (named && !vouched) return nobody('the server does not show the certificate that ca, pin or issuer ask for');
  return somebody(credentials, vouched);
}

const FAST_AUTHENTICATED = 3;
const WANTS_PASSWORD = 4;

/** @param vouched the password itself may be sent: the channel is secure, and ends where it should */
function somebody({ user, password }: Credentials, vouched: boolean): Client {
  const without = (plugin: string, obstacle: string): Uint8Array => {
    client.obstacle ??= obstacle;
    return answerWithoutPassword(plugin);
  };
  const itself = (plugin: string): Uint8Array =>
    vouched
      ? Uint8Array.from([...password, 0])
      : without(plugin, `${plugin} wants the password itself, and that goes only in TLS to a verified server`);
  const client: Client = {
    user,
    secret: true,
    answer(plugin, nonce) {
      switch (plugin) {
        case NATIVE_PASSWORD:
          return nativeAnswer(password, nonce);
        case CACHING_SHA2_PASSWORD:
          return cachingSha2Answer(password, nonce);
        case CLEAR_PASSWORD:
          return itself(plugin);
        default:
          return without(plugin, `the server wants ${plugin}, which linecheck does not speak`);
      }
    },
    more(plugin, bytes) {
      if (plugin === CACHING_SHA2_PASSWORD && bytes.length === 1) {
        if (bytes[0] === FAST_AUTHENTICATED) return undefined;
        // Encrypting it for the key that the server sends would encrypt it for whoever sent the key.
        if (bytes[0] === WANTS_PASSWORD) return itself(plugin);
      }
      return without(plugin, `${plugin} asks for more than a password`);
    },
  };
  return client;
}

/** Whether the far end has shown that it is whom the site means: nobody else gets a password. */
function isVouchedFor(session: TlsSession | undefined, { pin, issuer, ca }: GivenTlsOptions): boolean {
  if (session === undefined) return false;
  if (pin !== undefined && session.pin !== pin) return false;
  if (issuer !== undefined && session.issuer?.includes(issuer) !== true) return false;
  // The certificates that MySQL makes for itself name no host: under the site's own CA any name will do.
  const bySiteCa = ca !== undefined && session.distrust === 'ERR_TLS_CERT_ALTNAME_INVALID';
  return session.trusted || bySiteCa || (pin !== undefined && ca === undefined);
}

type Ending = Extract<Answer, { kind: 'accepted' | 'refusal' }>;

interface Handshake {
  readonly greeting: Greeting;
  readonly client: Client;
  readonly used: readonly Capability[];
  readonly sequence: number;
}

/**
 * Ends the handshake, with an answer to whatever the server asks. MariaDB counts a client as one that broke off, against
 * max_connect_errors and in Aborted_connects_preauth, when it reads no whole packet where it waits for one of the client's:
 * after its greeting, after an agreement on TLS, after AuthSwitchRequest. Once it has read them all, nothing that the client
 * does counts, and a refused login never blocks a host (measured, 10.11).
 */
async function handshake(
  talk: Conversation,
  kit: Kit,
  { greeting, client, used, sequence }: Handshake,
): Promise<Ending> {
  const say = (number: number, payload: Uint8Array): Promise<void> =>
    talk.stream.write(encodePacket(number, payload), { secret: client.secret });
  let plugin = KNOWN.find((name) => name === greeting.plugin) ?? NATIVE_PASSWORD;
  const answer = client.answer(plugin, greeting.nonce);
  const login = { capabilities: used, user: client.user, answer, plugin, attributes: attributesOf(kit.nonce) };
  await talk.stream.write(encodeLogin(sequence, login), { secret: client.secret });
  for (let round = 0, next = sequence + 1; round < MOST_ROUNDS; round += 1, next += 1) {
    const packet = await takePacket(talk.stream);
    if (packet.sequence !== (next & 0xff)) {
      throw new ProtocolError(`MySQL packet ${packet.sequence} where ${next & 0xff} belongs`);
    }
    const said = parseAnswer(packet.payload);
    if (said.kind === 'accepted' || said.kind === 'refusal') return said;
    if (said.kind === 'switch') plugin = said.plugin;
    const reply = said.kind === 'switch' ? client.answer(plugin, said.nonce) : client.more(plugin, said.bytes);
    if (reply === undefined) continue;
    next += 1;
    await say(next & 0xff, reply);
  }
  throw new ProtocolError('a MySQL handshake without end');
}

/** Plugins that a client may begin with; a server that wants another says so. */
const KNOWN: readonly string[] = [NATIVE_PASSWORD, CACHING_SHA2_PASSWORD];
