// The `xmpp` probe (RFC 6120): a client's stream is opened, the server's features are read, STARTTLS where wanted or TLS
// from the start (XEP-0368), and the stream is closed. Nobody logs in.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import { withoutZone } from '../../src/bytes/ip.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
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
  NAMESPACE,
  STARTTLS,
  STREAM_END,
  encodeHeader,
  featureFacts,
  headerFacts,
  isElement,
  leave,
  parseFeatures,
  parseHeader,
  parseStreamError,
  type Features,
} from './packet.js';
import { XmlInput, shown, type XmlElement } from './xml.js';

export { standIn } from './stand-in.js';

const DIRECT_TLS = 5223;
/** Domains are rarely longer; `plan` does not know that of a target. */
const DOMAIN_BYTES = 64;

/** How long a server that sends no features may take to send an error, ms. */
const ERROR_MS = 1000;

const options = z
  .strictObject({
    mode: z
      .enum(['plain', 'starttls', 'xmpps'])
      .describe(
        'plain: whether STARTTLS is offered or required is a fact. starttls: completed, and demanded. xmpps: TLS from the ' +
          'start. Default: xmpps on port 5223; where offered, starttls with ca, pin, issuer, servername, client-cert or ' +
          'min-version given; else plain.',
      )
      .optional(),
    domain: hostName
      .describe(
        'XMPP domain to ask for, which the certificate must name; default: the host. A server that does not serve it ' +
          'says so, and proves its protocol by that.',
      )
      .optional(),
    ...tlsOptions,
    servername: hostName
      .describe('Name to ask for (SNI) and to verify; default: domain, else the host, where that is a name.')
      .optional(),
  })
  .refine(keyNeedsCertificate.check, keyNeedsCertificate.problem);

type Given = z.infer<typeof options>;

/** `where-offered`: a server without STARTTLS is asked all the same. */
type Mode = 'plain' | 'where-offered' | 'starttls' | 'xmpps';

function modeOf(given: Given, port: number): Mode {
  if (given.mode !== undefined) return given.mode;
  if (port === DIRECT_TLS) return 'xmpps';
  return wantsTls(given) ? 'where-offered' : 'plain';
}

export const probe: Probe = {
  name: 'xmpp',
  summary: 'XMPP: stream header and features, STARTTLS with certificate facts, SASL mechanisms; no login (RFC 6120).',
  carriers: ['tcp'],
  defaultPort: 5222,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits: traitsOf(parsed), ask: (target, kit) => ask(target, kit, parsed) };
  },
};

function traitsOf(given: Given): Traits {
  const header = encodeHeader({ to: given.domain ?? 'x'.repeat(DOMAIN_BYTES) }).length;
  const plain = given.mode === 'plain';
  return {
    silence: 'conclusive',
    depths: plain ? ['port', 'protocol'] : ['port', 'secure', 'protocol'],
    defaultDepth: 'protocol',
    sends: [
      { what: `stream header${given.domain === undefined ? ', about' : ''}`, packets: 1, bytes: header },
      ...(plain
        ? []
        : sendsInTls(given.mode !== undefined || wantsTls(given), [
            { what: 'STARTTLS, unless TLS stands from the start', packets: 1, bytes: STARTTLS.length },
            ...handshakeSends(given['client-cert'] !== undefined),
            // RFC 6120 §4.3.3: after the handshake the stream begins anew.
            { what: 'stream header and end of the stream in TLS, with its framing', packets: 2, bytes: 64 + header },
          ])),
      { what: 'end of the stream', packets: 1, bytes: STREAM_END.length },
    ],
  };
}

async function ask(target: Target, kit: Kit, given: Given): Promise<Outcome> {
  const mode = modeOf(given, target.port);
  const { host } = target;
  // RFC 7622 §3.2: an IPv6 address that stands for a domain has brackets.
  const domain = given.domain ?? (host.includes(':') ? `[${withoutZone(host)}]` : host);
  // RFC 6120 §13.7.2: the certificate is for the domain, not for the host that serves it.
  const servername = given.servername ?? given.domain;
  const talk = new Conversation(kit, { ...given, ...(servername === undefined ? {} : { servername }) });
  try {
    const failed = await talk.open(mode === 'xmpps');
    if (failed !== undefined) return failed;
    const { outcome, broken } = await asked(talk, domain, mode);
    // The goodbye may take longer than the attempt has left.
    kit.seen(outcome);
    if (broken !== true) await leave(talk.stream, kit);
    return outcome;
  } catch (error) {
    const outcome = talk.outcomeOf(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

interface Asked {
  readonly outcome: Outcome;
  /** The connection bears no stream any more that could be closed. */
  readonly broken?: true;
}

async function asked(talk: Conversation, domain: string, mode: Mode): Promise<Asked> {
  const first = await begin(talk, domain);
  const without = (detail: string): Asked => ({
    outcome: mode === 'starttls' ? talk.stranger(detail) : talk.answered(),
  });
  if (mode === 'xmpps') return { outcome: talk.answered() };
  if (first.features === undefined) return without(`XMPP that comes to no STARTTLS: ${first.ending}`);
  const { startTls } = first.features;
  talk.tell({ startTls });
  if (mode === 'plain') return { outcome: talk.answered() };
  if (startTls === 'not offered') return without('XMPP that does not offer STARTTLS');
  await talk.stream.write(STARTTLS);
  const agreed = await nextChild(first.input);
  if (!isElement(agreed, NAMESPACE.tls, 'proceed')) {
    // RFC 6120 §5.4.2.2: <failure/>, and the end of the stream.
    const said = parseStreamError(agreed) ?? shown(agreed.name);
    talk.tell({ startTls: `refused: ${said}` });
    return without(`XMPP that refuses STARTTLS: ${said}`);
  }
  const failed = await talk.secure({ startTls: 'completed' });
  if (failed !== undefined) return { outcome: failed, broken: true };
  await begin(talk, domain);
  return { outcome: talk.answered() };
}

type Begun =
  | { readonly input: XmlInput; readonly features: Features }
  /** The server ended the stream, or is older than features. */
  | { readonly features?: undefined; readonly ending: string };

/** Opens a stream and takes in what the server says of itself. */
async function begin(talk: Conversation, domain: string): Promise<Begun> {
  await talk.stream.write(encodeHeader({ to: domain }));
  const input = new XmlInput(talk.stream);
  const root = await input.next();
  if (root.kind !== 'root') throw new ProtocolError('XML without content where an XMPP stream belongs');
  const header = parseHeader(root.element);
  // Prosody names no version where it has nothing but an error to say; a server of old has nothing at all.
  if (!header.sendsFeatures && (await talk.stream.peek(ERROR_MS)) !== 'bytes') {
    talk.tell(headerFacts(header));
    return { ending: `version ${header.version}` };
  }
  const element = await nextChild(input);
  const error = parseStreamError(element);
  if (error !== undefined) {
    // A server that serves no such domain writes it into its header all the same.
    talk.tell({ ...headerFacts({ ...header, from: undefined }), streamError: error, askedFor: domain });
    return { ending: error };
  }
  const features = parseFeatures(element);
  talk.tell({ ...headerFacts(header), ...featureFacts(features) });
  return { input, features };
}

async function nextChild(input: XmlInput): Promise<XmlElement> {
  const event = await input.next();
  if (event.kind === 'child') return event.element;
  throw new ProtocolError('an XMPP stream that ends where an answer belongs');
}
