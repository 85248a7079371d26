// The `telnet` probe: its bytes against captures of several makes, what proves Telnet and what does not, the politeness of
// its refusals, and GNU's telnetd.
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/telnet/packet.js';
import {
  encodeNegotiation,
  isAssigned,
  isShowable,
  optionName,
  parseTelnet,
  refusalOf,
  type Negotiation,
  type Verb,
} from '../../probes/telnet/packet.js';
import * as module from '../../probes/telnet/probe.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { StandIn } from '../../src/contract/probe.js';
import { openLab } from '../lab/lab.js';
import { linecheck, NOBODY, requireLinecheck } from '../lab/linecheck.js';
import { requireServer } from '../lab/requirements.js';
import { sshd } from '../lab/servers.js';
import { inetd, requireInetd } from '../lab/servers/inetd.js';
import { requireTelnetd, telnetd } from '../lab/servers/telnetd.js';
import { vsftpd } from '../lab/servers/vsftpd.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, closedPort, spoiltStandIn, standInAt, tcpPeer, type Peer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const { probe } = module;
const captured = (name: string): Uint8Array => vector(`telnet/${name}.hex`);
const bytesOf = (words: string): Uint8Array => Uint8Array.from(Buffer.from(words, 'latin1'));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const told = (verb: Verb, ...options: readonly number[]): Uint8Array =>
  Buffer.concat(options.map((option) => encodeNegotiation({ verb, option })));
/** `DO 24`. */
const spelled = (bytes: Uint8Array): readonly string[] =>
  parseTelnet(bytes).negotiations.map(({ verb, option }) => `${verb} ${option}`);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function keep<T extends Peer | { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const begun = await starting;
  closing.push(() => ('stop' in begun ? begun.stop() : begun.close()));
  return begun;
}

async function ask(
  port: number,
  options: Record<string, unknown> = {},
  setting: { readonly family?: Family; readonly deadlineMs?: number } = {},
): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  return (await askOnce(bound, port, { deadlineMs: 20_000, ...setting })).outcome;
}

interface Hearing extends Peer {
  /** All that the client said. */
  heard(): Uint8Array;
}

/** Greets, and answers what comes by `answer`. */
async function saying(
  greeting: Uint8Array,
  answer: (bytes: Buffer, socket: Socket) => void = () => undefined,
): Promise<Hearing> {
  const chunks: Buffer[] = [];
  const peer = await keep(
    tcpPeer((socket) => {
      if (greeting.length > 0) socket.write(greeting);
      socket.on('data', (bytes: Buffer) => {
        chunks.push(bytes);
        answer(bytes, socket);
      });
    }),
  );
  return { ...peer, heard: () => Buffer.concat(chunks) };
}

const QUESTION = told('DO', 6);

describe('what a server says', () => {
  it.each([
    ['inetutils-2.4-opening', ['WILL 37', 'WILL 38', 'DO 24', 'DO 32', 'DO 35', 'DO 39', 'DO 36'], ''],
    ['netkit-0.17-opening', ['DO 39'], ''],
    ['cisco-ios-12.2-opening', ['WILL 1', 'WILL 3', 'DO 24', 'DO 31'], ''],
    ['hp-jetdirect-opening', ['WONT 1'], '\r\nHP JetDirect\r\n\r\nPassword:'],
  ])('is told apart into commands and text: %s', (name, negotiations, text) => {
    const bytes = captured(name);
    const parsed = parseTelnet(bytes);
    expect(spelled(bytes)).toEqual(negotiations);
    expect(textOf(parsed.text)).toBe(text);
    expect(parsed.taken).toBe(bytes.length);
  });

  it('has commands within its text', () => {
    const { text, negotiations } = parseTelnet(captured('inetutils-2.4-refused'));
    expect(textOf(text)).toMatch(/^\r\nLinux .*\r\n\r\nlab\.example login: $/);
    expect(negotiations).toContainEqual({ verb: 'DO', option: 6 });
  });

  it('may double a 255, give parameters, and use commands without any', () => {
    // RFC 855: IAC SB TERMINAL-TYPE SEND IAC SE, with a doubled 255 among the parameters; then IAC GA (RFC 854).
    const bytes = Uint8Array.from([0x61, 255, 255, 255, 250, 24, 255, 255, 1, 255, 240, 0x62, 255, 249, 0x63]);
    expect(parseTelnet(bytes)).toEqual({ text: bytesOf('a\xffbc'), negotiations: [], taken: bytes.length });
  });

  it('ends where the end of a command has not come', () => {
    for (const tail of [[255], [255, 253], [255, 250, 24], [255, 250, 24, 1, 255]]) {
      expect(parseTelnet(Uint8Array.from([0x61, ...tail]))).toMatchObject({ taken: 1 });
    }
  });

  it('is no Telnet with a command that is none, or one without end', () => {
    expect(() => parseTelnet(Uint8Array.of(255, 7))).toThrow('no Telnet command');
    expect(() => parseTelnet(Uint8Array.from([255, 250, ...new Uint8Array(600)]))).toThrow('without end');
  });

  it('is fit for a terminal without control characters that no terminal has', () => {
    expect(['login: \x07\r\n\x1b[2J\0', 'caf\xc3\xa9', 'caf\xc3'].map(bytesOf).map(isShowable)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['\x01', '\x15\x03\x03', 'caf\xe9 '].map(bytesOf).map(isShowable)).toEqual([false, false, false]);
  });
});

describe('a refusal', () => {
  it('answers what would begin, and nothing else: two that refuse do not talk for ever', () => {
    const refusals = (['WILL', 'WONT', 'DO', 'DONT'] as const).map((verb) => refusalOf({ verb, option: 31 }));
    expect(refusals).toEqual([{ verb: 'DONT', option: 31 }, undefined, { verb: 'WONT', option: 31 }, undefined]);
    for (const refusal of refusals) if (refusal !== undefined) expect(refusalOf(refusal)).toBeUndefined();
  });

  it('is written as it is read, and its options have their names', () => {
    const refusal: Negotiation = { verb: 'WONT', option: 24 };
    expect(encodeNegotiation(refusal)).toEqual(Uint8Array.of(255, 252, 24));
    expect(parseTelnet(encodeNegotiation(refusal)).negotiations).toEqual([refusal]);
    expect([optionName(31), optionName(200)]).toEqual(['NAWS', 'option 200']);
    expect([isAssigned(0), isAssigned(31), isAssigned(200)]).toEqual([true, true, false]);
  });
});

describe('the telnet probe', () => {
  it.each([
    [
      'inetutils-2.4-refused',
      {
        offers: expect.arrayContaining(['ECHO', 'STATUS']) as string[],
        banner: expect.stringMatching(/^Linux .* lab\.example login:$/) as string,
      },
    ],
    [
      'netkit-0.17-refused',
      {
        wants: expect.arrayContaining(['NEW-ENVIRON', 'NAWS']) as string[],
        banner: 'Debian GNU/Linux 12 lab.example login:',
      },
    ],
    [
      'busybox-1.36.1-opening',
      {
        offers: ['ECHO', 'SUPPRESS-GO-AHEAD'],
        wants: ['ECHO', 'NAWS'],
        banner: 'BusyBox v1.36.1 (2025-09-19 21:19:38 UTC) built-in shell (ash) ~ #',
      },
    ],
    ['cisco-ios-12.2-opening', { offers: ['ECHO', 'SUPPRESS-GO-AHEAD'], wants: ['TERMINAL-TYPE', 'NAWS'] }],
    ['hp-jetdirect-opening', { banner: 'HP JetDirect Password:' }],
  ])('is answered by %s, and asks nothing of it', async (name, facts) => {
    const peer = await saying(captured(name));
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: name.endsWith('refused') ? (expect.objectContaining(facts) as typeof facts) : facts,
    });
    expect(spelled(peer.heard())).not.toContain('DO 6');
  });

  it('refuses all that is offered and asked for, each once, and types nothing', async () => {
    const peer = await saying(captured('cisco-ios-12.2-opening'), (_, socket) => {
      // What is off already needs no word.
      socket.write(Buffer.concat([told('WONT', 1, 3), told('DONT', 24, 31)]));
    });
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered' });
    expect(peer.heard()).toEqual(Buffer.concat([told('DONT', 1, 3), told('WONT', 24, 31)]));
  });

  it('does not argue for ever with one who does not take no for an answer', async () => {
    const peer = await saying(told('DO', 24, 31), (_, socket) => void socket.write(told('DO', 24, 31)));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { wants: ['TERMINAL-TYPE', 'NAWS'] } });
    expect(peer.heard()).toHaveLength(3 * 40);
  });

  it.each(['netkit-0.17', 'inetutils-2.4'])('asks one that waits to be spoken to: %s', async (name) => {
    const answered = captured(`${name}-timing-mark`).subarray(-3);
    const opening = name === 'netkit-0.17' ? captured('netkit-0.17-opening') : new Uint8Array(0);
    const peer = await saying(opening, (bytes, socket) => {
      if (Buffer.from(bytes).equals(QUESTION)) socket.write(answered);
    });
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { timingMark: 'WILL', ...(name === 'netkit-0.17' ? { wants: ['NEW-ENVIRON'] } : {}) },
    });
    expect(Buffer.from(peer.heard()).subarray(0, 3)).toEqual(Buffer.from(QUESTION));
  });

  it('is answered by a refusal of its question, whatever text stands around it', async () => {
    const peer = await saying(bytesOf('Acc\xe8s r\xe9serv\xe9\r\n'.replace(/[\xe8\xe9]/g, 'e')), (_, socket) => {
      socket.write(Buffer.concat([bytesOf('\r\nlogin: '), told('WONT', 6)]));
    });
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { timingMark: 'WONT', banner: 'Acces reserve login:' },
    });
    expect(peer.heard()).toEqual(Buffer.from(QUESTION));
  });

  it('waits for one whose greeting takes its time', async () => {
    const peer = await keep(
      tcpPeer((socket) => {
        const timer = setTimeout(() => socket.write(captured('hp-jetdirect-opening')), 3500);
        socket.once('close', () => clearTimeout(timer));
      }),
    );
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered' });
  });

  it('takes no text without Telnet for it: a prompt proves no protocol', async () => {
    const peer = await saying(bytesOf('\r\nPress RETURN to get started.\r\n'));
    expect(await ask(peer.port)).toEqual({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'text without Telnet: "Press RETURN to get started."',
      facts: { negotiation: 'none', banner: 'Press RETURN to get started.' },
    });
    expect(peer.heard()).toEqual(Buffer.from(QUESTION));
  });

  it('takes no echo for an answer, and gives it nothing more to echo', async () => {
    const peer = await saying(new Uint8Array(0), (bytes, socket) => void socket.write(bytes));
    expect(await ask(peer.port)).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
    expect(peer.heard()).toEqual(Buffer.from(QUESTION));
  });

  it('takes no silence for an answer', async () => {
    const peer = await saying(new Uint8Array(0));
    expect(await ask(peer.port, {}, { deadlineMs: 4500 })).toMatchObject({ kind: 'stranger', came: 'silence' });
    expect(peer.heard()).toEqual(Buffer.from(QUESTION));
  });

  it('takes three bytes that look like a command for none, where nothing else says so', async () => {
    const looks = [told('DO', 24), Uint8Array.of(...told('WILL', 1), 0x15), told('WILL', 200, 201)];
    const outcomes = await Promise.all(looks.map(async (bytes) => ask((await saying(bytes)).port)));
    expect(outcomes).toMatchObject(looks.map(() => ({ kind: 'stranger', came: 'other-protocol' })));
  });

  it('needs a whole command', async () => {
    for (let after = 0; after < 3; after += 1) {
      const peer = await keep(spoiltStandIn(module.standIn, { how: 'cut', after, then: 'close' }));
      expect(await ask(peer.port), `${after} bytes`).toMatchObject({ kind: 'stranger' });
    }
  });

  it('tells what it heard though the server closes at once', async () => {
    const full = Buffer.concat([captured('cisco-ios-12.2-opening'), bytesOf('\r\n% All lines in use\r\n')]);
    const peer = await keep(tcpPeer((socket) => socket.end(full)));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { banner: '% All lines in use' } });
  });
});

describe('a text that is expected', () => {
  const options = { 'expect-text': 'console01' };

  it('proves a port that speaks plain text, and no question is asked of it', async () => {
    const peer = await saying(bytesOf('\r\nconsole01 port 7\r\n'));
    expect(await ask(peer.port, options)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { negotiation: 'none', banner: 'console01 port 7' },
    });
    expect(peer.heard()).toHaveLength(0);
  });

  it('is waited for until a negotiation is over', async () => {
    const peer = await saying(
      captured('cisco-ios-12.2-opening'),
      (_, socket) => void socket.write('console01 login: '),
    );
    expect(await ask(peer.port, options)).toMatchObject({
      kind: 'answered',
      facts: { offers: ['ECHO', 'SUPPRESS-GO-AHEAD'], banner: 'console01 login:' },
    });
  });

  it('that does not come makes a stranger, though Telnet is spoken', async () => {
    const greetings = [bytesOf('console02\r\n'), captured('hp-jetdirect-opening')];
    const detail = expect.stringContaining('in which the expected text does not stand') as string;
    const outcomes = await Promise.all(greetings.map(async (each) => ask((await saying(each)).port, options)));
    expect(outcomes).toMatchObject(greetings.map(() => ({ kind: 'stranger', came: 'other-protocol', detail })));
  });

  it.each(['', 'a\u0007b', 'x'.repeat(201)])('is printable and short: %j is refused', (text) => {
    expect(probe.options.safeParse({ 'expect-text': text }).success).toBe(false);
  });
});

describe('real servers', () => {
  it('GNU telnetd answers over IPv4 and IPv6; 100 visits type nothing at its prompt', async (ctx) => {
    requireTelnetd(ctx);
    const server = await keep(telnetd({ addresses: ['127.0.0.1', '::1'] }));
    const expected = {
      kind: 'answered',
      depth: 'protocol',
      facts: {
        offers: expect.arrayContaining(['ECHO', 'SUPPRESS-GO-AHEAD']) as string[],
        wants: expect.arrayContaining(['TERMINAL-TYPE', 'NAWS', 'TIMING-MARK']) as string[],
        banner: expect.stringMatching(/^Linux .* lab\.example login:$/) as string,
      },
    };
    for (let batch = 0; batch < 10; batch += 1) {
      const families = Array.from({ length: 10 }, (_, index): Family => (index % 2 === 0 ? 4 : 6));
      const outcomes = await Promise.all(families.map((family) => ask(server.port, {}, { family })));
      expect(outcomes).toMatchObject(families.map(() => expected));
    }
    expect(await ask(server.port, { 'expect-text': 'lab.example login:' })).toMatchObject({ kind: 'answered' });
    expect(server.logs()).not.toContain('typed');
  });

  it('a shell script behind inetd speaks plain text, and cat says nothing', async (ctx) => {
    requireTelnetd(ctx);
    const script = await keep(telnetd({ command: '/bin/echo echo lab.example port 7' }));
    expect(await ask(script.port)).toMatchObject({
      kind: 'stranger',
      detail: 'text without Telnet: "lab.example port 7"',
    });
    expect(await ask(script.port, { 'expect-text': 'port 7' })).toMatchObject({ kind: 'answered', depth: 'protocol' });
    const cat = await keep(telnetd({ command: '/bin/cat cat' }));
    expect(await ask(cat.port)).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('inetd’s own echo is a stranger', async (ctx) => {
    requireInetd(ctx);
    const server = await keep(inetd());
    expect(await ask(server.port)).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('where telnetd was, it is refused', async (ctx) => {
    requireTelnetd(ctx);
    const server = await telnetd();
    await server.stop();
    expect(await ask(server.port)).toMatchObject({ kind: 'refused' });
    expect(await ask(await closedPort('tcp', 6), {}, { family: 6 })).toMatchObject({ kind: 'refused' });
  });

  it('sshd and vsftpd are strangers', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    requireServer(ctx, 'vsftpd', 'vsftpd');
    const [ssh, ftp] = [await keep(sshd()), await keep(vsftpd())];
    expect(await ask(ssh.port)).toMatchObject({ kind: 'stranger', detail: expect.stringContaining('SSH') as string });
    expect(await ask(ftp.port)).toMatchObject({ kind: 'stranger', detail: 'an SMTP or FTP greeting' });
  });

  it('in the lab it is open, closed without telnetd, and not open where a firewall drops it', async (ctx) => {
    requireLinecheck(ctx);
    requireTelnetd(ctx);
    const lab = await openLab();
    closing.push(() => lab.close());
    const server = await telnetd({
      on: lab.place('server1'),
      addresses: ['10.3.0.11', 'fd00:3::11'],
      names: ['10.1.0.2 tech.lab.example', 'fd00:1::2 tech.lab.example'],
    });
    for (const target of ['10.3.0.11', 'fd00:3::11']) {
      expect(await linecheck(lab, ['probe', 'telnet', target], NOBODY)).toMatchObject({
        verdict: 'open',
        facts: { banner: expect.stringContaining('lab.example login:') as string },
      });
    }
    await lab.firewall('table inet f { chain c { type filter hook forward priority filter; tcp dport 23 drop; }; }');
    const dropped = await linecheck(lab, ['probe', 'telnet', '10.3.0.11', '--timeout', '4s'], NOBODY);
    expect(dropped.verdict).toMatch(/^(?:blocked|unreachable)$/);
    await lab.firewall('');
    await server.stop();
    expect(await linecheck(lab, ['probe', 'telnet', '10.3.0.11'], NOBODY)).toMatchObject({ verdict: 'closed' });
  });
});

describe('the stand-in', () => {
  it('answers the question of the probe', async () => {
    const peer = await keep(standInAt(module.standIn));
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        offers: ['ECHO', 'SUPPRESS-GO-AHEAD'],
        wants: ['TERMINAL-TYPE'],
        banner: 'linecheck stand-in, nobody can log in here',
      },
    });
  });
});

describeDecoders(packet, {
  parseTelnet: { decode: parseTelnet, samples: vectorsOf('telnet').map(({ bytes }) => bytes) },
});

// The first whole command proves the protocol; that it takes one is tested above.
describeConformance(module, {
  name: 'telnet',
  carrier: 'tcp',
  answersEarly: true,
  atHome: ['a telnet negotiation'],
});

const prompting: StandIn = {
  carrier: 'tcp',
  session: async (stream) => {
    await stream.write(bytesOf('console01 port 7\r\n'));
    await stream.peek(60_000);
  },
};
describeConformance(
  { probe, standIn: prompting },
  {
    name: 'telnet that expects a text',
    carrier: 'tcp',
    options: { 'expect-text': 'console01 port 7' },
    answersEarly: true,
  },
);
