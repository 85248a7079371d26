// The `discovery` probe: whose datagram is an answer, its own broadcast come back, the port that is due, and devices made
// of socat and of Python on one network of the lab.
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import * as packet from '../../probes/discovery/packet.js';
import { answerTo, encodeQuestion, readDatagram } from '../../probes/discovery/packet.js';
import * as module from '../../probes/discovery/probe.js';
import type { Report } from '../../src/contract/report.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe } from '../../src/contract/probe.js';
import { openLab, type Host, type Lab } from '../lab/lab.js';
import { requireLinecheck } from '../lab/linecheck.js';
import { saying, temporaryFolder } from '../lab/place.js';
import { labReason, requireServer, serverReason } from '../lab/requirements.js';
import { asking, type Asking } from '../net/kit.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { closedPort, udpPeer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const nonce = Uint8Array.from(Buffer.from('a1b2c3d4e5f60718', 'hex'));
const question = encodeQuestion(nonce);
const answer = answerTo(question) ?? question;
const status = vector('discovery/python-3.11-status.hex');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describeConformance(module, { name: 'discovery', carrier: 'udp' });
describeConformance(module, {
  name: 'discovery with an answer expected',
  carrier: 'udp',
  options: { 'payload-text': 'what the site has captured', 'expect-text': 'linecheck discovery! ' },
});

describeDecoders(packet, {
  readDatagram: {
    decode: readDatagram,
    samples: [...vectorsOf('discovery').map(({ bytes }) => bytes), question, answer],
  },
});

describe('a datagram', () => {
  it("of a responder of another make is not linecheck's, and its echo is the question", () => {
    expect(readDatagram(status)).toEqual({ kind: 'other' });
    expect(readDatagram(vector('discovery/socat-1.7.4.4-text.hex'))).toEqual({ kind: 'other' });
    expect(readDatagram(vector('discovery/socat-1.7.4.4-echo.hex'))).toEqual({ kind: 'question', nonce });
  });

  it("is linecheck's only as a whole", () => {
    expect(readDatagram(answer)).toEqual({ kind: 'answer', nonce });
    expect(readDatagram(answer.subarray(0, 21))).toEqual({ kind: 'answer' });
    for (const size of [0, 20, 22, 28]) expect(readDatagram(answer.subarray(0, size))).toEqual({ kind: 'other' });
    for (const size of [0, 20, 21, 28]) expect(readDatagram(question.subarray(0, size))).toEqual({ kind: 'other' });
    expect(readDatagram(Uint8Array.from([...question, 0]))).toEqual({ kind: 'other' });
  });

  it('never keeps two stand-ins talking, however short it is', () => {
    for (let size = 0; size <= 40; size += 1) {
      for (const request of [question.subarray(0, size), new Uint8Array(size), bytesOf('l'.repeat(size))]) {
        const told = answerTo(request);
        expect(told?.length ?? 0).toBeLessThanOrEqual(request.length);
        if (told !== undefined) expect(answerTo(told)).toBeUndefined();
      }
    }
  });
});

type Options = Readonly<Record<string, unknown>>;
const bind = (options: Options = {}): BoundProbe => module.probe.bind('udp', module.probe.options.parse(options));

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function ask(at: Asking, options: Options = {}): Promise<Outcome> {
  const bound = bind(options);
  const attempt = await asking((target, kit) => bound.ask(target, kit), { deadlineMs: 10_000, ...at });
  return attempt.outcome;
}

/** A device that answers each datagram with these. */
async function device(answers: (request: Uint8Array) => readonly Uint8Array[]): Promise<number> {
  const peer = await udpPeer((request, reply) => {
    for (const each of answers(request)) reply(each);
  });
  closing.push(() => peer.close());
  return peer.port;
}

/** A socket of these tests; port 0: a free one. */
async function bound(address: string, port = 0): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  closing.push(() => new Promise((closed) => socket.close(() => closed())));
  await new Promise<void>((done) => socket.bind(port, address, done));
  return socket;
}

describe('an answer', () => {
  it('of any bytes proves the port and no more', async () => {
    const requests: Buffer[] = [];
    const port = await device((request) => {
      requests.push(Buffer.from(request));
      return [status];
    });
    expect(await ask({ port })).toEqual({
      kind: 'answered',
      depth: 'port',
      facts: { reply: '21 bytes beginning "KVMD..........de…"' },
    });
    expect(requests[0]?.toString('latin1')).toMatch(/^linecheck discovery\? [^]{8}$/);
  });

  it('without a byte is one', async () => {
    const port = await device(() => [new Uint8Array(0)]);
    expect(await ask({ port })).toMatchObject({ kind: 'answered', facts: { reply: 'an empty datagram' } });
  });

  it('that the site expects proves the protocol', async () => {
    const requests: string[] = [];
    const port = await device((request) => {
      requests.push(Buffer.from(request).toString('hex'));
      return [bytesOf('noise'), status];
    });
    expect(await ask({ port }, { 'payload-hex': '01 02 ff', 'expect-hex': '4b564d44' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
    });
    expect(requests).toEqual(['0102ff']);
  });

  it('that the site does not expect is a stranger’s', async () => {
    const port = await device(() => [bytesOf('SSH-2.0-Example\r\n')]);
    expect(await ask({ port, deadlineMs: 300 }, { 'expect-text': 'KVMD' })).toEqual({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'an SSH identification (SSH-2.0-Example)',
      facts: { strangeDatagrams: 1 },
    });
  });

  it('of a stand-in is told as such, and one to another question is none', async () => {
    const healthy = await device((request) => [answerTo(request) ?? request]);
    expect(await ask({ port: healthy })).toMatchObject({ kind: 'answered', depth: 'port', facts: { standIn: true } });
    expect(await ask({ port: healthy }, { 'payload-text': 'what the site has captured' })).toMatchObject({
      kind: 'answered',
      facts: { standIn: true },
    });
    const late = await device(() => [answer]);
    expect(await ask({ port: late, deadlineMs: 300 })).toMatchObject({
      kind: 'stranger',
      detail: "a stand-in's answer to another question",
    });
  });
});

describe('nobody’s answer', () => {
  it.each([{}, { 'payload-text': 'what the site has captured' }])(
    'is our own question sent back: %j',
    async (options) => {
      const port = await device((request) => [request]);
      expect(await ask({ port, deadlineMs: 300 }, options)).toMatchObject({
        kind: 'stranger',
        came: 'other-protocol',
        detail: 'our own question, sent back',
      });
      const both = await device((request) => [request, status]);
      expect(await ask({ port: both }, options)).toMatchObject({ kind: 'answered', depth: 'port' });
    },
  );

  it('is the question of another linecheck: it may ask at the same time', async () => {
    const port = await device(() => [question]);
    expect(await ask({ port, deadlineMs: 300 })).toMatchObject({ kind: 'silent', sent: 1 });
    const both = await device(() => [question, status]);
    expect(await ask({ port: both })).toMatchObject({ kind: 'answered' });
  });

  it('is silence, which decides nothing even for bytes that the site has captured', async () => {
    const port = await device(() => []);
    expect(await ask({ port, deadlineMs: 300 })).toMatchObject({ kind: 'silent', sent: 1 });
    expect(bind().traits.silence).toBe('ambiguous');
    expect(bind({ 'payload-hex': '01', 'expect-hex': '02' }).traits.silence).toBe('ambiguous');
  });
});

describe('where the answer comes from another port than the asked one', () => {
  it('it is taken from there', async () => {
    const answering = await bound('127.0.0.1');
    const asked = await bound('127.0.0.1');
    asked.on('message', (_, from) => answering.send(status, from.port, from.address));
    const answersFrom = answering.address().port;
    expect(await ask({ port: asked.address().port, answersFrom })).toMatchObject({ kind: 'answered', depth: 'port' });
  });

  it('one from the asked port is a stranger’s, and said to be', async () => {
    const answering = await bound('127.0.0.1');
    const port = await device(() => [status]);
    const answersFrom = answering.address().port;
    expect(await ask({ port, answersFrom, deadlineMs: 300 })).toEqual({
      kind: 'stranger',
      came: 'other-protocol',
      detail: `an answer from port ${port}, where one from ${answersFrom} is due`,
      facts: { strangeDatagrams: 1 },
    });
  });

  it('one from the asked port does not hide that from the right one', async () => {
    const answering = await bound('127.0.0.1');
    const asked = await bound('127.0.0.1');
    asked.on('message', (_, from) => {
      asked.send(status, from.port, from.address, () => answering.send(status, from.port, from.address));
    });
    const at = { port: asked.address().port, answersFrom: answering.address().port };
    expect(await ask(at)).toMatchObject({ kind: 'answered', depth: 'port' });
  });

  it('a refusal is still heard', async () => {
    const answersFrom = (await bound('127.0.0.1')).address().port;
    expect(await ask({ port: await closedPort('udp', 4), answersFrom })).toMatchObject({
      kind: 'refused',
      signal: 'refused',
    });
  });
});

describe.skipIf(process.platform !== 'linux')('by broadcast', () => {
  /** The loopback network's own: what listens on every address hears it. */
  const broadcast = { address: '127.255.255.255', broadcast: true } as const;

  it('collects every device once, in order, and tells of more than it lists', async () => {
    const ear = await bound('0.0.0.0');
    const { port } = ear.address();
    const mouths = await Promise.all(Array.from({ length: 70 }, (_, i) => bound(`127.0.2.${1 + i}`, port)));
    let speaking: typeof mouths = [];
    ear.on('message', (_, from) => {
      for (const mouth of [...speaking, ...speaking]) mouth.send(status, from.port, from.address);
    });
    speaking = [10, 2, 9].flatMap((i) => mouths[i - 1] ?? []);
    expect(await ask({ ...broadcast, port })).toEqual({
      kind: 'answered',
      depth: 'port',
      facts: { reply: '21 bytes beginning "KVMD..........de…"', devices: ['127.0.2.2', '127.0.2.9', '127.0.2.10'] },
    });
    speaking = mouths;
    const many = await ask({ ...broadcast, port });
    if (many.kind !== 'answered') throw new Error(`not answered: ${JSON.stringify(many)}`);
    expect(many.facts['devices']).toHaveLength(64);
    expect(many.facts['moreDevices']).toBe(true);
  });

  it('does not take its own question, come back, for anybody', async () => {
    const port = await closedPort('udp', 4);
    const alone = await ask({ ...broadcast, port, sourcePort: port, deadlineMs: 1300 });
    expect(alone).toMatchObject({ kind: 'silent', sent: 2 });
    if (alone.kind === 'silent') expect(alone.waitedMs).toBeGreaterThan(0);
  });

  it('does not take the question of another linecheck, nor the same bytes of another, for a device', async () => {
    const ear = await bound('0.0.0.0');
    const { port } = ear.address();
    const mouth = await bound('127.0.2.1', port);
    let say: (request: Uint8Array) => Uint8Array = () => question;
    ear.on('message', (request, from) => mouth.send(say(request), from.port, from.address));
    expect(await ask({ ...broadcast, port, deadlineMs: 300 })).toMatchObject({ kind: 'silent' });
    say = (request) => request;
    expect(await ask({ ...broadcast, port, deadlineMs: 300 }, { 'payload-text': 'who?' })).toMatchObject({
      kind: 'silent',
    });
  });

  it('takes an answer from another port for a stranger’s', async () => {
    const ear = await bound('0.0.0.0');
    const mouth = await bound('127.0.2.1');
    ear.on('message', (_, from) => mouth.send(status, from.port, from.address));
    const { port } = ear.address();
    const other = mouth.address().port;
    expect(await ask({ ...broadcast, port, deadlineMs: 300 })).toMatchObject({
      kind: 'stranger',
      detail: `an answer from port ${other}, where one from ${port} is due`,
    });
  });

  it('lists only the devices whose answer is the expected one', async () => {
    const ear = await bound('0.0.0.0');
    const { port } = ear.address();
    const [one, two] = [await bound('127.0.2.1', port), await bound('127.0.2.2', port)];
    ear.on('message', (_, from) => {
      one.send('nothing of the kind', from.port, from.address);
      two.send(status, from.port, from.address);
    });
    expect(await ask({ ...broadcast, port }, { 'expect-text': 'KVMD' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { devices: ['127.0.2.2'] },
    });
  });
});

describe('options', () => {
  it.each([
    [{ 'payload-text': 'x', 'payload-hex': '00' }, 'payload-text and payload-hex exclude each other'],
    [{ 'expect-text': 'x', 'expect-hex': '00' }, 'expect-text and expect-hex exclude each other'],
    [{ 'payload-hex': 'abc' }, 'hexadecimal'],
    [{ 'payload-hex': '' }, '>=2'],
    [{ 'payload-text': '' }, '>=1'],
    [{ 'payload-text': 'x'.repeat(1233) }, '<=1232'],
  ])('refuses %j', (given, words) => {
    const parsed = module.probe.options.safeParse(given);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('says what is sent, and how deep an answer can prove', () => {
    expect(bind().traits).toMatchObject({
      depths: ['port'],
      defaultDepth: 'port',
      sends: [{ what: 'a label and a nonce', packets: 1, bytes: 29 }],
    });
    expect(bind({ 'payload-hex': '0102', 'expect-text': 'x' }).traits).toMatchObject({
      depths: ['port', 'protocol'],
      defaultDepth: 'protocol',
      sends: [{ what: 'the bytes that the site spells out', packets: 1, bytes: 2 }],
    });
  });
});

/** Answers with a status of its own from 3080, whether it was asked there or on 3081; `awry`: on 3081 alone, and from there. */
const DEVICE = `
import socket, struct, sys, threading
address, awry = sys.argv[1], len(sys.argv) > 2
family = socket.AF_INET6 if ':' in address else socket.AF_INET
def at(port):
    ear = socket.socket(family, socket.SOCK_DGRAM)
    ear.bind((address, port))
    return ear
def serve(ear, mouth):
    while True:
        asked, who = ear.recvfrom(2048)
        mouth.sendto(struct.pack('!4sHH', b'KVMD', 1, len(asked)) + bytes(6) + b'device\\0', who)
second = at(3081)
first = second if awry else at(3080)
for ear in {first, second}:
    threading.Thread(target=serve, args=(ear, first)).start()
print('ready', flush=True)
`;

describe('in the lab', () => {
  const folder = temporaryFolder();
  const site = join(folder.path, 'site.yaml');
  let lab: Lab | undefined;
  const missing = (): string | undefined =>
    labReason() ?? serverReason('socat', 'socat') ?? serverReason('python3', 'python3-minimal');

  const python = (on: Host, ...words: readonly string[]): Promise<void> =>
    saying(inLab().start(on, ['python3', '-c', DEVICE, ...words]), 'ready');
  const socat = (on: Host, listen: string, speak: string): void => {
    inLab().start(on, ['socat', `${listen},reuseaddr,fork`, speak]);
  };
  const inLab = (): Lab => {
    if (lab === undefined) throw new Error('no lab');
    return lab;
  };
  /** server1 is the Manager; on its network are server2 and the firewall, a device each. */
  beforeAll(async () => {
    if (missing() !== undefined) return;
    lab = await openLab({ icmpRatelimitMs: 0 });
    socat('server2', 'UDP4-RECVFROM:3080', 'SYSTEM:cat >/dev/null; printf socat');
    socat('server2', 'UDP6-RECVFROM:3080,ipv6only=1', 'SYSTEM:cat >/dev/null; printf socat');
    await Promise.all([
      python('server2', 'fd00:3::12', 'awry'),
      // A socket on every address hears the broadcast; one on the host's own address does not.
      python('firewall', '0.0.0.0'),
      python('firewall', 'fd00:3::1'),
    ]);
  });
  afterAll(async () => {
    await lab?.close();
    folder.remove();
  });

  const needed = (ctx: Pick<TestContext, 'skip'>): void => {
    requireLinecheck(ctx);
    requireServer(ctx, 'socat', 'socat');
    requireServer(ctx, 'python3', 'python3-minimal');
  };
  interface Said {
    /** `fallback 10.3.0.1 open` */
    readonly line: string;
    readonly facts: Readonly<Record<string, unknown>>;
    readonly summary: string;
  }
  /**
   * By broadcast, or one to one: all ask from port 3080, and the system gives a device's answer to whichever socket waits
   * for that very device, whoever it was for.
   */
  const BROADCAST = ['broadcast'];
  const ONE_TO_ONE = ['unicast', 'fallback'];
  async function checked(
    from: Host,
    ways: readonly string[],
    devices: readonly string[],
    options = '',
  ): Promise<readonly Said[]> {
    writeFileSync(
      site,
      [
        'linecheck: site/v1',
        'name: one network',
        'profiles: [kvmnet-access-management]',
        'here: manager',
        `hosts: { device: ${JSON.stringify(devices)} }`,
        'features: [auto-discovery]',
        ...(options === '' ? [] : ['flows:', ...ways.map((way) => `  discovery-${way}: { with: { ${options} } }`)]),
      ].join('\n'),
    );
    const flows = ways.flatMap((way) => ['--flow', `discovery-${way}`]);
    const limits = ['--timeout', '3.5s', '--retries', '0', '--diagnose', 'off'];
    const words = ['bin/linecheck.js', 'check', site, ...flows, ...limits, '--format', 'json'];
    const ended = await inLab().exec(from, [process.execPath, ...words]);
    expect(ended.stderr).toBe('');
    return (JSON.parse(ended.stdout) as Report).checks
      .filter((check) => check.from.role === 'manager')
      .map(({ flow, to, verdict, facts, summary }) => ({
        line: `${flow.replace('discovery-', '')} ${to.address ?? ''} ${verdict}`,
        facts,
        summary,
      }));
  }
  const lines = (said: readonly Said[]): readonly string[] => said.map(({ line }) => line);

  it('a device of socat and one of Python are found by broadcast', { timeout: 60_000 }, async (ctx) => {
    needed(ctx);
    const [said, ...others] = await checked('server1', BROADCAST, ['10.3.0.12']);
    expect(said).toMatchObject({
      line: 'broadcast 255.255.255.255 open',
      facts: { devices: ['10.3.0.1', '10.3.0.12'] },
    });
    expect(others).toEqual([]);
    const [expecting] = await checked('server1', BROADCAST, ['10.3.0.12'], 'payload-hex: "00 01", expect-text: KVMD');
    expect(expecting).toMatchObject({
      line: 'broadcast 255.255.255.255 open',
      facts: { reply: '21 bytes beginning "KVMD..........de…"', devices: ['10.3.0.1'] },
    });
  });

  it('each is found by itself, over IPv4 and IPv6, on the ports that it serves', { timeout: 60_000 }, async (ctx) => {
    needed(ctx);
    const devices = ['10.3.0.12', '10.3.0.1', 'fd00:3::12', 'fd00:3::1'];
    const said = await checked('server1', ONE_TO_ONE, devices);
    expect(lines(said)).toEqual([
      ...devices.map((address) => `unicast ${address} open`),
      'fallback 10.3.0.12 closed',
      'fallback 10.3.0.1 open',
      // It answers from 3081: a firewall that follows the document stops that.
      'fallback fd00:3::12 wrong-service',
      'fallback fd00:3::1 open',
    ]);
    expect(said.find(({ line }) => line.endsWith('wrong-service'))?.summary).toContain(
      'an answer from port 3081, where one from 3080 is due',
    );
  });

  it('proves the protocol by the answer that the site expects, and by no other', { timeout: 60_000 }, async (ctx) => {
    needed(ctx);
    const options = 'payload-hex: "00 01", expect-text: KVMD';
    expect(lines(await checked('server1', ONE_TO_ONE, ['10.3.0.12', '10.3.0.1'], options))).toEqual([
      'unicast 10.3.0.12 wrong-service',
      'unicast 10.3.0.1 open',
      'fallback 10.3.0.12 closed',
      'fallback 10.3.0.1 open',
    ]);
  });

  it('nobody is heard by broadcast beyond a router, not even itself', { timeout: 60_000 }, async (ctx) => {
    needed(ctx);
    expect(lines(await checked('tech', BROADCAST, ['10.3.0.12']))).toEqual(['broadcast 255.255.255.255 unproven']);
    expect(lines(await checked('tech', ONE_TO_ONE, ['10.3.0.11']))).toEqual([
      'unicast 10.3.0.11 closed',
      'fallback 10.3.0.11 closed',
    ]);
  });

  it('a firewall that drops is not told from a device that says nothing', { timeout: 60_000 }, async (ctx) => {
    needed(ctx);
    await inLab().firewall(
      'table inet f { chain c { type filter hook forward priority filter; udp dport { 3080, 3081 } drop; }; }',
    );
    expect(lines(await checked('tech', ONE_TO_ONE, ['10.3.0.12', 'fd00:3::12']))).toEqual([
      'unicast 10.3.0.12 unproven',
      'unicast fd00:3::12 unproven',
      'fallback 10.3.0.12 unproven',
      'fallback fd00:3::12 unproven',
    ]);
  });
});
