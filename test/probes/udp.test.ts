// The udp probe: any reply, the right reply, none on purpose, and refusals.
import { afterEach, describe, expect, it } from 'vitest';
import * as udp from '../../probes/udp/probe.js';
import { answerKind, answerTo, question } from '../../probes/udp/packet.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { requireServer } from '../lab/requirements.js';
import { chronyd } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { askOnce, closedPort, udpPeer } from './scenes.js';

describeConformance(udp, { name: 'udp', carrier: 'udp' });
describeConformance(udp, { name: 'udp, one way', carrier: 'udp', options: { 'one-way': true } });
describeConformance(udp, {
  name: 'udp with a reply expected',
  carrier: 'udp',
  options: { 'payload-text': 'a question of its own', 'expect-text': 'linecheck! ' },
});

const { probe } = udp;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Answers every datagram; what came lies in `requests`. */
async function peer(
  answer: (request: Uint8Array) => Uint8Array | undefined,
): Promise<{ port: number; requests: Buffer[] }> {
  const requests: Buffer[] = [];
  const peer = await udpPeer((request, send) => {
    requests.push(Buffer.from(request));
    const reply = answer(request);
    if (reply !== undefined) send(reply);
  });
  closing.push(() => peer.close());
  return { port: peer.port, requests };
}

async function ask(
  port: number,
  options: Record<string, unknown> = {},
  { deadlineMs = 10_000, family = 4 }: { deadlineMs?: number; family?: Family } = {},
): Promise<Outcome> {
  const bound = probe.bind('udp', probe.options.parse(options));
  return (await askOnce(bound, port, { deadlineMs, family })).outcome;
}

it('proves the port and no more by any reply', async () => {
  const { port, requests } = await peer(() => bytesOf('what?'));
  const outcome = await ask(port);
  expect(outcome).toEqual({ kind: 'answered', depth: 'port', facts: { reply: '5 bytes beginning "what?"' } });
  expect(requests[0]?.toString('latin1')).toMatch(/^linecheck\? [^]{8}$/);
});

it('takes an empty reply for a reply', async () => {
  const { port } = await peer(() => new Uint8Array(0));
  expect(await ask(port)).toMatchObject({ kind: 'answered', facts: { reply: 'an empty datagram' } });
});

it('sends the payload as spelled out, an empty one too', async () => {
  const { port, requests } = await peer((request) => request);
  await ask(port, { 'payload-hex': '00 ff 80' });
  await ask(port, { 'payload-text': '' });
  expect(requests.map((request) => request.toString('hex'))).toEqual(['00ff80', '']);
});

it('proves the protocol by the reply that is expected', async () => {
  const { port } = await peer((request) => Buffer.concat([Buffer.from('re: '), request]));
  const outcome = await ask(port, { 'payload-text': 'hello', 'expect-text': 're: hello' });
  expect(outcome).toMatchObject({ kind: 'answered', depth: 'protocol' });
});

it('calls another reply than the expected one a stranger', async () => {
  const { port } = await peer(() => bytesOf('SSH-2.0-Example'));
  const outcome = await ask(port, { 'payload-text': 'hello', 'expect-hex': '00' }, { deadlineMs: 300 });
  expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
});

it('does not take the stand-in’s answer to another attempt for one to this', async () => {
  const { port } = await peer(() => answerTo(question(new Uint8Array(8).fill(7))));
  expect(await ask(port, {}, { deadlineMs: 300 })).toMatchObject({ kind: 'stranger' });
});

it('says that a stand-in answered', async () => {
  const { port } = await peer((request) => answerTo(request));
  expect(await ask(port)).toMatchObject({ kind: 'answered', depth: 'port', facts: { standIn: true } });
});

it('is silent where nothing comes back, and never more', async () => {
  const { port } = await peer(() => undefined);
  expect(await ask(port, {}, { deadlineMs: 300 })).toMatchObject({ kind: 'silent', sent: 1 });
});

describe('one way', () => {
  it('sends once and claims no answer', async () => {
    const { port, requests } = await peer(() => undefined);
    const outcome = await ask(port, { 'one-way': true, 'payload-text': '<13>test' });
    expect(outcome).toMatchObject({ kind: 'sent', sent: 1 });
    expect(requests.map(String)).toEqual(['<13>test']);
  });

  it('is refused where nothing listens', async () => {
    expect(await ask(await closedPort('udp', 4), { 'one-way': true })).toMatchObject({
      kind: 'refused',
      signal: 'refused',
    });
  });

  it('has no answer by design', () => {
    expect(probe.bind('udp', { 'one-way': true }).traits.silence).toBe('by-design');
    expect(probe.bind('udp', { 'expect-text': 'x' }).traits.silence).toBe('ambiguous');
  });
});

describe('the question and the stand-in’s answer', () => {
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

  it('belong together by the nonce', () => {
    const answer = answerTo(question(nonce));
    expect(answer?.length).toBe(question(nonce).length);
    expect(answerKind(answer ?? nonce, nonce)).toBe('own');
    expect(answerKind(answer ?? nonce, new Uint8Array(8))).toBe('foreign');
    expect(answerKind(bytesOf('linecheck! 1'), nonce)).toBe('other');
  });

  it('never keep two stand-ins talking, however short the datagram', () => {
    for (let size = 0; size <= 30; size += 1) {
      for (const request of [question(nonce).subarray(0, size), new Uint8Array(size), bytesOf('l'.repeat(size))]) {
        const answer = answerTo(request);
        expect(answer?.length ?? 0).toBeLessThanOrEqual(request.length);
        if (answer !== undefined) expect(answerTo(answer)).toBeUndefined();
      }
    }
  });
});

describe('options', () => {
  it.each([
    [{ 'payload-text': 'x', 'payload-hex': '00' }, 'exclude each other'],
    [{ 'expect-text': 'x', 'expect-hex': '00' }, 'exclude each other'],
    [{ 'one-way': true, 'expect-text': 'x' }, 'no reply to expect'],
    [{ 'payload-hex': 'abc' }, 'hexadecimal'],
    [{ 'payload-text': 'x'.repeat(1233) }, '<=1232'],
  ])('refuses %j', (options, words) => {
    const parsed = probe.options.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('says what is sent', () => {
    expect(probe.bind('udp', {}).traits.sends).toEqual([{ what: 'a label and a nonce', packets: 1, bytes: 19 }]);
    expect(probe.bind('udp', { 'payload-hex': '0102', 'one-way': true }).traits.sends).toEqual([
      { what: 'the bytes that the flow spells out', packets: 1, bytes: 2 },
    ]);
  });
});

it('proves chronyd by an NTP question that is spelled out, over IPv4 and IPv6', async (ctx) => {
  requireServer(ctx, 'chronyd', 'chrony');
  const server = await chronyd({ addresses: ['127.0.0.1', '::1'] });
  closing.push(() => server.stop());
  // RFC 5905 §7.3: leap 0, version 4, mode 3; the transmit timestamp comes back as originate.
  const options = { 'payload-hex': `23${'00'.repeat(39)}0102030405060708`, 'expect-hex': '0102030405060708' };
  for (const family of [4, 6] as const) {
    expect(await ask(server.port, options, { family })).toMatchObject({ kind: 'answered', depth: 'protocol' });
  }
});
