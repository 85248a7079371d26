// The `pptp` probe: its bytes against pptpd and an independent client, refusals, strangers, pptpd in the lab.
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as packet from '../../probes/pptp/packet.js';
import {
  encodeMessage,
  parseMessage,
  readMessageSize,
  replyFacts,
  sentenceOf,
  type ControlMessage,
} from '../../probes/pptp/packet.js';
import * as module from '../../probes/pptp/probe.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { openLab, type Lab } from '../lab/lab.js';
import { NOBODY, linecheck, requireLinecheck, type Said } from '../lab/linecheck.js';
import { labReason, requireServer } from '../lab/requirements.js';
import { nginx, sshd, type Server } from '../lab/servers.js';
import { pptpd, requirePptpd } from '../lab/servers/pptpd.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, closedPort, standInAt, tcpPeer, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const startReply = vector('pptp/pptpd-1.4.0-start-reply.hex');
const stopReply = vector('pptp/pptpd-1.4.0-stop-reply.hex');
const startRequest = vector('pptp/pptp-linux-1.10.0-start-request.hex');
const callRequest = vector('pptp/pptp-linux-1.10.0-outgoing-call-request.hex');
/** RFC 2637 §2.5, with identifier 1: how some servers begin. */
const echoRequest = Uint8Array.from(Buffer.from('001000011a2b3c4d0005000000000001', 'hex'));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** pptpd's reply with another result and error. */
const refusing = (result: number, error = 0): Uint8Array => startReply.with(14, result).with(15, error);

const { probe } = module;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function keep<T extends Peer | { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const begun = await starting;
  closing.push(() => ('stop' in begun ? begun.stop() : begun.close()));
  return begun;
}

async function ask(port: number, setting: { family?: Family; deadlineMs?: number } = {}): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse({}));
  const { outcome } = await askOnce(bound, port, { deadlineMs: 20_000, ...setting });
  return outcome;
}

/** Answers the first message, and each further one, with these; keeps what it heard. It closes when there is no more. */
async function answering(...replies: readonly Uint8Array[]): Promise<Peer & { readonly heard: ControlMessage[] }> {
  const heard: ControlMessage[] = [];
  const peer = await keep(
    tcpPeer((socket) => {
      const left = [...replies];
      let unread = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        unread = Buffer.concat([unread, chunk]);
        while (unread.length >= 4 && unread.length >= readMessageSize(unread)) {
          const size = readMessageSize(unread);
          heard.push(parseMessage(unread.subarray(0, size)));
          unread = unread.subarray(size);
          const reply = left.shift();
          if (reply === undefined) socket.end();
          else socket.write(reply);
        }
      });
    }),
  );
  return { ...peer, heard };
}

describe('a control message', () => {
  it('comes back from what pptpd and an independent client sent', () => {
    for (const bytes of [startReply, stopReply, startRequest]) {
      const message = parseMessage(bytes);
      if (message.kind === 'other') throw new Error('a message without a name');
      expect(hex(encodeMessage(message))).toBe(hex(bytes));
    }
  });

  it('says what pptpd and the client say of themselves', () => {
    expect(parseMessage(startReply)).toEqual({
      kind: 'start-reply',
      version: 0x0100,
      result: 1,
      error: 0,
      framing: 0,
      bearer: 0,
      maxChannels: 1,
      firmware: 1,
      hostName: 'local',
      vendor: 'linux',
    });
    expect(parseMessage(startRequest)).toMatchObject({
      kind: 'start-request',
      version: 0x0100,
      framing: 3,
      bearer: 3,
      maxChannels: 0xffff,
      hostName: 'local',
      vendor: 'cananian',
    });
    expect(parseMessage(stopReply)).toEqual({ kind: 'stop-reply', result: 1, error: 0 });
    expect(parseMessage(callRequest)).toEqual({ kind: 'other', type: 7 });
    expect(parseMessage(echoRequest)).toEqual({ kind: 'other', type: 5 });
  });

  it('has names that fill their fields, or end early in whatever follows', () => {
    const full = startReply.slice().fill(0x61, 28, 92);
    expect(parseMessage(full)).toMatchObject({ hostName: 'a'.repeat(64), vendor: 'linux' });
    const rubbish = startReply.slice().fill(0xee, 40, 92);
    expect(parseMessage(rubbish)).toMatchObject({ hostName: 'local' });
    const long = encodeMessage({ ...reply(startReply), hostName: 'b'.repeat(100), vendor: '' });
    expect(parseMessage(long)).toMatchObject({ hostName: 'b'.repeat(64), vendor: '' });
  });

  it.each([
    ['with another magic cookie', startReply.with(4, 0x1b)],
    ['of another message type', startReply.with(3, 2)],
    ['that says another length', startReply.with(1, 0x9b)],
    ['longer than the longest', startReply.with(0, 1)],
    ['shorter than its header', startReply.with(1, 11)],
    ['cut short', startReply.subarray(0, 155)],
    ['with a byte too many', Uint8Array.from([...stopReply.with(1, 17), 0])],
    ['of no length', new Uint8Array(16)],
  ])('is not one %s', (_, bytes) => {
    expect(() => parseMessage(bytes)).toThrow(ProtocolError);
  });
});

function reply(bytes: Uint8Array): Extract<ControlMessage, { kind: 'start-reply' }> {
  const message = parseMessage(bytes);
  if (message.kind !== 'start-reply') throw new Error('no reply');
  return message;
}

describeDecoders(packet, {
  readMessageSize: { decode: readMessageSize, samples: vectorsOf('pptp').map(({ bytes }) => bytes) },
  parseMessage: { decode: parseMessage, samples: [...vectorsOf('pptp').map(({ bytes }) => bytes), echoRequest] },
});

describe('what a server says', () => {
  it.each([
    [1, 0, 'successful (1)'],
    [1, 4, 'successful (1)'],
    [2, 4, 'general error (2), no resource (4)'],
    [2, 99, 'general error (2), error 99'],
    [3, 0, 'control connection already exists (3)'],
    [4, 0, 'requester not authorized (4)'],
    [5, 0, 'protocol version not supported (5)'],
    [0, 0, 'result 0'],
  ])('result %i, error %i is "%s"', (result, error, words) => {
    expect(sentenceOf({ result, error })).toBe(words);
  });

  it('names the framing and the bearer that it can do', () => {
    const facts = replyFacts({ ...reply(startReply), framing: 3, bearer: 0xfffffffe, version: 0x0102 });
    expect(facts).toMatchObject({ framing: ['asynchronous', 'synchronous'], bearer: ['digital'] });
    expect(facts['protocolVersion']).toBe('1.2');
    expect(replyFacts({ ...reply(startReply), hostName: '', vendor: '' })).toEqual({
      result: 'successful (1)',
      protocolVersion: '1.0',
      firmware: 1,
      maxChannels: 1,
    });
  });
});

const PPTPD_FACTS = {
  result: 'successful (1)',
  protocolVersion: '1.0',
  hostName: 'local',
  vendor: 'linux',
  firmware: 1,
  maxChannels: 1,
};

describe('the pptp probe', () => {
  it('tells what pptpd says of itself, and stops what it began', async () => {
    const peer = await answering(startReply, stopReply);
    expect(await ask(peer.port)).toEqual({ kind: 'answered', depth: 'protocol', facts: PPTPD_FACTS });
    expect(peer.heard).toEqual([
      {
        kind: 'start-request',
        version: 0x0100,
        framing: 3,
        bearer: 3,
        maxChannels: 0,
        firmware: 0,
        hostName: 'linecheck',
        vendor: 'linecheck',
      },
      { kind: 'stop-request', reason: 1 },
    ]);
  });

  it('waits for the reply of a server that begins with an Echo-Request', async () => {
    const peer = await answering(Buffer.concat([echoRequest, startReply]), stopReply);
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { vendor: 'linux' } });
    const endless = await answering(Buffer.concat(Array<Uint8Array>(9).fill(echoRequest)));
    expect(await ask(endless.port)).toMatchObject({
      kind: 'stranger',
      detail: 'a PPTP message of another kind (other) than was asked for (start-reply)',
    });
  });

  it.each([
    [2, 4, 'general error (2), no resource (4)'],
    [3, 0, 'control connection already exists (3)'],
    [5, 0, 'protocol version not supported (5)'],
  ])('takes result %i for an answer, and has nothing to stop', async (result, error, words) => {
    const peer = await answering(refusing(result, error));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', depth: 'protocol', facts: { result: words } });
    expect(peer.heard.map(({ kind }) => kind)).toEqual(['start-request']);
  });

  it('is turned away where this machine is not authorized', async () => {
    const peer = await answering(refusing(4));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'turned-away',
      presented: 'client',
      by: 'PPTP Start-Control-Connection-Reply, requester not authorized (4)',
      facts: { vendor: 'linux' },
    });
    expect(peer.heard.map(({ kind }) => kind)).toEqual(['start-request']);
  });

  it.each([
    ['its own question', startRequest],
    ['a reply to a stop', stopReply],
  ])('takes %s for no answer', async (_, bytes) => {
    const peer = await answering(bytes);
    expect(await ask(peer.port)).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('needs the whole reply', async () => {
    for (let size = 0; size < startReply.length; size += 1) {
      const cut = startReply.subarray(0, size);
      const peer = await keep(tcpPeer((socket) => void socket.once('data', () => socket.end(cut))));
      expect(await ask(peer.port), `${String(size)} bytes`).toMatchObject({ kind: 'stranger', came: 'close' });
    }
  });

  it('does not wait for a stop’s reply for ever', async () => {
    const peer = await answering(startReply, new Uint8Array(0));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered' });
  });

  it('has its answer where the server leaves at once', async () => {
    const peer = await keep(tcpPeer((socket) => void socket.once('data', () => socket.end(startReply))));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: PPTPD_FACTS });
  });

  it('calls nginx and sshd strangers', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    requireServer(ctx, 'sshd', 'openssh-server');
    const [web, ssh] = [await keep(nginx()), await keep(sshd())];
    expect(await ask(web.port)).toMatchObject({ kind: 'stranger', detail: expect.stringContaining('HTTP') as string });
    expect(await ask(ssh.port)).toMatchObject({ kind: 'stranger', detail: expect.stringContaining('SSH') as string });
  });

  it('is refused where nothing listens', async () => {
    expect(await ask(await closedPort('tcp', 6), { family: 6 })).toMatchObject({ kind: 'refused', signal: 'refused' });
  });
});

/** All that comes from this port of loopback after these bytes, to the end. */
async function heardFrom(port: number, bytes: Uint8Array): Promise<Uint8Array> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Uint8Array.from(Buffer.concat(chunks));
}

describe('the pptp stand-in', () => {
  /** What it answers to these bytes until it closes. */
  const said = async (...messages: readonly Uint8Array[]): Promise<readonly ControlMessage[]> => {
    const peer = await keep(standInAt(module.standIn));
    const bytes = await heardFrom(peer.port, Buffer.concat(messages));
    const found: ControlMessage[] = [];
    for (let rest = bytes; rest.length > 0;) {
      const size = readMessageSize(rest);
      found.push(parseMessage(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
    return found;
  };

  it('begins and ends a connection with an independent client', async () => {
    const stop = encodeMessage({ kind: 'stop-request', reason: 1 });
    const [start, stopped] = await said(startRequest, stop);
    expect(start).toMatchObject({ kind: 'start-reply', result: 1, vendor: 'linecheck stand-in' });
    expect(stopped).toEqual({ kind: 'stop-reply', result: 1, error: 0 });
  });

  it('takes no call, and leaves', async () => {
    expect((await said(startRequest, callRequest)).map(({ kind }) => kind)).toEqual(['start-reply']);
  });

  it('speaks no other version, and to nobody who does not begin', async () => {
    expect(await said(startRequest.with(12, 2))).toMatchObject([{ kind: 'start-reply', result: 5 }]);
    expect(await said(stopReply)).toEqual([]);
  });
});

describe('pptpd in the lab', () => {
  let lab: Lab;
  let running: Server | undefined;
  beforeAll(async () => {
    if (labReason() === undefined) lab = await openLab();
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  afterAll(async () => {
    if (labReason() === undefined) await lab.close();
  });

  /** One probe, as an ordinary user. */
  const probed = (target: string): Promise<Said> => linecheck(lab, ['probe', 'pptp', target], NOBODY);
  const [v4, v6] = ['10.3.0.11', '[fd00:3::11]'];

  it(
    'answers, sees each connection begun and stopped, starts no call, and is refused when stopped',
    { timeout: 90_000 },
    async (ctx) => {
      requireLinecheck(ctx);
      requirePptpd(ctx);
      running = await pptpd({ on: lab.place('server1') });
      const visits = 10;
      for (let visit = 0; visit < visits; visit += 1) {
        expect(await probed(v4)).toMatchObject({ verdict: 'open', facts: PPTPD_FACTS });
      }
      const logged = (words: string): number => running?.logs().split(words).length ?? 0;
      await expect.poll(() => logged('control connection finished') - 1, { timeout: 10_000 }).toBe(visits);
      expect(logged('CTRL: Received STOP CTRL CONN request') - 1).toBe(visits);
      expect(running.logs()).not.toMatch(/EOF|error|bad|fail|Starting call|Unexpected/i);
      // pptpd knows no IPv6.
      expect((await probed(v6)).verdict).toBe('closed');
      await running.stop();
      expect((await probed(v4)).verdict).toBe('closed');
    },
  );

  it('is not called open behind a firewall that drops', { timeout: 60_000 }, async (ctx) => {
    requireLinecheck(ctx);
    requirePptpd(ctx);
    running = await pptpd({ on: lab.place('server1') });
    await lab.firewall('table inet f { chain c { type filter hook forward priority filter; tcp dport 1723 drop; }; }');
    expect(['unproven', 'unreachable', 'blocked']).toContain((await probed(v4)).verdict);
    await lab.firewall('');
  });
});

describeConformance(module, { name: 'pptp', carrier: 'tcp', answersEarly: true });
