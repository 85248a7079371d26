// The `ldap` probe (RFC 4511): the root DSE, asked without a login; StartTLS or TLS from the start; a bind only with
// credentials that were given to be used. It changes nothing in the directory.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, TlsSession, Traits } from '../../src/contract/probe.js';
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
  NOTICE_OF_DISCONNECTION,
  RESULT,
  START_TLS,
  encodeSearch,
  encodeSimpleBind,
  encodeStartTls,
  encodeUnbind,
  parseAnswer,
  sentenceOf,
  takeMessage,
  type LdapAnswer,
  type LdapAttribute,
  type LdapResult,
} from './packet.js';

export { standIn } from './stand-in.js';

/** LDAP over TLS, and Active Directory's global catalog over TLS. */
const LDAPS_PORTS: readonly number[] = [636, 3269];
/** A search of one entry is answered by it, a reference perhaps, and the end. */
const MAX_ANSWERS = 8;
/** What a fact may carry of a stranger's list. */
const MAX_VALUES = 20;
/** Passwords are rarely longer; `plan` does not know this one. */
const PASSWORD_BYTES = 64;

/** What a root DSE says that helps a technician (RFC 4512 §5.1, RFC 3045, MS-ADTS §3.1.1.3.2). */
const ROOT_DSE = [
  ...['supportedLDAPVersion', 'namingContexts', 'supportedExtension', 'supportedSASLMechanisms'],
  ...['vendorName', 'vendorVersion', 'dnsHostName'],
] as const;
/** No attributes (RFC 4511 §4.5.1.8). */
const NO_ATTRIBUTES = ['1.1'];

/**
 * Answers to a bind that refuse the credentials or the way they were presented: authMethodNotSupported, strongerAuthRequired,
 * confidentialityRequired, noSuchObject, invalidDNSyntax, inappropriateAuthentication, invalidCredentials,
 * insufficientAccessRights, unwillingToPerform. Any other says that the server could not look at them.
 */
const REFUSALS: readonly number[] = [7, 8, 13, 32, 34, 48, 49, 50, 53];

const options = z
  .strictObject({
    mode: z
      .enum(['plain', 'starttls', 'ldaps'])
      .describe(
        'plain: whether StartTLS is offered is a fact. starttls: completed, and demanded. ldaps: TLS from the start. ' +
          'Default: ldaps on ports 636 and 3269; with ca, pin, issuer, servername, client-cert or min-version given, and ' +
          'before a login, StartTLS where the server has it; else plain.',
      )
      .optional(),
    base: z
      .string()
      .min(1)
      .max(1000)
      .describe('Distinguished name of an entry to look for, such as dc=example,dc=net; default: the root DSE alone.')
      .optional(),
    'bind-dn': z
      .string()
      .min(1)
      .max(1000)
      .describe(
        'Whom to log in as, with --login only. In the clear only with mode: plain, in TLS only to a verified server.',
      )
      .optional(),
    password: z
      .string()
      .min(1)
      .describe('Secret with the password of bind-dn.')
      .meta({ linecheck: 'secret' })
      .optional(),
    ...tlsOptions,
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem)
  .refine((given) => (given['bind-dn'] === undefined) === (given.password === undefined), {
    error: 'bind-dn and password go together',
    path: ['bind-dn'],
  });

type Given = z.infer<typeof options>;

/** `where-offered`: a server without StartTLS has answered all the same. */
type Mode = 'plain' | 'where-offered' | 'starttls' | 'ldaps';

function modeOf(given: Given, port: number, login: boolean): Mode {
  if (given.mode !== undefined) return given.mode;
  if (LDAPS_PORTS.includes(port)) return 'ldaps';
  return wantsTls(given) || (login && given['bind-dn'] !== undefined) ? 'where-offered' : 'plain';
}

export const probe: Probe = {
  name: 'ldap',
  summary:
    'LDAP: the root DSE without a login, StartTLS or LDAPS with certificate facts; a bind with --login (RFC 4511).',
  carriers: ['tcp'],
  defaultPort: 389,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits: traitsOf(parsed), ask: (target, kit) => ask(target, kit, parsed) };
  },
};

function traitsOf(given: Given): Traits {
  const plain = given.mode === 'plain';
  const { base, 'bind-dn': dn } = given;
  const id = 1 << 22;
  const rootDse = encodeSearch(id, '', ROOT_DSE).length;
  return {
    silence: 'conclusive',
    depths: [
      ...(plain ? (['port'] as const) : (['port', 'secure'] as const)),
      'protocol',
      ...(dn === undefined ? [] : (['service'] as const)),
    ],
    defaultDepth: 'protocol',
    sends: [
      ...(plain
        ? []
        : sendsInTls(given.mode !== undefined || wantsTls(given), [
            { what: 'StartTLS request', packets: 1, bytes: encodeStartTls(id).length },
            ...handshakeSends(given['client-cert'] !== undefined),
            { what: 'the framing of what is said in TLS, up to', packets: 6, bytes: 32 },
          ])),
      ...(dn === undefined
        ? []
        : [
            {
              what: 'with --login: simple bind, about',
              packets: 1,
              bytes: encodeSimpleBind(id, dn, new Uint8Array(PASSWORD_BYTES)).length,
            },
          ]),
      { what: 'search for the root DSE', packets: 1, bytes: rootDse },
      ...(base === undefined
        ? []
        : [{ what: 'search for the base entry', packets: 1, bytes: encodeSearch(id, base, NO_ATTRIBUTES).length }]),
      { what: 'unbind', packets: 1, bytes: encodeUnbind(id).length },
    ],
  };
}

async function ask(target: Target, kit: Kit, given: Given): Promise<Outcome> {
  const mode = modeOf(given, target.port, kit.login);
  const talk = new Conversation(kit, given);
  const dialogue = new Dialogue(talk, kit);
  try {
    const failed = await talk.open(mode === 'ldaps');
    if (failed !== undefined) return failed;
    const outcome = await asked(dialogue, given, mode);
    kit.seen(outcome);
    await dialogue.leave();
    return outcome;
  } catch (error) {
    if (error instanceof Disconnected) {
      talk.tell({ disconnected: sentenceOf(error.result) });
      return talk.answered();
    }
    const outcome = talk.outcomeOf(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

async function asked(dialogue: Dialogue, given: Given, mode: Mode): Promise<Outcome> {
  const { talk, kit } = dialogue;
  if (mode === 'starttls' || mode === 'where-offered') {
    const { result } = await dialogue.exchange('extended', (id) => encodeStartTls(id));
    if (result.code === RESULT.success) {
      talk.tell({});
      const failed = await talk.secure({ startTls: 'completed' });
      if (failed !== undefined) return failed;
    } else {
      talk.tell({ startTls: `refused: ${sentenceOf(result)}` });
      if (mode === 'starttls') return talk.stranger(`LDAP that refuses StartTLS: ${sentenceOf(result)}`);
    }
  }

  const login = await logIn(dialogue, given);
  if (login.refused !== undefined) return talk.turnedAway('credentials', login.refused);

  const rootDse = await dialogue.search('', ROOT_DSE);
  talk.tell(rootDseFacts(rootDse, mode === 'plain'));
  kit.seen(talk.answered());
  let found = true;
  if (given.base !== undefined) {
    const { result, attributes } = await dialogue.search(given.base, NO_ATTRIBUTES);
    found = result.code === RESULT.success && attributes !== undefined;
    talk.tell({ base: found ? 'found' : result.code === RESULT.success ? 'not found' : sentenceOf(result) });
  }
  return talk.answered(login.accepted && found ? 'service' : 'protocol');
}

interface Login {
  readonly accepted: boolean;
  /** The server's word, where it refused. */
  readonly refused?: string;
}

/** Logs in where there are credentials, they may be used, and nobody else can read them. */
async function logIn(dialogue: Dialogue, given: Given): Promise<Login> {
  const { talk, kit } = dialogue;
  const { 'bind-dn': dn, password: name } = given;
  if (!kit.login || dn === undefined || name === undefined) return { accepted: false };
  const password = kit.secret(name);
  const obstacle = password.length === 0 ? 'the password is empty' : obstacleTo(talk.session, given);
  if (obstacle !== undefined) {
    talk.tell({ login: `not tried: ${obstacle}` });
    return { accepted: false };
  }
  const { result } = await dialogue.exchange('bind', (id) => encodeSimpleBind(id, dn, password), { secret: true });
  if (REFUSALS.includes(result.code)) return { accepted: false, refused: `LDAP bind, ${sentenceOf(result)}` };
  const accepted = result.code === RESULT.success;
  talk.tell({ login: accepted ? 'accepted' : sentenceOf(result) });
  return { accepted };
}

/** Why a password must not be sent here: somebody else could read it. Undefined where nothing speaks against it. */
function obstacleTo(session: TlsSession | undefined, given: Given): string | undefined {
  if (session !== undefined) {
    return isVouchedFor(session, given) ? undefined : 'the certificate is not trusted; ca or pin would vouch for it';
  }
  return given.mode === 'plain' ? undefined : 'the password would go in the clear; mode: plain allows that';
}

/** Whether the far end has shown that it is whom the site means: nobody else gets a password. */
function isVouchedFor(session: TlsSession, given: GivenTlsOptions): boolean {
  const { pin, issuer, ca } = given;
  if (pin !== undefined && session.pin !== pin) return false;
  if (issuer !== undefined && session.issuer?.includes(issuer) !== true) return false;
  // Under the site's own CA the name may differ: sites ask by address. Under the system's it must not.
  const bySiteCa = ca !== undefined && session.distrust === 'ERR_TLS_CERT_ALTNAME_INVALID';
  return session.trusted || bySiteCa || (pin !== undefined && ca === undefined);
}

interface Found {
  readonly result: LdapResult;
  /** Those of the entry; undefined where none came. */
  readonly attributes?: readonly LdapAttribute[];
}

/** RFC 4511 §4.4.1: the server tells why it ends the connection. */
class Disconnected extends Error {
  readonly result: LdapResult;
  constructor(result: LdapResult) {
    super(sentenceOf(result));
    this.result = result;
  }
}

/** Questions one after the other, each with an id of its own, and the answers that bear it. */
class Dialogue {
  readonly talk: Conversation;
  readonly kit: Kit;
  #id: number;

  constructor(talk: Conversation, kit: Kit) {
    this.talk = talk;
    this.kit = kit;
    // Random, so that a canned answer does not fit; 22 bits, so that those that follow are no longer.
    const [high = 0, middle = 0, low = 0] = kit.random(3);
    this.#id = 1 + (((high & 0x3f) << 16) | (middle << 8) | low);
  }

  /** Sends one request and returns the first answer, which must be of this kind. */
  async exchange<K extends 'bind' | 'extended'>(
    kind: K,
    encode: (id: number) => Uint8Array,
    send?: { readonly secret: true },
  ): Promise<Extract<LdapAnswer, { kind: K }>> {
    this.#id += 1;
    await this.talk.stream.write(encode(this.#id), send);
    const answer = await this.#next();
    if (isKind(answer, kind)) return answer;
    throw new ProtocolError(`an LDAP message of another kind (${answer.kind}) than was asked for (${kind})`);
  }

  async search(base: string, attributes: readonly string[]): Promise<Found> {
    this.#id += 1;
    await this.talk.stream.write(encodeSearch(this.#id, base, attributes));
    let found: readonly LdapAttribute[] | undefined;
    for (let count = 0; count < MAX_ANSWERS; count += 1) {
      const answer = await this.#next();
      if (answer.kind === 'search-done') {
        return { result: answer.result, ...(found === undefined ? {} : { attributes: found }) };
      }
      if (answer.kind === 'entry') found ??= answer.attributes;
      else if (answer.kind === 'bind' || answer.kind === 'extended') {
        throw new ProtocolError(`an LDAP message of another kind (${answer.kind}) than was asked for (search)`);
      }
    }
    throw new ProtocolError('LDAP answers without end to a search for one entry');
  }

  /** Never throws: the answer is in. */
  async leave(): Promise<void> {
    this.#id += 1;
    try {
      await this.talk.stream.write(encodeUnbind(this.#id));
      await this.talk.stream.end();
    } catch {
      this.kit.note('the server did not wait for our unbind');
    }
  }

  async #next(): Promise<LdapAnswer> {
    const answer = parseAnswer(await takeMessage(this.talk.stream));
    if (answer.id === this.#id) return answer;
    if (answer.id === 0 && answer.kind === 'extended' && answer.name === NOTICE_OF_DISCONNECTION) {
      throw new Disconnected(answer.result);
    }
    throw new ProtocolError(`an LDAP answer to another question (id ${answer.id})`);
  }
}

function isKind<K extends LdapAnswer['kind']>(answer: LdapAnswer, kind: K): answer is Extract<LdapAnswer, { kind: K }> {
  return answer.kind === kind;
}

/** `plain`: TLS was not asked for, so that it is worth telling whether it could have been. */
function rootDseFacts({ result, attributes }: Found, plain: boolean): Facts {
  if (result.code !== RESULT.success) return { rootDse: sentenceOf(result) };
  if (attributes === undefined) return { rootDse: 'not shown' };
  const valuesOf = (type: string): readonly string[] =>
    attributes.find((each) => each.type.toLowerCase() === type.toLowerCase())?.values ?? [];
  const list = (name: string, type: string): Facts => {
    const values = valuesOf(type);
    return values.length === 0 ? {} : { [name]: values.slice(0, MAX_VALUES) };
  };
  const one = (name: string, type: string): Facts => {
    const [value] = valuesOf(type);
    return value === undefined ? {} : { [name]: value };
  };
  const extensions = valuesOf('supportedExtension');
  return {
    ...list('ldapVersions', 'supportedLDAPVersion'),
    ...one('vendor', 'vendorName'),
    ...one('vendorVersion', 'vendorVersion'),
    ...one('dnsHostName', 'dnsHostName'),
    ...list('namingContexts', 'namingContexts'),
    ...list('saslMechanisms', 'supportedSASLMechanisms'),
    ...(plain ? { startTls: extensions.includes(START_TLS) ? 'offered' : 'not offered' } : {}),
  };
}
