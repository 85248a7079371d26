// The `ftp` probe (RFC 959): greeting, FEAT (RFC 2389), TLS where wanted (RFC 4217) or from the start, QUIT.
// No login, no data connection, no file.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { encodeCommand, leave, nextReply, sentenceOf, type Reply } from '../smtp/packet.js';
import { Conversation, handshakeSends, keyNeedsCertificate, sendsInTls, tlsOptions, wantsTls } from '../tls/packet.js';
import { featureFacts, featuresOf, greetingFacts, isFtpRefusal, offersAuthTls, wantsLogin } from './packet.js';

export { standIn } from './stand-in.js';

const FTPS = 990;

const options = z
  .strictObject({
    mode: z
      .enum(['plain', 'auth-tls', 'ftps'])
      .describe(
        'plain: whether AUTH TLS is offered is a fact. auth-tls: completed, and demanded. ftps: TLS from the start. ' +
          'Default: ftps on port 990; with ca, pin, issuer, servername, client-cert or min-version given, auth-tls where ' +
          'offered; else plain.',
      )
      .optional(),
    ...tlsOptions,
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem);

type Given = z.infer<typeof options>;

/** `where-offered`: a server without AUTH TLS has answered all the same. */
type Mode = 'plain' | 'where-offered' | 'auth-tls' | 'ftps';

function modeOf(given: Given, port: number): Mode {
  if (given.mode !== undefined) return given.mode;
  if (port === FTPS) return 'ftps';
  return wantsTls(given) ? 'where-offered' : 'plain';
}

export const probe: Probe = {
  name: 'ftp',
  summary: 'FTP: greeting and features, AUTH TLS with certificate facts, QUIT; no login (RFC 959, RFC 2389, RFC 4217).',
  carriers: ['tcp'],
  defaultPort: 21,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits: traitsOf(parsed), ask: (target, kit) => ask(target, kit, parsed) };
  },
};

function traitsOf(given: Given): Traits {
  const plain = given.mode === 'plain';
  return {
    silence: 'conclusive',
    depths: plain ? ['port', 'protocol'] : ['port', 'secure', 'protocol'],
    defaultDepth: 'protocol',
    sends: [
      { what: 'FEAT, and SYST where that is not known', packets: 2, bytes: encodeCommand('FEAT').length },
      ...(plain
        ? []
        : sendsInTls(given.mode !== undefined || wantsTls(given), [
            { what: 'AUTH TLS, unless TLS stands from the start', packets: 1, bytes: encodeCommand('AUTH TLS').length },
            ...handshakeSends(given['client-cert'] !== undefined),
            { what: 'FEAT and QUIT in TLS, with its framing', packets: 3, bytes: 64 },
          ])),
      { what: 'QUIT', packets: 1, bytes: encodeCommand('QUIT').length },
    ],
  };
}

async function ask(target: Target, kit: Kit, given: Given): Promise<Outcome> {
  const mode = modeOf(given, target.port);
  const talk = new Conversation(kit, given);
  try {
    const failed = await talk.open(mode === 'ftps');
    if (failed !== undefined) return failed;
    const outcome = await asked(talk, mode);
    // The goodbye may take longer than the attempt has left.
    kit.seen(outcome);
    await leave(talk.stream, kit);
    return outcome;
  } catch (error) {
    const outcome = talk.outcomeOf(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

async function asked(talk: Conversation, mode: Mode): Promise<Outcome> {
  const greeting = await firstGreeting(talk);
  talk.tell(greetingFacts(greeting));
  if (greeting.code !== 220) {
    if (isFtpRefusal(greeting)) return talk.answered();
    return talk.stranger(`greets with "${sentenceOf(greeting)}"`);
  }

  await talk.stream.write(encodeCommand('FEAT'));
  const feat = await nextReply(talk.stream);
  const features = featuresOf(feat);
  if (feat.code === 211) talk.tell(featureFacts(features));
  else if (!wantsLogin(feat)) {
    // Others greet with 220 too. FEAT is younger than FTP; SYST every server knows (RFC 1123 §4.1.2.13), and no other.
    await talk.stream.write(encodeCommand('SYST'));
    const syst = await nextReply(talk.stream);
    if (syst.code === 215) talk.tell({ system: sentenceOf(syst).slice('215 '.length) });
    else if (!wantsLogin(syst)) {
      return talk.stranger(`greets with 220, answers FEAT with "${sentenceOf(feat)}", SYST with "${sentenceOf(syst)}"`);
    }
  }

  if (mode === 'plain' || mode === 'ftps') return talk.answered();
  if (mode === 'where-offered' && !offersAuthTls(features)) return talk.answered();
  await talk.stream.write(encodeCommand('AUTH TLS'));
  const agreed = await nextReply(talk.stream);
  if (agreed.code !== 234) {
    const said = sentenceOf(agreed);
    talk.tell({ authTls: `refused: ${said}` });
    return mode === 'auth-tls' ? talk.stranger(`FTP that refuses AUTH TLS: "${said}"`) : talk.answered();
  }
  const failed = await talk.secure({ authTls: 'completed' });
  if (failed !== undefined) return failed;
  // Some features come only with TLS, and a server that does not like our certificate says so when it is asked something.
  await talk.stream.write(encodeCommand('FEAT'));
  const again = featuresOf(await nextReply(talk.stream));
  talk.tell(again.length === 0 ? {} : { ...featureFacts(again), authTls: 'completed' });
  return talk.answered();
}

/** RFC 959 §5.4: 120 says that the service is not ready yet, and another greeting follows. */
async function firstGreeting(talk: Conversation): Promise<Reply> {
  const greeting = await nextReply(talk.stream);
  return greeting.code === 120 ? nextReply(talk.stream) : greeting;
}
