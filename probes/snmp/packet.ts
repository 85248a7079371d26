// What the probes over SNMP share: options, engine discovery (RFC 3414 §4), a question of a user, and what a Report means.
// The messages' bytes are message.ts, the keys usm.ts.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { Datagrams, Kit, Traits } from '../../src/contract/probe.js';
import { TAG } from '../../src/bytes/ber.js';
import { engineFacts } from './engine.js';
import {
  FLAG,
  PDU,
  VALUE,
  encodeScopedPdu,
  encodeSecuredMessage,
  parseMessage,
  parseScopedPdu,
  wholeOf,
  type Pdu,
  type SecuredMessage,
  type SnmpMessage,
  type VarBind,
} from './message.js';
import {
  AUTHENTICATIONS,
  PRIVACIES,
  SALT_BYTES,
  decrypt,
  digestBytes,
  digestOf,
  encrypt,
  localizedKey,
  privacyKey,
  sameDigest,
  type Authentication,
  type Moment,
  type Privacy,
} from './usm.js';

export * from './message.js';

const NOTHING = new Uint8Array(0);

const secret = (what: string) => z.string().min(1).describe(what).meta({ linecheck: 'secret' }).optional();

/** RFC 3411 §5, SnmpAdminString: 32 bytes at most where it names a user or a context. */
const adminString = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= 32, 'expected at most 32 bytes');

export const communityOption = secret('Secret with the community of SNMPv2c.');

/** The keys of a probe that may ask as an SNMPv3 user; spread into its z.strictObject. */
export const userOptions = {
  user: adminString.describe('SNMPv3 user (RFC 3414); used with --login alone.').optional(),
  auth: z
    .enum(AUTHENTICATIONS)
    .describe('How the user authenticates (RFC 3414, RFC 7860); default: sha256. It needs auth-password.')
    .optional(),
  'auth-password': secret("Secret with the user's authentication password; without it noAuthNoPriv."),
  priv: z
    .enum(PRIVACIES)
    .describe('What encrypts (RFC 3826); default: aes, 128 bits. aes256 as net-snmp, aes256-cisco as Cisco makes keys.')
    .optional(),
  'priv-password': secret("Secret with the user's privacy password; without it authNoPriv."),
  context: adminString.describe('SNMPv3 context to ask in; default: the unnamed one.').optional(),
};

export type GivenUser = z.infer<z.ZodObject<typeof userOptions>>;

/** What of these options makes no sense without another; the first is the one that needs the second. */
const NEEDS = [
  ['auth-password', 'user'],
  ['priv-password', 'auth-password'],
  ['auth', 'auth-password'],
  ['priv', 'priv-password'],
  ['context', 'user'],
] as const;

/** Refinements for an object with `userOptions`. */
export const userRules = NEEDS.map(([key, needed]) => ({
  check: (given: GivenUser): boolean => given[key] === undefined || given[needed] !== undefined,
  problem: { error: `${key} needs ${needed}`, path: [key] },
}));

/** A user as the options describe it. */
export interface User {
  readonly name: string;
  readonly context: string;
  readonly authentication?: { readonly how: Authentication; readonly password: string };
  readonly privacy?: { readonly how: Privacy; readonly password: string };
}

/** undefined where the options name none. Passwords are names of secrets. */
export function userOf(given: GivenUser): User | undefined {
  if (given.user === undefined) return undefined;
  const [authPassword, privPassword] = [given['auth-password'], given['priv-password']];
  return {
    name: given.user,
    context: given.context ?? '',
    ...(authPassword === undefined ? {} : { authentication: { how: given.auth ?? 'sha256', password: authPassword } }),
    ...(privPassword === undefined ? {} : { privacy: { how: given.priv ?? 'aes', password: privPassword } }),
  };
}

function levelOf({ authentication, privacy }: User): string {
  if (authentication === undefined) return 'noAuthNoPriv';
  return privacy === undefined ? 'authNoPriv' : 'authPriv';
}

/** Message id and request id, 31 bits each, from 8 random bytes. */
export function idsOf(random: Uint8Array): { readonly messageId: number; readonly requestId: number } {
  const bytes = Buffer.from(random);
  return { messageId: bytes.readUInt32BE(0) & 0x7fff_ffff, requestId: bytes.readUInt32BE(4) & 0x7fff_ffff };
}

/**
 * RFC 3414 §4: a Get of nothing by nobody for an unknown engine. In the context's name, which no engine reads that does
 * not know itself addressed, stands who asks.
 */
export function encodeDiscovery(nonce: Uint8Array): Uint8Array {
  const { messageId, requestId } = idsOf(nonce);
  return encodeSecuredMessage({
    messageId,
    flags: FLAG.reportable,
    engineId: NOTHING,
    boots: 0,
    seconds: 0,
    user: NOTHING,
    digest: NOTHING,
    salt: NOTHING,
    scoped: encodeScopedPdu({
      engineId: NOTHING,
      contextName: Buffer.from(`linecheck test ${Buffer.from(nonce).toString('hex')}`),
      pdu: { type: PDU.get, requestId, errorStatus: 0, errorIndex: 0, varBinds: [] },
    }),
  });
}

export const DISCOVERY_SENDS: Traits['sends'][number] = {
  what: 'SNMPv3 engine discovery',
  packets: 1,
  bytes: encodeDiscovery(new Uint8Array(8).fill(0x7f)).length,
};

/** Thrown in `accept`, so that of a message which may repeat a secret nothing but this is told. */
export function notOurs(what = 'an SNMP message that answers another question'): ProtocolError {
  return new ProtocolError(what);
}

const REPORTS: Readonly<Record<string, string>> = {
  // RFC 3414 §5, usmStats.
  '1.3.6.1.6.3.15.1.1.1.0': 'usmStatsUnsupportedSecLevels',
  '1.3.6.1.6.3.15.1.1.2.0': 'usmStatsNotInTimeWindows',
  '1.3.6.1.6.3.15.1.1.3.0': 'usmStatsUnknownUserNames',
  '1.3.6.1.6.3.15.1.1.4.0': 'usmStatsUnknownEngineIDs',
  '1.3.6.1.6.3.15.1.1.5.0': 'usmStatsWrongDigests',
  '1.3.6.1.6.3.15.1.1.6.0': 'usmStatsDecryptionErrors',
  // RFC 3412 §5, snmpMPDStats.
  '1.3.6.1.6.3.11.2.1.1.0': 'snmpUnknownSecurityModels',
  '1.3.6.1.6.3.11.2.1.2.0': 'snmpInvalidMsgs',
  '1.3.6.1.6.3.11.2.1.3.0': 'snmpUnknownPDUHandlers',
  // RFC 3413 §4.1.2.
  '1.3.6.1.6.3.12.1.4.0': 'snmpUnavailableContexts',
  '1.3.6.1.6.3.12.1.5.0': 'snmpUnknownContexts',
};

export const UNKNOWN_ENGINE = '1.3.6.1.6.3.15.1.1.4.0';
export const UNKNOWN_USER = '1.3.6.1.6.3.15.1.1.3.0';

/** Long enough for every name here, short enough for a report. */
const MOST_OID_CHARACTERS = 80;

function reportIn({ varBinds }: Pdu): string {
  const oid = varBinds[0]?.oid ?? 'without a counter';
  return REPORTS[oid] ?? oid.slice(0, MOST_OID_CHARACTERS);
}

/** RFC 3416 §3, error-status. */
const ERRORS = (
  'noError tooBig noSuchName badValue readOnly genErr noAccess wrongType wrongLength wrongEncoding wrongValue ' +
  'noCreation inconsistentValue resourceUnavailable commitFailed undoFailed authorizationError notWritable ' +
  'inconsistentName'
).split(' ');

export function errorName(status: number): string {
  return ERRORS[status] ?? `error ${String(status)}`;
}

export interface Engine extends Moment {
  readonly id: Uint8Array;
}

export interface Discovered {
  /** Absent where the answer named none. */
  readonly engine?: Engine;
  readonly facts: Facts;
}

function plainPdu(message: SecuredMessage): Pdu {
  if ((message.flags & FLAG.encrypted) !== 0) throw notOurs('an SNMP message encrypted for nobody');
  return parseScopedPdu(message.scoped).pdu;
}

/** Engine discovery over a socket; whatever answers it speaks SNMPv3. */
export function discover(kit: Kit, socket: Datagrams): Promise<Discovered> {
  const { messageId } = idsOf(kit.nonce);
  return socket.exchange(encodeDiscovery(kit.nonce), (reply) => {
    const message = parseMessage(reply);
    if (message.version !== 3 || message.messageId !== messageId) throw notOurs();
    const pdu = plainPdu(message);
    if (pdu.type !== PDU.report && pdu.type !== PDU.response) throw notOurs('an SNMP request');
    const report = pdu.type === PDU.report ? reportIn(pdu) : 'none, but a response';
    const { engineId: id, boots, seconds } = message;
    return {
      // RFC 3411 §5: at least five bytes.
      ...(id.length < 5 ? {} : { engine: { id: Uint8Array.from(id), boots, seconds } }),
      facts: {
        version: 'v3',
        ...engineFacts(message),
        ...(report === REPORTS[UNKNOWN_ENGINE] ? {} : { report }),
      },
    };
  });
}

/** The user's keys at one engine. */
interface Keys {
  readonly authentication?: { readonly how: Authentication; readonly key: Uint8Array };
  readonly privacy?: { readonly how: Privacy; readonly key: Uint8Array };
}

function keysOf(kit: Kit, { authentication, privacy }: User, engineId: Uint8Array): Keys {
  if (authentication === undefined) return {};
  const { how, password } = authentication;
  const key = localizedKey(how, kit.secret(password), engineId);
  if (privacy === undefined) return { authentication: { how, key } };
  const privKey = privacyKey(privacy.how, how, kit.secret(privacy.password), engineId);
  return { authentication: { how, key }, privacy: { how: privacy.how, key: privKey } };
}

function seal(kit: Kit, user: User, keys: Keys, engine: Engine, messageId: number, pdu: Pdu): Uint8Array {
  const plain = encodeScopedPdu({ engineId: engine.id, contextName: Buffer.from(user.context), pdu });
  const { authentication, privacy } = keys;
  // RFC 3826 §3.1.2.1: no salt twice with one key.
  const salt = privacy === undefined ? NOTHING : kit.random(SALT_BYTES);
  const zeros = new Uint8Array(authentication === undefined ? 0 : digestBytes(authentication.how));
  const message = {
    messageId,
    flags:
      FLAG.reportable |
      (authentication === undefined ? 0 : FLAG.authenticated) |
      (privacy === undefined ? 0 : FLAG.encrypted),
    engineId: engine.id,
    boots: engine.boots,
    seconds: engine.seconds,
    user: Buffer.from(user.name),
    digest: zeros,
    salt,
    scoped: privacy === undefined ? plain : encrypt(privacy.how, privacy.key, engine, salt, plain),
  };
  const blank = encodeSecuredMessage(message);
  if (authentication === undefined) return blank;
  return encodeSecuredMessage({ ...message, digest: digestOf(authentication.how, authentication.key, blank) });
}

/** What a message of the engine's says, and whether the user's key vouches for it. Throws ProtocolError for a forged one. */
function unseal(reply: Uint8Array, keys: Keys, message: SecuredMessage): { pdu: Pdu; vouched: boolean } {
  const { authentication, privacy } = keys;
  if ((message.flags & FLAG.authenticated) === 0) return { pdu: plainPdu(message), vouched: false };
  if (authentication === undefined) throw notOurs('an SNMP message that no key of ours can check');
  const blank = Uint8Array.from(wholeOf(reply));
  blank.fill(0, message.digestAt, message.digestAt + message.digest.length);
  if (!sameDigest(digestOf(authentication.how, authentication.key, blank), message.digest)) {
    throw notOurs('an SNMP message with a wrong digest');
  }
  if ((message.flags & FLAG.encrypted) === 0) return { pdu: plainPdu(message), vouched: true };
  if (privacy === undefined || message.salt.length !== SALT_BYTES) throw notOurs('an SNMP message that cannot be read');
  return {
    pdu: parseScopedPdu(decrypt(privacy.how, privacy.key, message, message.salt, message.scoped)).pdu,
    vouched: true,
  };
}

type Heard =
  | { readonly kind: 'response'; readonly pdu: Pdu }
  | { readonly kind: 'report'; readonly report: string; readonly moment?: Moment };

/** RFC 3414 §3.2: these four are about the user, and say so. */
const TURNED_AWAY: ReadonlySet<string> = new Set([
  'usmStatsUnsupportedSecLevels',
  'usmStatsUnknownUserNames',
  'usmStatsWrongDigests',
  'usmStatsDecryptionErrors',
]);

/**
 * Asks as a user, and once more where the engine's clock had moved on. Where credentials may not be used, or no answer
 * comes to them, what was discovered is the outcome: RFC 3414 §3.2 has an engine that cannot read a message fall silent.
 */
export async function askAsUser(
  kit: Kit,
  socket: Datagrams,
  { engine, facts }: Discovered,
  user: User,
  question: { readonly type: number; readonly varBinds: readonly VarBind[] },
  told: (pdu: Pdu, facts: Facts) => Outcome,
): Promise<Outcome> {
  const bare: Outcome = { kind: 'answered', depth: 'protocol', facts };
  if (!kit.login || engine === undefined) return bare;
  const level = { ...facts, securityLevel: levelOf(user) };
  kit.seen({ ...bare, facts: { ...level, userAnswered: false } });
  const keys = keysOf(kit, user, engine.id);
  let heard: Heard = await askEngine(kit, socket, user, keys, engine, question);
  if (heard.kind === 'report' && heard.moment !== undefined) {
    heard = await askEngine(kit, socket, user, keys, { ...engine, ...heard.moment }, question);
  }
  if (heard.kind === 'response') return told(heard.pdu, level);
  const { report } = heard;
  return TURNED_AWAY.has(report)
    ? { kind: 'turned-away', presented: 'credentials', by: `Report ${report}`, facts: level }
    : { ...bare, facts: { ...level, report } };
}

function askEngine(
  kit: Kit,
  socket: Datagrams,
  user: User,
  keys: Keys,
  engine: Engine,
  question: { readonly type: number; readonly varBinds: readonly VarBind[] },
): Promise<Heard> {
  const { messageId, requestId } = idsOf(kit.random(8));
  const request = seal(kit, user, keys, engine, messageId, { requestId, errorStatus: 0, errorIndex: 0, ...question });
  return socket.exchange<Heard>(
    request,
    (reply) => {
      const message: SnmpMessage = parseMessage(reply);
      if (message.version !== 3 || message.messageId !== messageId) throw notOurs();
      const { pdu, vouched } = unseal(reply, keys, message);
      if (pdu.type === PDU.report) {
        const report = reportIn(pdu);
        const late = report === 'usmStatsNotInTimeWindows' && vouched;
        return {
          kind: 'report',
          report,
          ...(late ? { moment: { boots: message.boots, seconds: message.seconds } } : {}),
        };
      }
      // RFC 3412 §7.2.10: a response has the level of its request. Without, anybody could have made it.
      const sealed = (keys.privacy === undefined) === ((message.flags & FLAG.encrypted) === 0);
      if (pdu.type !== PDU.response || pdu.requestId !== requestId) throw notOurs();
      if (vouched !== (keys.authentication !== undefined) || !sealed)
        throw notOurs('an SNMP response that nobody signed');
      return { kind: 'response', pdu };
    },
    { secret: true },
  );
}

/** What `seal` makes of a question at most, for `plan`: with 32 bytes each of user, context and engine id. */
export function userSends(what: string, user: User, varBinds: readonly VarBind[]): Traits['sends'][number] {
  const plain = encodeScopedPdu({
    engineId: new Uint8Array(32),
    contextName: Buffer.from(user.context),
    pdu: { type: PDU.get, requestId: 0x7fff_ffff, errorStatus: 0, errorIndex: 0, varBinds },
  });
  const { authentication, privacy } = user;
  const message = encodeSecuredMessage({
    messageId: 0x7fff_ffff,
    flags: privacy === undefined ? 0 : FLAG.encrypted,
    engineId: new Uint8Array(32),
    boots: 0x7fff_ffff,
    seconds: 0x7fff_ffff,
    user: Buffer.from(user.name),
    digest: new Uint8Array(authentication === undefined ? 0 : digestBytes(authentication.how)),
    salt: new Uint8Array(privacy === undefined ? 0 : SALT_BYTES),
    scoped: plain,
  });
  // Once more where the engine's clock has moved on.
  return { what, packets: 2, bytes: message.length };
}

/** A stand-in's engine id: enterprise 32473, which RFC 5612 keeps for examples, and nothing more to tell. */
const STAND_IN_ENGINE = Uint8Array.of(0x80, 0x00, 0x7e, 0xd9, 0x80);

/** What an engine without users says to a message of SNMPv3: who it is, or that it does not know the user. */
export function standInReport(request: SecuredMessage): Uint8Array | undefined {
  if ((request.flags & FLAG.reportable) === 0) return undefined;
  const known = Buffer.from(request.engineId).equals(STAND_IN_ENGINE);
  const oid = known ? UNKNOWN_USER : UNKNOWN_ENGINE;
  return encodeSecuredMessage({
    messageId: request.messageId,
    flags: 0,
    engineId: STAND_IN_ENGINE,
    boots: 0,
    seconds: 0,
    user: NOTHING,
    digest: NOTHING,
    salt: NOTHING,
    scoped: encodeScopedPdu({
      engineId: STAND_IN_ENGINE,
      contextName: NOTHING,
      pdu: {
        type: PDU.report,
        requestId: 0,
        errorStatus: 0,
        errorIndex: 0,
        varBinds: [{ oid, tag: VALUE.counter32, value: Uint8Array.of(1) }],
      },
    }),
  });
}

/** What a question asks for where its value is not known yet. */
export function unspecified(oid: string): VarBind {
  return { oid, tag: TAG.null, value: NOTHING };
}
