// The `smtp` probe (RFC 5321): greeting, EHLO, STARTTLS where wanted (RFC 3207) or TLS from the start (RFC 8314), QUIT.
// No sender, no recipient, no mail, no login.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Stream, Target, Traits } from '../../src/contract/probe.js';
import {
  Conversation,
  handshakeSends,
  hostName,
  keyNeedsCertificate,
  sendsInTls,
  tlsOptions,
  wantsTls,
} from '../tls/packet.js';
import {
  ehloFacts,
  encodeCommand,
  extensionsOf,
  greetingFacts,
  isSmtpRefusal,
  leave,
  nextReply,
  sentenceOf,
  type Reply,
} from './packet.js';

export { standIn } from './stand-in.js';

const SMTPS = 465;
const SUBMISSION = 587;
/** RFC 2606 reserves `.invalid`. It stands in the server's log, so that its administrator knows what came by. */
const OWN_NAME = 'linecheck.invalid';

const options = z
  .strictObject({
    mode: z
      .enum(['plain', 'starttls', 'smtps'])
      .describe(
        'plain: whether STARTTLS is offered is a fact. starttls: completed, and demanded. smtps: TLS from the start. ' +
          'Default: smtps on port 465; where offered, starttls on port 587 or with ca, pin, issuer, servername, ' +
          'client-cert or min-version given; else plain.',
      )
      .optional(),
    helo: hostName
      .describe(`Name to introduce this machine with; default: ${OWN_NAME}, which a server may refuse.`)
      .optional(),
    ...tlsOptions,
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem);

type Given = z.infer<typeof options>;

/** `where-offered`: a server without STARTTLS is asked all the same. */
type Mode = 'plain' | 'where-offered' | 'starttls' | 'smtps';

function modeOf(given: Given, port: number): Mode {
  if (given.mode !== undefined) return given.mode;
  if (port === SMTPS) return 'smtps';
  return port === SUBMISSION || wantsTls(given) ? 'where-offered' : 'plain';
}

export const probe: Probe = {
  name: 'smtp',
  summary: 'SMTP: greeting, EHLO and its extensions, STARTTLS with certificate facts, QUIT; no mail (RFC 5321).',
  carriers: ['tcp'],
  defaultPort: 25,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits: traitsOf(parsed), ask: (target, kit) => ask(target, kit, parsed) };
  },
};

function traitsOf(given: Given): Traits {
  const name = given.helo ?? OWN_NAME;
  const plain = given.mode === 'plain';
  return {
    silence: 'conclusive',
    depths: plain ? ['port', 'protocol'] : ['port', 'secure', 'protocol'],
    defaultDepth: 'protocol',
    sends: [
      // The second where a server does not know the first.
      { what: 'EHLO and HELO, up to', packets: 2, bytes: encodeCommand('EHLO', name).length },
      ...(plain
        ? []
        : sendsInTls(given.mode !== undefined || wantsTls(given), [
            { what: 'STARTTLS, unless TLS stands from the start', packets: 1, bytes: encodeCommand('STARTTLS').length },
            ...handshakeSends(given['client-cert'] !== undefined),
            // RFC 3207 §4.2: what was said before the handshake is void.
            { what: 'EHLO and QUIT in TLS, with its framing', packets: 2, bytes: 64 + name.length },
          ])),
      { what: 'QUIT', packets: 1, bytes: encodeCommand('QUIT').length },
    ],
  };
}

async function ask(target: Target, kit: Kit, given: Given): Promise<Outcome> {
  const mode = modeOf(given, target.port);
  const talk = new Conversation(kit, given);
  try {
    const failed = await talk.open(mode === 'smtps');
    if (failed !== undefined) return failed;
    const answer = await asked(talk, given, mode);
    // The goodbye may take longer than the attempt has left.
    kit.seen(answer);
    await leave(talk.stream, kit);
    return answer;
  } catch (error) {
    const outcome = talk.outcomeOf(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

async function asked(talk: Conversation, given: Given, mode: Mode): Promise<Outcome> {
  const name = given.helo ?? OWN_NAME;
  const shown = given['client-cert'] !== undefined;
  const greeting = await nextReply(talk.stream);
  talk.tell(greetingFacts(greeting));
  if (greeting.code !== 220) {
    // RFC 5321 §3.1, RFC 7504: 554 and 521 say that no mail is taken here, 421 that none is taken now.
    if (isSmtpRefusal(greeting)) return talk.answered();
    return talk.stranger(`greets with "${sentenceOf(greeting)}"`);
  }

  const introduced = await introduce(talk.stream, name);
  if (!introduced.ok) {
    const said = sentenceOf(introduced.reply);
    if (!isSmtpRefusal(introduced.reply)) return talk.stranger(`greets with 220 and answers EHLO with "${said}"`);
    return withoutEhlo(talk, said, shown);
  }
  talk.tell(ehloFacts(introduced.reply));
  if (mode === 'smtps') return talk.answered();

  const offered = introduced.extended && extensionsOf(introduced.reply).has('STARTTLS');
  talk.tell({ startTls: offered ? 'offered' : 'not offered' });
  if (mode === 'plain') return talk.answered();
  const without = (detail: string): Outcome => (mode === 'starttls' ? talk.stranger(detail) : talk.answered());
  if (!offered) return without('SMTP that does not offer STARTTLS');
  await talk.stream.write(encodeCommand('STARTTLS'));
  const agreed = await nextReply(talk.stream);
  if (agreed.code !== 220) {
    const said = sentenceOf(agreed);
    talk.tell({ startTls: `refused: ${said}` });
    return without(`SMTP that refuses STARTTLS: "${said}"`);
  }
  const outcome = await talk.secure({ startTls: 'completed' });
  if (outcome !== undefined) return outcome;
  const again = await introduce(talk.stream, name);
  if (!again.ok) return withoutEhlo(talk, sentenceOf(again.reply), shown);
  talk.tell(ehloFacts(again.reply));
  return talk.answered();
}

/** SMTP that says no to EHLO. Postfix completes every handshake, and refuses what it thinks of the certificate here. */
function withoutEhlo(talk: Conversation, said: string, shown: boolean): Outcome {
  talk.tell({ ehlo: said });
  if (talk.session !== undefined && /client certificate/i.test(said)) {
    if (shown) return talk.turnedAway('credentials', said);
    talk.tell({ clientCertificate: 'demanded' });
  }
  return talk.answered();
}

interface Introduced {
  readonly ok: boolean;
  readonly extended: boolean;
  readonly reply: Reply;
}

/** EHLO, and HELO for a server that does not know it (RFC 5321 §3.2). */
async function introduce(stream: Stream, name: string): Promise<Introduced> {
  await stream.write(encodeCommand('EHLO', name));
  const ehlo = await nextReply(stream);
  if (![500, 501, 502, 504].includes(ehlo.code)) return { ok: ehlo.code === 250, extended: true, reply: ehlo };
  await stream.write(encodeCommand('HELO', name));
  const helo = await nextReply(stream);
  return { ok: helo.code === 250, extended: false, reply: helo };
}
