// The dns probe: whatever answers the question answers, what the answer says, and what is no answer to it.
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/dns/packet.js';
import * as dns from '../../probes/dns/probe.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { requireServer } from '../lab/requirements.js';
import { sshd } from '../lab/servers.js';
import { unbound } from '../lab/servers/unbound.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, standInAt, tcpPeer, udpPeer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const { answers, encodeQuery, parseMessage, queryBytes, rcodeName, refusalOf, withLength } = packet;

describeConformance(dns, { name: 'dns over UDP', carrier: 'udp' });
describeConformance(dns, { name: 'dns over TCP', carrier: 'tcp' });
describeConformance(dns, {
  name: 'dns over UDP with EDNS',
  carrier: 'udp',
  options: { name: 'www.example.net', type: 'AAAA', 'udp-payload-size': 1232 },
});

/** Answers without a length before them, as over UDP. */
const overUdp = vectorsOf('dns').filter(({ path }) => !path.includes('tcp'));
/** unbound promises a question there and has none: no message, and none that answers a query of ours. */
const wellFormed = overUdp.filter(({ path }) => path !== 'dns/unbound-1.17.1-formerr.hex');
const id = Uint8Array.of(0xa1, 0xb2);

describeDecoders(packet, {
  parseMessage: {
    decode: parseMessage,
    samples: [...wellFormed.map(({ bytes }) => bytes), encodeQuery(id, { name: 'www.lab.example', type: 'A' })],
  },
});

const { probe } = dns;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface How {
  readonly carrier?: 'tcp' | 'udp';
  readonly deadlineMs?: number;
  readonly family?: Family;
}

async function ask(port: number, options: Record<string, unknown> = {}, how: How = {}): Promise<Outcome> {
  const { carrier = 'udp', deadlineMs = 10_000, family = 4 } = how;
  const bound = probe.bind(carrier, probe.options.parse(options));
  return (await askOnce(bound, port, { deadlineMs, family })).outcome;
}

/** Says what `reply` makes of each question, over UDP. */
async function answering(reply: (query: Uint8Array) => readonly Uint8Array[]): Promise<number> {
  const peer = await udpPeer((query, answer) => {
    for (const each of reply(Uint8Array.from(query))) answer(each);
  });
  closing.push(() => peer.close());
  return peer.port;
}

/** Says what `reply` makes of the first bytes, over TCP, and stays. */
async function answeringTcp(reply: (bytes: Uint8Array) => Uint8Array): Promise<number> {
  const peer = await tcpPeer((socket) => void socket.once('data', (bytes: Buffer) => socket.write(reply(bytes))));
  closing.push(() => peer.close());
  return peer.port;
}

/** A captured answer under the id of this query. */
const captured = (name: string, query: Uint8Array): Uint8Array =>
  Uint8Array.from([...query.subarray(0, 2), ...vector(`dns/${name}.hex`).subarray(2)]);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a query', () => {
  it('is a header, the question and nothing else', () => {
    expect(hex(encodeQuery(id, { name: 'www.lab.example', type: 'AAAA' }))).toBe(
      // RFC 1035 §4.1.1: id, RD alone, one question.
      'a1b2' + '0100' + '0001' + '000000000000' + '03777777' + '036c6162' + '076578616d706c65' + '00' + '001c' + '0001',
    );
  });

  it('offers EDNS where it is told to (RFC 6891 §6.1.2)', () => {
    const plain = encodeQuery(id, { name: 'www.lab.example', type: 'A' });
    const extended = encodeQuery(id, { name: 'www.lab.example', type: 'A', udpPayloadSize: 1232 });
    expect(hex(extended.subarray(12))).toBe(`${hex(plain.subarray(12))}00002904d0000000000000`);
    expect(extended[11]).toBe(1);
  });

  it('asks for the root by a dot, and takes a dot at the end for none', () => {
    expect(hex(encodeQuery(id, { name: 'lab.example.', type: 'NS' }))).toBe(
      hex(encodeQuery(id, { name: 'lab.example', type: 'NS' })),
    );
  });

  it('asks by default what tells nothing and no resolver must ask others', async () => {
    const queries: Uint8Array[] = [];
    const port = await answering((query) => {
      queries.push(query);
      return [captured('unbound-1.17.1-loopback', query)];
    });
    expect(await ask(port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        rcode: 'NOERROR',
        answers: ['1.0.0.127.in-addr.arpa PTR localhost'],
        recursionAvailable: true,
        authoritative: true,
      },
    });
    await ask(port);
    expect(queries.map((query) => hex(query.subarray(2)))).toEqual(
      Array(2).fill(
        hex(vector('dns/unbound-1.17.1-loopback.hex').subarray(12, 12 + 28)).replace(/^/, '01000001000000000000'),
      ),
    );
    expect(hex(queries[0] ?? id)).not.toBe(hex(queries[1] ?? id));
  });
});

describe('from outside', () => {
  it.each<readonly [string, object]>([
    ['unbound-1.17.1-loopback', { rcode: 0, answers: [{ type: 'PTR', data: 'localhost' }] }],
    ['unbound-1.17.1-loopback-edns', { rcode: 0, udpPayloadSize: 1232 }],
    ['unbound-1.17.1-a', { answers: [{ name: 'www.lab.example', type: 'A', data: '192.0.2.10' }] }],
    ['unbound-1.17.1-aaaa', { answers: [{ type: 'AAAA', data: '2001:db8::10' }] }],
    ['unbound-1.17.1-cname', { answerCount: 1, answers: [{ type: 'CNAME', data: 'www.lab.example' }] }],
    ['unbound-1.17.1-mx', { answers: [{ type: 'MX', data: '10 mail.lab.example' }] }],
    ['unbound-1.17.1-ns', { answers: [{ type: 'NS', data: 'ns.lab.example' }] }],
    ['unbound-1.17.1-soa', { answers: [{ type: 'SOA', data: 'ns.lab.example hostmaster.lab.example 1' }] }],
    ['unbound-1.17.1-srv', { answers: [{ type: 'SRV', data: '0 100 389 dc.lab.example' }] }],
    ['unbound-1.17.1-txt', { answers: [{ type: 'TXT', data: 'v=lab; one' }] }],
    ['unbound-1.17.1-big', { answerCount: 12, truncated: false, udpPayloadSize: 1232 }],
    ['unbound-1.17.1-nxdomain', { rcode: 3, authoritative: true, answers: [] }],
    ['unbound-1.17.1-refused', { rcode: 5, answers: [] }],
    ['unbound-1.17.1-truncated', { truncated: true, answerCount: 0, answers: [] }],
    ['unbound-1.17.1-badvers', { rcode: 16, udpPayloadSize: 1232 }],
    ['unbound-1.17.1-notimp', { rcode: 4, opcode: 5 }],
    ['bind-9.18.49-loopback', { rcode: 3, authoritative: true, recursionAvailable: true }],
    [
      'bind-9.18.49-cname',
      {
        answers: [
          { type: 'CNAME', data: 'www.lab.example' },
          { name: 'www.lab.example', type: 'A', data: '192.0.2.10' },
        ],
      },
    ],
    ['bind-9.18.49-servfail', { rcode: 2 }],
    ['bind-9.18.49-truncated', { truncated: true, answerCount: 4 }],
    ['bind-9.18.49-formerr', { rcode: 1, questions: 0 }],
    ['dnsmasq-2.90-a', { answers: [{ type: 'A', data: '192.0.2.10' }] }],
    ['dnsmasq-2.90-refused-edns', { rcode: 5, udpPayloadSize: 1232 }],
    ['pdns-recursor-4.8.8-loopback', { answers: [{ type: 'PTR', data: 'localhost' }], authoritative: false }],
    ['pdns-recursor-4.8.8-servfail', { rcode: 2, recursionAvailable: true }],
  ])('%s is read', (name, expected) => {
    expect(parseMessage(vector(`dns/${name}.hex`))).toMatchObject({ id: 0xa1b2, response: true, ...expected });
  });

  it('the answer over TCP is the one over UDP, with its length before it', () => {
    expect(withLength(vector('dns/unbound-1.17.1-a.hex'))).toEqual(vector('dns/unbound-1.17.1-tcp-a.hex'));
  });

  it('unbound’s answer to half a query is no message', () => {
    expect(() => parseMessage(vector('dns/unbound-1.17.1-formerr.hex'))).toThrow(ProtocolError);
  });

  it.each(['unbound-1.17.1-loopback', 'bind-9.18.49-loopback', 'pdns-recursor-4.8.8-loopback'])(
    '%s answers the default question',
    async (name) => {
      const port = await answering((query) => [captured(name, query)]);
      expect(await ask(port)).toMatchObject({ kind: 'answered', depth: 'protocol' });
    },
  );

  it.each([
    ['unbound-1.17.1-refused', 'www.example.net', { rcode: 'REFUSED' }],
    ['bind-9.18.49-servfail', 'www.example.net', { rcode: 'SERVFAIL' }],
    ['unbound-1.17.1-nxdomain', 'none.lab.example', { rcode: 'NXDOMAIN' }],
    ['unbound-1.17.1-badvers', 'www.lab.example', { rcode: 'BADVERS' }],
    // BIND leaves the question out where it could not read it.
    ['bind-9.18.49-formerr', 'www.lab.example', { rcode: 'FORMERR' }],
  ])('%s is an answer, with its rcode', async (vectorName, name, facts) => {
    const port = await answering((query) => [captured(vectorName, query)]);
    expect(await ask(port, { name })).toMatchObject({ kind: 'answered', depth: 'protocol', facts });
  });
});

describe('an answer', () => {
  const query = encodeQuery(id, { name: 'www.lab.example', type: 'A' });
  const good = vector('dns/unbound-1.17.1-a.hex');
  const changed = (at: number, byte: number): Uint8Array => good.map((each, index) => (index === at ? byte : each));

  it.each<readonly [string, Uint8Array]>([
    ['under another id', changed(1, 0xb3)],
    ['that is itself a query', changed(2, 0x05)],
    ['to another operation', changed(2, 0xa5)],
    ['to another name', changed(14, 0x78)],
    ['to another type', changed(30, 28)],
    ['to another class', changed(32, 3)],
    ['to another question of ours', vector('dns/unbound-1.17.1-aaaa.hex')],
    ['without a question that found something', Uint8Array.of(0xa1, 0xb2, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['without a question that found nothing', Uint8Array.of(0xa1, 0xb2, 0x81, 0x83, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])('is none %s', (_, reply) => {
    expect(answers(parseMessage(good), parseMessage(query))).toBe(true);
    expect(answers(parseMessage(reply), parseMessage(query))).toBe(false);
  });

  it('may fold the case of the question (RFC 4343)', () => {
    expect(answers(parseMessage(changed(13, 0x57)), parseMessage(query))).toBe(true);
  });

  it('is found among others, and older ones', async () => {
    const port = await answering((asked) => [
      vector('dns/unbound-1.17.1-a.hex'),
      new Uint8Array(3),
      captured('unbound-1.17.1-aaaa', asked),
      captured('unbound-1.17.1-a', asked),
    ]);
    expect(await ask(port, { name: 'www.lab.example' })).toMatchObject({ kind: 'answered' });
  });

  it('to another question alone makes a stranger', async () => {
    const port = await answering((asked) => [captured('unbound-1.17.1-aaaa', asked)]);
    expect(await ask(port, { name: 'www.lab.example' }, { deadlineMs: 300 })).toMatchObject({ kind: 'stranger' });
  });

  it('that is cut short says so, and is no less an answer', async () => {
    const port = await answering((asked) => [captured('unbound-1.17.1-truncated', asked)]);
    expect(await ask(port, { name: 'big.lab.example', type: 'TXT' })).toMatchObject({
      kind: 'answered',
      facts: { truncated: true, rcode: 'NOERROR' },
    });
  });

  it('that says it is cut short may end anywhere behind the question', () => {
    const whole = vector('dns/bind-9.18.49-truncated.hex');
    for (let size = 33; size <= whole.length; size += 1) {
      expect(parseMessage(whole.subarray(0, size))).toMatchObject({ truncated: true, answerCount: 4 });
    }
    const unmarked = whole.map((byte, at) => (at === 2 ? byte & ~0x02 : byte));
    expect(() => parseMessage(unmarked.subarray(0, -1))).toThrow(ProtocolError);
  });

  it('shows the first of many, and counts them all', async () => {
    const port = await answering((asked) => [many(asked, 40)]);
    const outcome = await ask(port, { name: 'www.lab.example' });
    expect(outcome).toMatchObject({ kind: 'answered', facts: { answersInAll: 40 } });
    expect(outcome.kind === 'answered' ? outcome.facts['answers'] : []).toHaveLength(16);
  });

  it('shows no control character of a name', () => {
    const reply = Uint8Array.from(Buffer.from(hex(good).replace('03777777', '031b5b4a'), 'hex'));
    expect(parseMessage(reply).answers).toEqual([{ name: '.[J.lab.example', type: 'A', data: '192.0.2.10' }]);
  });
});

/** The same address `count` times. */
function many(query: Uint8Array, count: number): Uint8Array {
  const one = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 10];
  const head = [...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
  return Uint8Array.from([...head, ...query.subarray(12), ...Array.from({ length: count }, () => one).flat()]);
}

describe('a hostile message', () => {
  const head = [0xa1, 0xb2, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
  const question = [1, 0x61, 0, 0, 1, 0, 1];
  const answer = (name: readonly number[], type: number, data: readonly number[], size = data.length): Uint8Array =>
    Uint8Array.from([...head, ...question, ...name, 0, type, 0, 1, 0, 0, 0, 1, size >> 8, size & 255, ...data]);

  it.each<readonly [string, Uint8Array]>([
    ['a name that points at itself', answer([0xc0, 19], 1, [1, 2, 3, 4])],
    ['a name that points ahead', answer([0xc0, 40], 1, [1, 2, 3, 4])],
    ['a name within data that points at itself', answer([0xc0, 12], 5, [0xc0, 31])],
    ['a label of an unknown kind', answer([0x80, 0], 1, [1, 2, 3, 4])],
    ['an address of three bytes', answer([0xc0, 12], 1, [1, 2, 3])],
    ['an address of sixteen bytes for four', answer([0xc0, 12], 1, Array<number>(16).fill(1))],
    ['data that is longer than the message', answer([0xc0, 12], 16, [1, 0x61], 600)],
    ['a mail server without a name', answer([0xc0, 12], 15, [0, 10])],
    ['bytes after its end', Uint8Array.from([...answer([0xc0, 12], 1, [1, 2, 3, 4]), 0])],
  ])('is refused: %s', (_, bytes) => {
    expect(() => parseMessage(bytes)).toThrow(ProtocolError);
  });

  it('of 64 KiB is read without growing: promises, pointers, type bitmaps', () => {
    const promised = Uint8Array.from([0xa1, 0xb2, 0x81, 0x80, ...Array<number>(8).fill(0xff)]);
    expect(() => parseMessage(promised)).toThrow(ProtocolError);
    const bitmap = [0, ...Array.from({ length: 1900 }, () => [0, 32, ...Array<number>(32).fill(0xff)]).flat()];
    expect(parseMessage(answer([0xc0, 12], 47, bitmap)).answers).toEqual([]);
    const long = [...Array.from({ length: 3 }, () => [63, ...Array<number>(63).fill(0x61)]).flat(), 0];
    const name = [...head.slice(0, 6), 0x0f, 0xff, 0, 0, 0, 0, ...long, 0, 1, 0, 1];
    const record = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 1, 0, 2, 0xc0, 12];
    const pointers = Uint8Array.from([...name, ...Array.from({ length: 0x0fff }, () => record).flat()]);
    const message = parseMessage(pointers);
    expect(message.answerCount).toBe(0x0fff);
    expect(JSON.stringify(message).length).toBeLessThan(20_000);
  });
});

describe('an expectation', () => {
  it.each<readonly [string, Record<string, unknown>]>([
    ['unbound-1.17.1-a', { name: 'www.lab.example', expect: '192.0.2.10' }],
    ['unbound-1.17.1-aaaa', { name: 'www.lab.example', type: 'AAAA', expect: '2001:DB8:0:0::10' }],
    ['unbound-1.17.1-mx', { name: 'lab.example', type: 'MX', expect: ['10 MAIL.lab.example.'] }],
    ['bind-9.18.49-cname', { name: 'alias.lab.example', expect: ['192.0.2.10', 'www.lab.example'] }],
  ])('is met by %s', async (name, options) => {
    const port = await answering((query) => [captured(name, query)]);
    expect(await ask(port, options)).toMatchObject({ kind: 'answered', depth: 'protocol' });
  });

  it.each<readonly [string, Record<string, unknown>, string]>([
    [
      'unbound-1.17.1-a',
      { name: 'www.lab.example', expect: ['192.0.2.10', '192.0.2.11'] },
      'a DNS answer (NOERROR) without 192.0.2.11, which is expected',
    ],
    [
      'unbound-1.17.1-nxdomain',
      { name: 'none.lab.example', expect: '192.0.2.1' },
      'a DNS answer (NXDOMAIN) without 192.0.2.1, which is expected',
    ],
    [
      'unbound-1.17.1-truncated',
      { name: 'big.lab.example', type: 'TXT', expect: 'x' },
      'a DNS answer (NOERROR, cut short) without x, which is expected',
    ],
  ])('is not met by %s', async (name, options, detail) => {
    const port = await answering((query) => [captured(name, query)]);
    expect(await ask(port, options)).toMatchObject({ kind: 'stranger', came: 'other-protocol', detail });
  });
});

describe('over TCP', () => {
  const stranger = (detail: string): object => ({ kind: 'stranger', came: 'other-protocol', detail });

  it('is proved by the answer to the very question', async () => {
    const port = await answeringTcp((bytes) => withLength(captured('unbound-1.17.1-a', bytes.subarray(2))));
    expect(await ask(port, { name: 'www.lab.example' }, { carrier: 'tcp' })).toMatchObject({
      kind: 'answered',
      facts: { answers: ['www.lab.example A 192.0.2.10'] },
    });
  });

  it.each<readonly [string, (bytes: Uint8Array) => Uint8Array, string]>([
    [
      'another question’s answer',
      (bytes) => withLength(captured('unbound-1.17.1-aaaa', bytes.subarray(2))),
      'a DNS message that answers another question',
    ],
    ['our own bytes back', (bytes) => bytes, 'a DNS message that answers another question'],
    [
      'more than it promised',
      (bytes) => Uint8Array.from([...withLength(captured('unbound-1.17.1-a', bytes.subarray(2))), 0]),
      'a DNS message with more bytes than its length says',
    ],
    [
      'a greeting',
      () => new TextEncoder().encode('220 mail.example.net ESMTP\r\n'),
      'an SMTP or FTP greeting, no DNS answer',
    ],
  ])('is not proved by %s', async (_, reply, detail) => {
    const port = await answeringTcp(reply);
    expect(await ask(port, { name: 'www.lab.example' }, { carrier: 'tcp' })).toMatchObject(stranger(detail));
  });
});

describe('a stand-in', () => {
  it('refuses every question, over both carriers, and says that it offers no recursion', async () => {
    for (const standIn of [dns.standIn, ...dns.otherStandIns]) {
      const peer = await standInAt(standIn);
      closing.push(() => peer.close());
      const options = { name: 'www.example.net', type: 'SRV', 'udp-payload-size': 1232 };
      expect(await ask(peer.port, options, { carrier: standIn.carrier })).toEqual({
        kind: 'answered',
        depth: 'protocol',
        facts: { rcode: 'REFUSED', recursionAvailable: false },
      });
    }
  });

  it('says nothing to what is no query', () => {
    expect(refusalOf(vector('dns/unbound-1.17.1-a.hex'))).toBeUndefined();
    expect(refusalOf(vector('dns/unbound-1.17.1-notimp.hex'))).toBeUndefined();
    expect(refusalOf(new Uint8Array(12))).toBeUndefined();
    expect(refusalOf(new Uint8Array(3))).toBeUndefined();
  });
});

describe('options', () => {
  it.each([
    [{ type: 'A' }, 'type needs name'],
    [{ expect: 'x' }, 'expect needs name'],
    [{ name: 'a b' }, 'host name'],
    [{ name: 'x', type: 'ANY' }, 'A'],
    [{ name: 'x', expect: [] }, '>=1'],
    [{ 'udp-payload-size': 100 }, '>=512'],
  ])('refuses %j', (options, words) => {
    const parsed = probe.options.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('decide what is sent, and what silence means', () => {
    expect(probe.bind('udp', {}).traits).toEqual({
      silence: 'conclusive',
      depths: ['protocol'],
      defaultDepth: 'protocol',
      sends: [
        {
          what: 'DNS query for 1.0.0.127.in-addr.arpa PTR, again each second until an answer',
          packets: 1,
          bytes: 40,
        },
      ],
    });
    expect(probe.bind('tcp', { name: 'www.lab.example', 'udp-payload-size': 1232 }).traits).toMatchObject({
      // A server may wait for others before it answers this one.
      silence: 'ambiguous',
      sends: [{ packets: 4 }, { what: 'DNS query for www.lab.example A', bytes: 46 }],
    });
    expect(queryBytes({ name: 'www.lab.example', type: 'A' })).toBe(33);
  });

  it('name an rcode by its number where it has no name', () => {
    expect([0, 5, 11, 16, 4095].map(rcodeName)).toEqual(['NOERROR', 'REFUSED', 'RCODE 11', 'BADVERS', 'RCODE 4095']);
  });
});

describe('real servers', () => {
  it.for(['udp', 'tcp'] as const)(
    'unbound answers over %s, IPv4 and IPv6, and refuses once it is gone',
    async (carrier, ctx) => {
      requireServer(ctx, 'unbound', 'unbound');
      const server = await unbound({ addresses: ['127.0.0.1', '::1'] });
      closing.push(() => server.stop());
      for (const family of [4, 6] as const) {
        const how = { carrier, family };
        expect(await ask(server.port, {}, how)).toMatchObject({
          kind: 'answered',
          depth: 'protocol',
          facts: { rcode: 'NOERROR', answers: ['1.0.0.127.in-addr.arpa PTR localhost'] },
        });
        expect(await ask(server.port, { name: 'www.lab.example', expect: '192.0.2.10' }, how)).toMatchObject({
          kind: 'answered',
        });
        expect(await ask(server.port, { name: 'none.lab.example' }, how)).toMatchObject({
          kind: 'answered',
          facts: { rcode: 'NXDOMAIN' },
        });
        expect(await ask(server.port, { name: 'www.example.net' }, how)).toMatchObject({
          kind: 'answered',
          facts: { rcode: 'REFUSED' },
        });
        expect(await ask(server.port, { name: 'www.lab.example', expect: '192.0.2.99' }, how)).toMatchObject({
          kind: 'stranger',
        });
      }
      await server.stop();
      for (const family of [4, 6] as const) {
        expect(await ask(server.port, {}, { carrier, family })).toMatchObject({ kind: 'refused', signal: 'refused' });
      }
    },
  );

  it('unbound cuts a large answer short over UDP, not with EDNS, and not over TCP', async (ctx) => {
    requireServer(ctx, 'unbound', 'unbound');
    const records = Array.from({ length: 10 }, (_, index) => `big.lab.example. 300 IN TXT "${index}${'x'.repeat(80)}"`);
    const server = await unbound({ records });
    closing.push(() => server.stop());
    const big = { name: 'big.lab.example', type: 'TXT' };
    expect(await ask(server.port, big)).toMatchObject({ kind: 'answered', facts: { truncated: true } });
    const whole = [
      await ask(server.port, { ...big, 'udp-payload-size': 1232 }),
      await ask(server.port, big, { carrier: 'tcp' }),
    ];
    for (const outcome of whole) {
      expect(outcome).toMatchObject({ kind: 'answered' });
      const facts = outcome.kind === 'answered' ? outcome.facts : {};
      expect(facts['answers']).toHaveLength(10);
      expect(facts).not.toHaveProperty('truncated');
    }
    expect(whole[0]).toMatchObject({ facts: { udpPayloadSize: 1232 } });
  });

  it('unbound whose forwarder is gone keeps silent long, and still knows the name of 127.0.0.1', async (ctx) => {
    requireServer(ctx, 'unbound', 'unbound');
    const forwards = ['do-not-query-localhost: no', 'local-zone: "example.net." transparent'];
    const forward = ['forward-zone:', 'name: "example.net."', 'forward-addr: 127.0.0.1@9'];
    const server = await unbound({ extra: [...forwards, ...forward] });
    closing.push(() => server.stop());
    // It asks a dead one again and again before it says SERVFAIL: silence to this question is no sign of a firewall.
    expect(await ask(server.port, { name: 'www.example.net' }, { deadlineMs: 500 })).toMatchObject({ kind: 'silent' });
    expect(await ask(server.port)).toMatchObject({ kind: 'answered', facts: { rcode: 'NOERROR' } });
  });

  it('sshd is a stranger', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await sshd();
    closing.push(() => server.stop());
    expect(await ask(server.port, {}, { carrier: 'tcp' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining('an SSH identification') as string,
    });
  });
});
