// The `dns` probe (RFC 1035, RFC 7766): one question over UDP or TCP, and any answer to it, whatever its rcode. It never
// asks again over TCP what UDP cut short: that is another flow.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf } from '../../src/bytes/text.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { hostName } from '../tls/packet.js';
import { answers, encodeQuery, parseMessage, queryBytes, rcodeName, withLength } from './packet.js';
import type { Message, Question, RecordType } from './packet.js';

export { otherStandIns, standIn } from './stand-in.js';

const TYPE_NAMES = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const satisfies RecordType[];

/**
 * Asked where the site names nothing. RFC 6303 §4.2: every resolver knows it by itself, so the answer depends on nobody
 * behind it, and the question tells nothing of who asks.
 */
const LOOPBACK: Question = { name: '1.0.0.127.in-addr.arpa', type: 'PTR' };

const MOST_EXPECTED = 16;
const datum = z.string().min(1).max(200);

const options = z
  .strictObject({
    name: hostName
      .describe('Name to ask for; default: that of 127.0.0.1, which every resolver knows without asking others.')
      .optional(),
    type: z.enum(TYPE_NAMES).describe('Record type to ask for; default: A.').optional(),
    expect: z
      .union([datum, z.array(datum).min(1).max(MOST_EXPECTED)])
      .describe('Data that must be among the answers, as 192.0.2.1 or "10 mail.example.net"; or a list of them.')
      .optional(),
    'udp-payload-size': z
      .int()
      .min(512)
      .max(4096)
      .describe('Offer EDNS with this size for answers, in bytes, such as 1232; default: no EDNS.')
      .optional(),
  })
  .refine((given) => given.name !== undefined || given.type === undefined, {
    error: 'type needs name',
    path: ['type'],
  })
  .refine((given) => given.name !== undefined || given.expect === undefined, {
    error: 'expect needs name',
    path: ['expect'],
  });

type Given = z.infer<typeof options>;

function questionOf(given: Given): Question {
  const size = given['udp-payload-size'];
  return {
    ...(given.name === undefined ? LOOPBACK : { name: given.name, type: given.type ?? 'A' }),
    ...(size === undefined ? {} : { udpPayloadSize: size }),
  };
}

/** As two writers of one address, or of one name, write it alike. */
function comparable(datum: string): string {
  // RFC 5952: one IPv6 address has many spellings; a URL's host has one.
  if (/^[\da-f]*:[\da-f:.]*$/i.test(datum) && URL.canParse(`http://[${datum}]`)) {
    return new URL(`http://[${datum}]`).hostname.slice(1, -1);
  }
  return datum.toLowerCase().replace(/\.$/, '');
}

function factsOf(message: Message): Facts {
  const shown = message.answers.map(({ name, type, data }) => `${name} ${type} ${data}`);
  return {
    rcode: rcodeName(message.rcode),
    ...(shown.length === 0 ? {} : { answers: shown }),
    ...(message.answerCount > shown.length ? { answersInAll: message.answerCount } : {}),
    recursionAvailable: message.recursionAvailable,
    ...(message.authoritative ? { authoritative: true } : {}),
    ...(message.truncated ? { truncated: true } : {}),
    ...(message.udpPayloadSize === undefined ? {} : { udpPayloadSize: message.udpPayloadSize }),
  };
}

function outcomeOf(message: Message, given: Given): Outcome {
  const facts = factsOf(message);
  const came = new Set(message.answers.map(({ data }) => comparable(data)));
  const missing = [given.expect ?? []].flat().filter((datum) => !came.has(comparable(datum)));
  if (missing.length === 0) return { kind: 'answered', depth: 'protocol', facts };
  const answer = message.truncated ? `${rcodeName(message.rcode)}, cut short` : rcodeName(message.rcode);
  const detail = `a DNS answer (${answer}) without ${missing.join(' and ')}, which is expected`;
  return { kind: 'stranger', came: 'other-protocol', detail, facts };
}

async function askUdp(kit: Kit, query: Uint8Array): Promise<Message> {
  const asked = parseMessage(query);
  const datagrams = await kit.udp();
  return datagrams.exchange(query, (reply) => {
    const message = parseMessage(reply);
    return answers(message, asked) ? message : undefined;
  });
}

/** What of a stranger's first bytes is taken in, to say how they look. */
const FIRST_BYTES = 64;

async function askTcp(kit: Kit, query: Uint8Array): Promise<Message> {
  const asked = parseMessage(query);
  const stream = await kit.tcp();
  // RFC 7766 §8: length and message in one write.
  await stream.write(withLength(query));
  let came = await stream.read({ atLeast: 4, max: FIRST_BYTES });
  const head = new Reader(came, 'DNS message');
  const size = head.u16();
  if (head.u16() !== asked.id) throw new ProtocolError(`${lookOf(came)}, no DNS answer`);
  if (came.length > 2 + size) throw new ProtocolError('a DNS message with more bytes than its length says');
  if (came.length < 2 + size) {
    const left = 2 + size - came.length;
    came = Buffer.concat([came, await stream.read({ atLeast: left, max: left })]);
  }
  const message = parseMessage(came.subarray(2));
  if (!answers(message, asked)) throw new ProtocolError('a DNS message that answers another question');
  await stream.end();
  return message;
}

function bind(carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const question = questionOf(parsed);
  const overTcp = carrier === 'tcp';
  const what = `DNS query for ${question.name} ${question.type}`;
  const traits: Traits = {
    // For a name of the site's a server may have to ask others, and waits for them longer than we do.
    silence: parsed.name === undefined ? 'conclusive' : 'ambiguous',
    depths: ['protocol'],
    defaultDepth: 'protocol',
    sends: [
      ...(overTcp ? [{ what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 }] : []),
      {
        what: overTcp ? what : `${what}, again each second until an answer`,
        packets: 1,
        bytes: queryBytes(question) + (overTcp ? 2 : 0),
      },
    ],
  };
  return {
    traits,
    async ask(_target: Target, kit: Kit): Promise<Outcome> {
      const query = encodeQuery(kit.random(2), question);
      return outcomeOf(await (overTcp ? askTcp(kit, query) : askUdp(kit, query)), parsed);
    },
  };
}

export const probe: Probe = {
  name: 'dns',
  summary: 'DNS: the server answers a question, whatever it answers; with an expectation, it also says the right thing',
  carriers: ['udp', 'tcp'],
  defaultPort: 53,
  options,
  bind,
};
