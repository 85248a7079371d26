// The `radius` probe: Status-Server (RFC 5997), which asks without a user, or an Access-Request (RFC 2865) with
// credentials of the site. Every answer's authenticators are verified here, in constant time.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import {
  ACCESS_ACCEPT,
  ACCESS_CHALLENGE,
  ACCESS_REJECT,
  ACCESS_REQUEST,
  ACCOUNTING_RESPONSE,
  HEADER_BYTES,
  MAX_PASSWORD_BYTES,
  MAX_USER_BYTES,
  MESSAGE_AUTHENTICATOR_BYTES,
  NAS_IDENTIFIER,
  STATUS_SERVER,
  answerVerifies,
  chapPassword,
  codeName,
  encodeRequest,
  hidePassword,
  messageAuthenticatorOf,
  parseAnswer,
  publishedSecret,
  readAttributes,
  type RadiusPacket,
  type Request,
} from './packet.js';

export { standIn } from './stand-in.js';

const secretName = (what: string) => z.string().min(1).describe(what).meta({ linecheck: 'secret' }).optional();

/** RFC 2866 §3, and the port of early accounting. */
const ACCOUNTING_PORTS: readonly number[] = [1813, 1646];

const options = z
  .strictObject({
    secret: secretName(
      'Secret that this machine shares with the server. Without it only a server that does not check its clients ' +
        'answers, and silence means nothing.',
    ),
    service: z
      .enum(['authentication', 'accounting'])
      .describe('Which service must answer; default: accounting on ports 1813 and 1646, else authentication.')
      .optional(),
    mode: z
      .enum(['status', 'access'])
      .default('status')
      .describe(
        'status: Status-Server, which names no user; not every server knows it. access: an Access-Request with user ' +
          'and password, only with --login and never to an accounting service, which is asked by Status-Server.',
      ),
    method: z
      .enum(['pap', 'chap'])
      .default('pap')
      .describe('How an Access-Request carries the password: pap hides it with the secret, chap sends a hash of it.'),
    user: secretName('Secret that holds the user name for mode access.'),
    password: secretName('Secret that holds the password for mode access.'),
    'require-message-authenticator': z
      .boolean()
      .default(false)
      .describe(
        'Take no answer without a Message-Authenticator for one: such an answer can be forged on the way (CVE-2024-3596).',
      ),
  })
  .refine(({ mode, secret, user, password }) => mode === 'status' || (secret && user && password), {
    error: 'mode access needs secret, user and password',
    path: ['mode'],
  });

type Given = z.infer<typeof options>;
type Service = 'authentication' | 'accounting';

export const probe: Probe = {
  name: 'radius',
  summary: 'RADIUS: a server answers and knows our secret; it ignores other clients and secrets (RFC 2865, 5997).',
  carriers: ['udp'],
  defaultPort: 1812,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits: traitsOf(parsed), ask: (target, kit) => ask(target, kit, parsed) };
  },
};

const STATUS_BYTES = HEADER_BYTES + MESSAGE_AUTHENTICATOR_BYTES + 2 + NAS_IDENTIFIER.accounting.length;
/** The longest password in CHAP is no longer than this. */
const ACCESS_BYTES = STATUS_BYTES + 2 + MAX_USER_BYTES + 2 + MAX_PASSWORD_BYTES;

function traitsOf({ mode }: Given): Traits {
  return {
    // RFC 2865 §3, RFC 5997 §4.2: who is not a client, or has another secret, gets no answer.
    silence: 'ambiguous',
    depths: mode === 'access' ? ['protocol', 'service'] : ['protocol'],
    defaultDepth: 'protocol',
    sends: [
      mode === 'access'
        ? { what: 'Access-Request with --login, else Status-Server', packets: 1, bytes: ACCESS_BYTES }
        : { what: 'Status-Server, which names no user', packets: 1, bytes: STATUS_BYTES },
    ],
  };
}

async function ask(target: Target, kit: Kit, given: Given): Promise<Outcome> {
  const service = given.service ?? (ACCOUNTING_PORTS.includes(target.port) ? 'accounting' : 'authentication');
  const secret = given.secret === undefined ? undefined : kit.secret(given.secret);
  const request = requestOf(kit, given, service, secret);
  const { authenticator, identifier } = request;

  const socket = await kit.udp();
  const bytes = encodeRequest(request, secret ?? publishedSecret);
  const seen = await socket.exchange(
    bytes,
    (reply): Seen | undefined => {
      const packet = parseAnswer(reply);
      if (packet.identifier !== identifier) return undefined;
      return look(reply, packet, authenticator, secret, given['require-message-authenticator']);
    },
    // With the request a listener could try secrets on it; with it goes the user's name.
    { secret: secret !== undefined },
  );
  return outcomeOf(seen, request, service, given);
}

/** With the credentials of the site where all is there to use them, else without a user. */
function requestOf(kit: Kit, given: Given, service: Service, secret: Uint8Array | undefined): Request {
  const authenticator = Uint8Array.from([...kit.nonce, ...kit.random(8)]);
  const [identifier = 0, chapIdentifier = 0] = kit.random(2);
  const plain = { identifier, authenticator, nasIdentifier: NAS_IDENTIFIER[service] };
  const { mode, method, user, password } = given;
  const mayLogIn = mode === 'access' && kit.login && service === 'authentication';
  // Hidden with a published secret a password would be public.
  if (!mayLogIn || user === undefined || password === undefined || secret === undefined) {
    return { ...plain, code: STATUS_SERVER };
  }
  const shown = kit.secret(password);
  return {
    ...plain,
    code: ACCESS_REQUEST,
    user: within(kit.secret(user), MAX_USER_BYTES, 'user name'),
    password:
      method === 'chap'
        ? { attribute: 'CHAP-Password', value: chapPassword(shown, authenticator, chapIdentifier) }
        : {
            attribute: 'User-Password',
            value: hidePassword(within(shown, MAX_PASSWORD_BYTES, 'password'), authenticator, secret),
          },
  };
}

function within(bytes: Uint8Array, most: number, what: string): Uint8Array {
  if (bytes.length > most) throw new Error(`the ${what} has ${bytes.length} bytes, and RADIUS takes ${most}`);
  return bytes;
}

interface Seen {
  readonly code: number;
  /** Whose secret made it: the site's, the published one of a stand-in, or one that we do not know. */
  readonly signed: 'site' | 'stand-in' | 'unknown';
  readonly facts: Facts;
}

/** What an answer to our identifier is. Throws ProtocolError for one that has to be ignored, with the reason. */
function look(
  reply: Uint8Array,
  { code }: RadiusPacket,
  authenticator: Uint8Array,
  secret: Uint8Array | undefined,
  strict: boolean,
): Seen {
  const name = codeName(code);
  const signed =
    secret !== undefined && answerVerifies(reply, authenticator, secret)
      ? 'site'
      : answerVerifies(reply, authenticator, publishedSecret)
        ? 'stand-in'
        : 'unknown';
  const key = signed === 'site' && secret !== undefined ? secret : publishedSecret;
  const sealed = messageAuthenticatorOf(reply, authenticator, key);
  // RFC 3579 §3.2: silently discarded. Where no secret of ours made the answer, ours cannot judge this either.
  if (sealed === 'wrong' && signed !== 'unknown') {
    throw new ProtocolError(`a RADIUS ${name} whose Message-Authenticator is wrong`);
  }
  if (sealed === 'absent' && strict) {
    throw new ProtocolError(`a RADIUS ${name} without the Message-Authenticator that the site requires`);
  }
  const { names, replyMessage } = readAttributes(reply);
  return {
    code,
    signed,
    facts: {
      response: name,
      verified: signed === 'site',
      messageAuthenticator: sealed === 'wrong' ? 'unverified' : sealed,
      ...(signed === 'stand-in' ? { standIn: true } : {}),
      ...(names.length === 0 ? {} : { attributes: names }),
      ...(replyMessage === undefined ? {} : { replyMessage }),
    },
  };
}

function outcomeOf({ code, signed, facts: seen }: Seen, request: Request, service: Service, given: Given): Outcome {
  const name = codeName(code);
  const login = request.code === ACCESS_REQUEST;
  const facts: Facts = {
    asked: login ? `${codeName(request.code)}, ${given.method.toUpperCase()}` : codeName(request.code),
    ...seen,
  };
  if (given.secret !== undefined && signed !== 'site') {
    const by = signed === 'stand-in' ? `${name} of a linecheck stand-in` : `${name} made with another secret`;
    return { kind: 'turned-away', presented: 'secret', by, facts };
  }
  // RFC 5997 §3: Access-Accept from an authentication port, Accounting-Response from an accounting port.
  const answers = code === ACCOUNTING_RESPONSE ? 'accounting' : 'authentication';
  if (AUTHENTICATION_ANSWERS.includes(code) || code === ACCOUNTING_RESPONSE) {
    if (answers !== service) {
      const detail = `a RADIUS ${name}: an ${answers} service, and not ${service}`;
      return { kind: 'stranger', came: 'other-protocol', detail, facts };
    }
  }
  if (login && code === ACCESS_REJECT) return { kind: 'turned-away', presented: 'credentials', by: name, facts };
  const depth = login && code === ACCESS_ACCEPT ? 'service' : 'protocol';
  return { kind: 'answered', depth, facts };
}

const AUTHENTICATION_ANSWERS: readonly number[] = [ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE];
