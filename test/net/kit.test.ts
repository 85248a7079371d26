// Tests of the kit: what a probe gets from real sockets on loopback, healthy and hostile, and that nothing is left of it.
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProtocolError } from '../../src/bytes/errors.js';
import { answered, asking, clock, closedPort, starting } from './kit.js';
import type { Ask } from './kit.js';
import { shutPort, tcpPeer, tlsPeer, udpPeer } from './sockets.js';

const reading =
  (atLeast: number, max = atLeast): Ask =>
  async (_, kit) => {
    const stream = await kit.tcp();
    const bytes = await stream.read({ atLeast, max });
    return { kind: 'answered', depth: 'protocol', facts: { text: Buffer.from(bytes).toString('latin1') } };
  };

const exchanging =
  (wanted: string): Ask =>
  async (_, kit) => {
    const datagrams = await kit.udp();
    return datagrams.exchange(Buffer.from('ask'), (reply) =>
      Buffer.from(reply).toString() === wanted ? answered : undefined,
    );
  };

describe('a TCP stream', () => {
  it.each(['127.0.0.1', '::1'])('reads what %s sends, in the portions that were asked for', async (address) => {
    const port = await tcpPeer((socket) => socket.write('abcdef'), address);
    const attempt = await asking(
      async (_, kit) => {
        const stream = await kit.tcp();
        const first = Buffer.from(await stream.read({ atLeast: 2, max: 2 })).toString();
        const rest = Buffer.from(await stream.read({ atLeast: 4, max: 10 })).toString();
        return { kind: 'answered', depth: 'protocol', facts: { first, rest, remote: stream.remote.address } };
      },
      { port, address },
    );
    expect(attempt.outcome).toMatchObject({ kind: 'answered', facts: { first: 'ab', rest: 'cdef', remote: address } });
    expect(attempt.localAddress).toBe(address);
    expect(attempt.timings.connectMs).toBeGreaterThan(0);
    expect(attempt.evidence.map((one) => one.kind === 'alive' && one.by)).toEqual(['handshake', 'data']);
  });

  it('is refused by a port on which nothing listens', async () => {
    const { outcome } = await asking(reading(1), { port: await shutPort() });
    expect(outcome).toMatchObject({ kind: 'refused', signal: closedPort('tcp') });
  });

  it('reads lines, and leaves what stands after them', async () => {
    const port = await tcpPeer((socket) => socket.write('220 a\r\n250 b\r\n'));
    const { outcome } = await asking(
      async (_, kit) => {
        const stream = await kit.tcp();
        const lines: string[] = [];
        for (let count = 0; count < 2; count += 1) {
          lines.push(Buffer.from(await stream.readUntil(Buffer.from('\r\n'), 100)).toString());
        }
        return { kind: 'answered', depth: 'protocol', facts: { lines } };
      },
      { port },
    );
    expect(outcome).toMatchObject({ facts: { lines: ['220 a\r\n', '250 b\r\n'] } });
  });

  it('takes a line without an end for another protocol, and reads no more of it than it may', async () => {
    const port = await tcpPeer((socket) => socket.write('x'.repeat(5000)));
    const { outcome } = await asking(
      async (_, kit) => {
        await (await kit.tcp()).readUntil(Buffer.from('\n'), 255);
        return answered;
      },
      { port },
    );
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('gathers until the line is quiet', async () => {
    const port = await tcpPeer((socket) => {
      socket.write('one ');
      setTimeout(() => socket.write('two'), 20);
    });
    const { outcome } = await asking(
      async (_, kit) => {
        const bytes = await (await kit.tcp()).read({ atLeast: 1, max: 100, quietMs: 200 });
        return { kind: 'answered', depth: 'protocol', facts: { text: Buffer.from(bytes).toString() } };
      },
      { port },
    );
    expect(outcome).toMatchObject({ facts: { text: 'one two' } });
  });

  it('peeks without taking anything away', async () => {
    const port = await tcpPeer((socket) => socket.write('hi'));
    const { outcome } = await asking(
      async (_, kit) => {
        const stream = await kit.tcp();
        const seen = await stream.peek(1000);
        const bytes = await stream.read({ atLeast: 2, max: 2 });
        return { kind: 'answered', depth: 'protocol', facts: { seen, text: Buffer.from(bytes).toString() } };
      },
      { port },
    );
    expect(outcome).toMatchObject({ facts: { seen: 'bytes', text: 'hi' } });
  });

  it('stops a flood at the peer instead of filling the memory', async () => {
    let written = 0;
    const port = await tcpPeer((socket) => {
      const block = Buffer.alloc(1 << 16);
      const pour = (): void => {
        while (!socket.destroyed && socket.write(block)) written += block.length;
      };
      socket.on('drain', pour);
      pour();
    });
    const { outcome } = await asking(
      async (_, kit) => {
        const stream = await kit.tcp();
        await stream.peek(500);
        await sleep(300);
        return { kind: 'answered', depth: 'port', facts: {} };
      },
      { port },
    );
    expect(outcome.kind).toBe('answered');
    // Socket buffers of both kernels' ends take a few MB at most; a second's flood would be hundreds.
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  it.each([
    ['close', 'the connection was accepted and then closed'],
    ['reset', 'the connection was accepted and then reset'],
  ] as const)('sees a %s after the handshake', async (came, detail) => {
    const port = await tcpPeer((socket) => {
      if (came === 'close') socket.end();
      else socket.resetAndDestroy();
    });
    const { outcome } = await asking(reading(1), { port });
    expect(outcome).toEqual({ kind: 'stranger', came, detail, facts: {} });
  });

  it('says how much came of an answer that broke off, and of one that stalled', async () => {
    const broken = await asking(reading(10), { port: await tcpPeer((socket) => socket.end('abc')) });
    expect(broken.outcome).toMatchObject({ kind: 'stranger', came: 'close', facts: { receivedBytes: 3 } });
    const stalled = await asking(reading(10), {
      port: await tcpPeer((socket) => socket.write('abc')),
      deadlineMs: 200,
    });
    expect(stalled.outcome).toMatchObject({ kind: 'stranger', came: 'silence', facts: { receivedBytes: 3 } });
  });

  it('never shows bytes that were sent as secret', async () => {
    const port = await tcpPeer(() => undefined);
    const { wire } = await asking(
      async (_, kit) => {
        const stream = await kit.tcp();
        await stream.write(Buffer.from('hunter2'), { secret: true });
        await stream.write(Buffer.from('plain'));
        return answered;
      },
      { port },
    );
    expect(JSON.stringify(wire)).not.toContain('hunter2');
    expect(JSON.stringify(wire)).not.toContain(Buffer.from('hunter2').toString('hex'));
    expect(wire).toContainEqual(expect.objectContaining({ kind: 'sent', bytes: 7 }));
    expect(wire).toContainEqual(expect.objectContaining({ kind: 'sent', text: 'plain' }));
  });
});

describe('datagrams', () => {
  it.each(['127.0.0.1', '::1'])('exchange a question for its answer with %s', async (address) => {
    const port = await udpPeer((socket, _, from) => socket.send('ok', from.port, from.address), address);
    const attempt = await asking(exchanging('ok'), { port, address });
    expect(attempt.outcome).toEqual(answered);
    expect(attempt).toMatchObject({ sent: 1, localAddress: address });
  });

  it('never shows what was sent as secret, nor an answer that repeats it', async () => {
    const port = await udpPeer((socket, message, from) => socket.send(message, from.port, from.address));
    const { wire } = await asking(
      async (_, kit) => {
        const socket = await kit.udp();
        await socket.exchange(Buffer.from('hunter2'), () => true, { secret: true });
        await socket.exchange(Buffer.from('plain'), () => true);
        return answered;
      },
      { port },
    );
    const shown = wire?.filter(({ kind }) => kind === 'sent' || kind === 'received');
    expect(shown).toMatchObject([
      { kind: 'sent', bytes: 7 },
      { kind: 'received', bytes: 7 },
      { kind: 'sent', text: 'plain' },
      { kind: 'received', text: 'plain' },
    ]);
    expect(JSON.stringify(wire)).not.toContain('hunter2');
    expect(JSON.stringify(wire)).not.toContain(Buffer.from('hunter2').toString('hex'));
  });

  it('leave what the probe had seen where the deadline comes before the next answer', async () => {
    const port = await udpPeer((socket, message, from) => {
      if (message.toString() === 'first') socket.send('ok', from.port, from.address);
    });
    const seen = { kind: 'answered', depth: 'protocol', facts: { first: 'ok' } } as const;
    const { outcome } = await asking(
      async (_, kit) => {
        const socket = await kit.udp();
        await socket.exchange(Buffer.from('first'), () => true);
        kit.seen(seen);
        await socket.exchange(Buffer.from('second'), () => true);
        return answered;
      },
      { port, deadlineMs: 300 },
    );
    expect(outcome).toEqual(seen);
  });

  it('see the refusal of a closed port', async () => {
    const { outcome } = await asking(exchanging('ok'), { port: await shutPort() });
    expect(outcome).toMatchObject({ kind: 'refused', signal: closedPort('udp') });
  });

  it('see a refusal that came while this process was busy until after the wait for it', async () => {
    const { outcome } = await asking(
      async (_, kit) => {
        const socket = await kit.udp();
        const sent = socket.send(Buffer.from('to nobody'), 20);
        for (const until = performance.now() + 60; performance.now() < until;);
        await sent;
        return { kind: 'sent', sent: 1, waitedMs: 20 };
      },
      { port: await shutPort() },
    );
    expect(outcome).toMatchObject({ kind: 'refused', signal: closedPort('udp') });
  });

  it('ask again every second until the answer comes', async () => {
    let asked = 0;
    const port = await udpPeer((socket, _, from) => {
      asked += 1;
      if (asked === 2) socket.send('ok', from.port, from.address);
    });
    const attempt = await asking(exchanging('ok'), { port, deadlineMs: 4000 });
    expect(attempt.outcome).toEqual(answered);
    expect(attempt.sent).toBe(2);
  });

  it('are silent when nothing comes, and count what was sent', async () => {
    const port = await udpPeer(() => undefined);
    const { outcome } = await asking(exchanging('ok'), { port, deadlineMs: 1300 });
    expect(outcome).toMatchObject({ kind: 'silent', sent: 2 });
  });

  it('remember a reply that is not the protocol, and go on listening', async () => {
    const port = await udpPeer((socket, _, from) => {
      socket.send('no', from.port, from.address);
      setTimeout(() => socket.send('ok', from.port, from.address), 50);
    });
    expect((await asking(exchanging('ok'), { port })).outcome).toEqual(answered);
    const wrong = await udpPeer((socket, _, from) => socket.send('no', from.port, from.address));
    const { outcome } = await asking(exchanging('ok'), { port: wrong, deadlineMs: 300 });
    expect(outcome).toEqual({
      kind: 'stranger',
      came: 'other-protocol',
      detail: '2 bytes beginning "no"',
      facts: { strangeDatagrams: 1 },
    });
  });

  it('carry the words of a ProtocolError that a reply causes', async () => {
    const port = await udpPeer((socket, _, from) => socket.send('no', from.port, from.address));
    const { outcome } = await asking(
      async (_, kit) => {
        const datagrams = await kit.udp();
        return datagrams.exchange(Buffer.from('ask'), () => {
          throw new ProtocolError('mode 7 is not for clients');
        });
      },
      { port, deadlineMs: 300 },
    );
    expect(outcome).toMatchObject({ kind: 'stranger', detail: 'mode 7 is not for clients' });
  });

  it('end a flood of strangers before the deadline', async () => {
    let over = false;
    const port = await udpPeer((socket, _, from) => {
      for (let count = 0; count < 20; count += 1) {
        setImmediate(() => {
          for (let more = 0; more < 100 && !over; more += 1) socket.send('no', from.port, from.address);
        });
      }
    });
    const { outcome } = await asking(exchanging('ok'), { port, deadlineMs: 3000 });
    over = true;
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('take an answer from another port where the flow says which, and from no other', async () => {
    const other = createSocket('udp4');
    onTestFinished(() => {
      other.close();
    });
    await new Promise<void>((resolve) => other.bind(0, '127.0.0.1', resolve));
    const port = await udpPeer((_, __, from) => other.send('ok', from.port, from.address));
    const answersFrom = other.address().port;
    expect((await asking(exchanging('ok'), { port, answersFrom })).outcome).toEqual(answered);
    expect((await asking(exchanging('ok'), { port, deadlineMs: 300 })).outcome).toMatchObject({ kind: 'silent' });
    const elsewhere = answersFrom === 65535 ? 65534 : answersFrom + 1;
    const strict = await asking(exchanging('ok'), { port, answersFrom: elsewhere, deadlineMs: 300 });
    expect(strict.outcome).toMatchObject({ kind: 'silent' });
  });

  it('ask from the source port that the flow fixes, and say when another program holds it', async () => {
    let seen = 0;
    const port = await udpPeer((socket, _, from) => {
      seen = from.port;
      socket.send('ok', from.port, from.address);
    });
    const sourcePort = await shutPort();
    expect((await asking(exchanging('ok'), { port, sourcePort })).outcome).toEqual(answered);
    expect(seen).toBe(sourcePort);
    const holder = createSocket('udp4');
    onTestFinished(() => {
      holder.close();
    });
    await new Promise<void>((resolve) => holder.bind(0, resolve));
    const held = await asking(exchanging('ok'), { port, sourcePort: holder.address().port });
    expect(held.outcome).toMatchObject({ kind: 'unable', reason: 'address-in-use' });
  });

  it('ask many targets from one fixed source port at once, each hearing its own answer', async () => {
    const sourcePort = await shutPort();
    const targets = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const address = `127.0.2.${index + 1}`;
        const port = await udpPeer((socket, __, from) => socket.send(address, from.port, from.address), address);
        return { address, port };
      }),
    );
    const attempts = await Promise.all(
      targets.map(({ address, port }) => asking(exchanging(address), { address, port, sourcePort, deadlineMs: 4000 })),
    );
    expect(attempts.map(({ outcome }) => outcome)).toEqual(targets.map(() => answered));
  });

  it('hear an answer from another port and the refusal of the asked one alike', async () => {
    const { outcome } = await asking(exchanging('ok'), { port: await shutPort(), answersFrom: await shutPort() });
    expect(outcome).toMatchObject({ kind: 'refused', signal: closedPort('udp') });
  });

  it('take no question of their own for its answer', async () => {
    const port = await shutPort();
    const { outcome } = await asking(async (_, kit) => (await kit.udp()).exchange(Buffer.from('ask'), () => answered), {
      port,
      sourcePort: port,
    });
    expect(outcome).toMatchObject({ kind: 'unable', reason: 'address-in-use' });
  });

  it('leave by the source address that the user chose', async () => {
    let seen = '';
    const port = await udpPeer((socket, _, from) => {
      seen = from.address;
      socket.send('ok', from.port, from.address);
    }, '127.0.0.1');
    const attempt = await asking(exchanging('ok'), { port, kit: { source: { 4: '127.0.0.9' } } });
    expect(attempt.outcome).toEqual(answered);
    expect(seen).toBe('127.0.0.9');
    expect(attempt.localAddress).toBe('127.0.0.9');
  });

  it('sent one way are sent when nothing refuses them, and refused when something does', async () => {
    const oneWay: Ask = async (_, kit) => {
      await (await kit.udp()).send(Buffer.from('trap'), 200);
      return { kind: 'sent', sent: 1, waitedMs: 200 };
    };
    const port = await udpPeer(() => undefined);
    expect((await asking(oneWay, { port })).outcome).toMatchObject({ kind: 'sent' });
    expect((await asking(oneWay, { port: await shutPort() })).outcome).toMatchObject({ kind: 'refused' });
  });

  it('collect every answer for a while after the first', async () => {
    const port = await udpPeer((socket, _, from) => {
      for (const name of ['a', 'b', 'c']) socket.send(name, from.port, from.address);
    });
    const { outcome } = await asking(
      async (_, kit) => {
        const datagrams = await kit.udp();
        const all = await datagrams.collect(Buffer.from('who'), (reply) => Buffer.from(reply).toString(), 200);
        return { kind: 'answered', depth: 'protocol', facts: { all: all.toSorted() } };
      },
      { port },
    );
    expect(outcome).toMatchObject({ facts: { all: ['a', 'b', 'c'] } });
  });
});

describe('an attempt', () => {
  const handles = (): number =>
    process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|UDPWrap|Timeout/.test(name)).length;

  it.each([
    ['its deadline', undefined],
    ['an interruption', 'interrupt'],
  ])('leaves no socket and no timer after %s', async (_, how) => {
    const tcp = await tcpPeer(() => undefined);
    const udp = await udpPeer(() => undefined);
    await sleep(50);
    const before = handles();
    const running = [
      starting(reading(1), { port: tcp, deadlineMs: how === undefined ? 200 : 60_000 }),
      starting(exchanging('ok'), { port: udp, deadlineMs: how === undefined ? 200 : 60_000 }),
    ];
    await sleep(100);
    if (how !== undefined) for (const one of running) one.interrupt();
    const kinds = (await Promise.all(running.map(({ done }) => done))).map(({ outcome }) => outcome.kind);
    expect(kinds).toEqual(how === undefined ? ['stranger', 'silent'] : ['unable', 'unable']);
    await sleep(50);
    // The peer's end of the one accepted connection closes with ours.
    expect(handles()).toBeLessThanOrEqual(before);
  });

  it('ends at its deadline even where the probe waits for something else for ever', async () => {
    const port = await tcpPeer(() => undefined);
    const { outcome } = await asking(
      async (_, kit) => {
        await kit.tcp();
        return new Promise(() => undefined);
      },
      { port, deadlineMs: 100 },
    );
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'silence' });
  });

  it('takes in an answer that had come before a busy process looked at its deadline', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const socket = require('node:dgram').createSocket('udp4');
       socket.on('message', (_, from) => setTimeout(() => socket.send('ok', from.port, from.address), 50));
       socket.bind(0, '127.0.0.1', () => parentPort.postMessage(socket.address().port));`,
      { eval: true },
    );
    onTestFinished(async () => {
      await worker.terminate();
    });
    const port = await new Promise<number>((resolve) => worker.once('message', resolve));
    const { outcome } = await asking(
      async (target, kit) => {
        const exchange = exchanging('ok')(target, kit);
        // Once the question is out, this process does nothing else until long after the deadline.
        await sleep(20);
        setImmediate(() => {
          const until = performance.now() + 800;
          while (performance.now() < until);
        });
        return exchange;
      },
      { port, deadlineMs: 400 },
    );
    expect(outcome).toEqual(answered);
  });

  it('takes a probe that asks nothing for a fault of our own', async () => {
    const { outcome } = await asking(() => new Promise(() => undefined), { port: 1, deadlineMs: 50 });
    expect(outcome).toMatchObject({ kind: 'unable', reason: 'bug' });
  });

  it('calls what a probe throws out of nowhere a bug, with its stack', async () => {
    const { outcome } = await asking(() => Promise.reject(new TypeError('x is undefined')), { port: 1 });
    expect(outcome).toMatchObject({ kind: 'unable', reason: 'bug' });
    expect(outcome.kind === 'unable' && outcome.detail).toContain('TypeError: x is undefined');
  });

  it("believes its sockets before a library's words: refused is refused, whatever was thrown", async () => {
    const { outcome } = await asking(
      async (_, kit) => {
        await kit.tcp().catch(() => undefined);
        throw new Error('request timed out');
      },
      { port: await shutPort() },
    );
    expect(outcome).toMatchObject({ kind: 'refused' });
  });

  it('makes no abort signal until a probe wants one, and aborts it at the deadline', async () => {
    const port = await tcpPeer(() => undefined);
    let aborted = false;
    await asking(
      async (_, kit) => {
        const { signal } = kit;
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        await (await kit.tcp()).read({ atLeast: 1, max: 1 });
        return answered;
      },
      { port, deadlineMs: 100 },
    );
    expect(aborted).toBe(true);
  });
});

describe('a TLS stream', () => {
  it('ends with its session, established or not, and Node lives on', async () => {
    const { standIn } = await import('../../probes/tls/probe.js');
    const listen = await import('../../src/net/listen.js');
    const { openStandIn } = await import('../../src/peer/stage.js');
    const net = { ...listen, random: (size: number) => new Uint8Array(size).fill(7) };
    const opened = await openStandIn(standIn, { address: '127.0.0.1', port: 0 }, net, clock);
    onTestFinished(() => opened.close());
    for (const wait of [true, false]) {
      const { outcome } = await asking(
        async (_, kit) => {
          const secure = kit.tls();
          if (wait) await secure;
          else secure.catch(() => undefined);
          return answered;
        },
        { port: opened.port },
      );
      expect(outcome).toEqual(answered);
    }
  });

  it('that breaks off its TLS after the handshake is another protocol', async () => {
    const { port } = await tlsPeer((plain) => plain.write('and now for something else\r\n'));
    const { outcome } = await asking(
      async (_, kit) => {
        const stream = await kit.tls();
        await stream.read({ atLeast: 1, max: 64 });
        return answered;
      },
      { port },
    );
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
    expect(JSON.stringify(outcome)).toContain('no TLS record');
  });
});
