// The https probe: any HTTP status in a secure channel, what the answer tells, and what is no answer.
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { complaintOf, exchange, hostField, httpFacts, isExpected } from '../../probes/https/packet.js';
import type { HttpAnswer, HttpRequest } from '../../probes/https/packet.js';
import * as https from '../../probes/https/probe.js';
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { StandIn } from '../../src/contract/probe.js';
import { makeCertificates } from '../lab/certificates.js';
import { requireServer } from '../lab/requirements.js';
import { nginx, nginxTls, stunnel } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { askOnce, standInAt, tcpPeer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

// The answer stands as soon as its head does; what is cut after that spoils nothing.
describeConformance(https, { name: 'https', carrier: 'tcp', answersEarly: true });

const { probe } = https;
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function keep<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  closing.push(() => server.stop());
  return server;
}

interface How {
  readonly family?: Family;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

async function ask(port: number, options: Record<string, unknown> = {}, how: How = {}): Promise<Outcome> {
  const { family = 4, secrets = {}, deadlineMs = 10_000 } = how;
  const bound = probe.bind('tcp', probe.options.parse(options));
  return (await askOnce(bound, port, { deadlineMs, family, secrets })).outcome;
}

/** A TLS server that answers each request head with these bytes, and then closes unless told to stay. */
async function answering(bytes: Uint8Array | string, stays = false): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = [];
  const standIn: StandIn = {
    carrier: 'tcp',
    async session(stream, stage) {
      const secure = await stage.secure(stream, { alpn: ['http/1.1'] });
      const head = await secure.readUntil(new TextEncoder().encode('\r\n\r\n'), 8192);
      heads.push(Buffer.from(head).toString('latin1'));
      await secure.write(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes);
      if (stays) await secure.peek(10_000);
    },
  };
  const peer = await standInAt(standIn);
  closing.push(() => peer.close());
  return { port: peer.port, heads };
}

const request: HttpRequest = { method: 'GET', path: '/', host: 'lab.example' };

/** A bare exchange with a peer that does this with each connection. */
async function exchangeWith(serve: (socket: Socket) => void, asked: HttpRequest = request): Promise<HttpAnswer> {
  const peer = await tcpPeer(serve);
  closing.push(() => peer.close());
  const socket = connect({ host: '127.0.0.1', port: peer.port });
  socket.on('error', () => undefined);
  await new Promise((connected) => socket.once('connect', connected));
  return exchange(socket, asked);
}
const saying =
  (bytes: Uint8Array | string) =>
  (socket: Socket): void =>
    void socket.once('data', () => socket.end(bytes));

describe('one request', () => {
  it('is the smallest honest one', async () => {
    const { port, heads } = await answering('HTTP/1.1 204 No Content\r\n\r\n');
    await ask(port, { path: '/health?deep=0', host: 'www.example.net', method: 'HEAD' });
    expect(heads).toEqual([
      `HEAD /health?deep=0 HTTP/1.1\r\nhost: www.example.net:${port}\r\nconnection: close\r\nuser-agent: linecheck\r\n\r\n`,
    ]);
  });

  it('goes out again for no redirect, which is named', async () => {
    const { port, heads } = await answering('HTTP/1.1 302 Found\r\nlocation: https://www.example.net/login\r\n\r\n');
    expect(await ask(port)).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { status: 302, location: 'https://www.example.net/login' },
    });
    expect(heads).toHaveLength(1);
  });

  it.each([
    ['401 Unauthorized', { status: 401 }],
    ['403 Forbidden', { status: 403 }],
    ['407 Proxy Authentication Required', { status: 407 }],
    ['500 Internal Server Error', { status: 500 }],
  ])('is answered by %s', async (line, facts) => {
    const { port } = await answering(`HTTP/1.1 ${line}\r\ncontent-length: 0\r\n\r\n`);
    expect(await ask(port)).toMatchObject({ kind: 'answered', depth: 'protocol', facts });
  });

  it('takes an interim answer for none (RFC 9110 §15.2)', async () => {
    const { port } = await answering('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n');
    expect(await ask(port)).toMatchObject({ kind: 'answered', facts: { status: 200 } });
  });

  it('is answered as soon as the head is there, though the body never ends', async () => {
    const { port } = await answering('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', true);
    expect(await ask(port)).toMatchObject({ kind: 'answered', depth: 'protocol' });
  });

  it('uses no proxy of the environment', async () => {
    const before = process.env['HTTPS_PROXY'];
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:9';
    try {
      const { port } = await answering('HTTP/1.1 200 OK\r\n\r\n');
      expect(await ask(port)).toMatchObject({ kind: 'answered' });
    } finally {
      if (before === undefined) delete process.env['HTTPS_PROXY'];
      else process.env['HTTPS_PROXY'] = before;
    }
  });
});

describe('an expected status', () => {
  it.each([
    [200, 200],
    [['2xx', 401], 200],
    [[404, 200], 200],
    ['2xx', 204],
  ])('%j takes %i', async (expected, status) => {
    const { port } = await answering(`HTTP/1.1 ${status} x\r\n\r\n`);
    expect(await ask(port, { 'expect-status': expected })).toMatchObject({ kind: 'answered', depth: 'protocol' });
  });

  it('calls another a stranger, and keeps what was seen', async () => {
    const { port } = await answering('HTTP/1.1 503 Service Unavailable\r\nserver: gateway\r\n\r\n');
    expect(await ask(port, { 'expect-status': ['2xx', 401] })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'HTTP status 503, where 2xx or 401 is expected',
      facts: { status: 503, server: 'gateway', tlsVersion: 'TLSv1.3' },
    });
  });

  it('knows statuses and classes', () => {
    expect(isExpected(404, ['4xx'])).toBe(true);
    expect(isExpected(404, [404])).toBe(true);
    expect(isExpected(404, ['404'])).toBe(true);
    expect(isExpected(404, ['2xx', 401])).toBe(false);
    expect(isExpected(404, [])).toBe(false);
  });
});

describe('no answer', () => {
  it.each([
    ['another protocol', 'SSH-2.0-Example\r\n', 'an SSH identification'],
    ['a page without a status line (HTTP/0.9)', '<html>\r\n', 'what came is not HTTP/1.1'],
    ['a frame of HTTP/2', Uint8Array.of(0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 128), 'what came is not HTTP/1.1'],
    [
      'headers without end',
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
      'HTTP headers of more than 16384 bytes',
    ],
  ])('is %s', async (_, bytes, detail) => {
    const { port } = await answering(bytes);
    expect(await ask(port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining(detail) as string,
      facts: { tlsVersion: 'TLSv1.3' },
    });
  });

  it('is a close after the request, and the channel is told', async () => {
    const { port } = await answering('');
    expect(await ask(port)).toMatchObject({ kind: 'stranger', came: 'close', facts: { tlsVersion: 'TLSv1.3' } });
  });

  it('is half a head', async () => {
    const { port } = await answering('HTTP/1.1 200 OK\r\nserver: x');
    expect(await ask(port)).toMatchObject({ kind: 'stranger', came: 'close' });
  });

  it('is silence in the channel', async () => {
    const { port } = await answering('', true);
    expect(await ask(port, {}, { deadlineMs: 400 })).toMatchObject({ kind: 'stranger', came: 'silence' });
  });
});

describe('from outside', () => {
  it.each([
    ['nginx-1.22.1-200', { status: 200, server: 'nginx/1.22.1' }],
    [
      'nginx-1.22.1-301',
      {
        status: 301,
        server: 'nginx/1.22.1',
        location: 'https://www.example.net/login',
        redirectHost: 'www.example.net',
      },
    ],
    ['nginx-1.22.1-401', { status: 401, server: 'nginx/1.22.1', authenticate: ['Basic'] }],
    ['nginx-1.22.1-plain-http-on-tls-port', { status: 400, server: 'nginx/1.22.1', wantsTls: true }],
    ['nginx-1.22.1-certificate-demanded', { status: 400, server: 'nginx/1.22.1' }],
    ['nginx-1.22.1-certificate-refused', { status: 400, server: 'nginx/1.22.1' }],
    ['openssl-3.0.22-www', { status: 200 }],
  ])('%s is read', async (name, facts) => {
    expect(httpFacts(await exchangeWith(saying(vector(`https/${name}.hex`))), request)).toEqual(facts);
  });

  it.each([
    ['nginx-1.22.1-plain-http-on-tls-port', 'plain-http'],
    ['nginx-1.22.1-certificate-demanded', 'certificate-demanded'],
    ['nginx-1.22.1-certificate-refused', 'certificate-refused'],
    ['nginx-1.22.1-200', undefined],
  ])('%s complains of %s', async (name, complaint) => {
    expect(complaintOf(await exchangeWith(saying(vector(`https/${name}.hex`))))).toBe(complaint);
  });

  it.each(vectorsOf('https'))('$path is an answer only once its head is whole', async ({ bytes }) => {
    const head = Buffer.from(bytes).indexOf('\r\n\r\n') + 4;
    for (const size of [0, 1, 8, 12, 30, head - 2, head - 1]) {
      await expect(exchangeWith(saying(bytes.subarray(0, size)))).rejects.toThrow(EndOfStream);
    }
    expect((await exchangeWith(saying(bytes.subarray(0, head)))).status).toBeGreaterThanOrEqual(200);
  });
});

describe('facts', () => {
  const answer = (headers: HttpAnswer['headers']): HttpAnswer => ({ status: 200, headers, bodyStart: '' });

  it('are short and harmless, whatever the fields say', () => {
    const facts = httpFacts(answer({ server: `\x1b[2J${'x'.repeat(5000)}` }), request);
    expect(facts['server']).toBe(`.[2J${'x'.repeat(196)}…`);
  });

  it('name the schemes of a challenge without their parameters', () => {
    const challenge = ['Negotiate', 'Digest realm="a, b", nonce="x==", qop="auth"', 'Basic realm="x"'];
    expect(httpFacts(answer({ 'www-authenticate': challenge }), request)['authenticate']).toEqual([
      'Negotiate',
      'Digest',
      'Basic',
    ]);
  });

  it('call a host by what belongs in the Host field', () => {
    expect(hostField('www.example.net', 443, 443)).toBe('www.example.net');
    expect(hostField('192.0.2.1', 8443, 443)).toBe('192.0.2.1:8443');
    expect(hostField('2001:db8::1', 443, 443)).toBe('[2001:db8::1]');
    expect(hostField('fe80::1%eth0', 8443, 443)).toBe('[fe80::1]:8443');
  });
});

it('an exchange leaves its socket closed, whatever came', async () => {
  for (const bytes of ['HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nx', 'SSH-2.0-Example\r\n']) {
    const gone = new Promise<void>((resolve) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.write(bytes));
        socket.once('close', () => resolve());
      }).listen(0, '127.0.0.1', () => {
        closing.push(() => new Promise((closed) => server.close(() => closed())));
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
          exchange(socket, request).catch((error: unknown) => expect(error).toBeInstanceOf(ProtocolError));
        });
      });
    });
    await gone;
  }
});

describe('options', () => {
  it.each([
    [{ path: 'health' }, 'expected a path'],
    [{ path: '/a b' }, 'expected a path'],
    [{ path: '/\r\nhost: x' }, 'expected a path'],
    [{ host: 'a\r\nb' }, 'host name'],
    [{ method: 'POST' }, 'HEAD'],
    [{ 'expect-status': 99 }, 'a status such as 200'],
    [{ 'expect-status': '6xx' }, 'a status such as 200'],
    [{ 'expect-status': [] }, 'a status such as 200'],
    [{ 'client-key': 'k' }, 'needs client-cert'],
    [{ alpn: ['h2'] }, 'alpn'],
  ])('refuses %j', (options, words) => {
    const parsed = probe.options.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });
});

describe('real servers', () => {
  it('nginx answers over IPv4 and IPv6', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginxTls({ addresses: ['127.0.0.1', '::1'] }));
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, { 'expect-status': '2xx' }, { family })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { status: 200, server: expect.stringMatching(/^nginx/) as string, alpn: 'http/1.1', trusted: false },
      });
    }
    expect(await ask(server.port, { method: 'HEAD', path: '/any' })).toMatchObject({ kind: 'answered' });
  });

  it('nginx without TLS is a stranger', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginx());
    expect(await ask(server.port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining('not TLS') as string,
    });
  });

  it('nginx asks for a client certificate inside HTTP, and says what it thinks of one', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginxTls({ requireClient: true }));
    const others = await makeCertificates(['other.example']);
    closing.push(() => others.remove());
    const show = (cert: string, key: string): Promise<Outcome> =>
      ask(
        server.port,
        { 'client-cert': 'cert', 'client-key': 'key' },
        { secrets: { cert: readFileSync(cert, 'latin1'), key: readFileSync(key, 'latin1') } },
      );
    expect(await ask(server.port)).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { status: 400, clientCertificate: 'demanded' },
    });
    const { clientCert, clientKey } = server.certificates;
    expect(await show(clientCert, clientKey)).toMatchObject({ kind: 'answered', facts: { status: 200 } });
    expect(await show(others.clientCert, others.clientKey)).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
    });
  });

  it.for(['TLSv1.2', 'TLSv1.3'])(
    'a client certificate demanded in TLS, %s, is an answer of TLS',
    async (version, ctx) => {
      requireServer(ctx, 'stunnel4', 'stunnel4');
      const server = await keep(stunnel({ versions: { min: version, max: version } }));
      expect(await ask(server.port)).toMatchObject({
        kind: 'answered',
        depth: 'secure',
        facts: { clientCertificate: 'demanded' },
      });
    },
  );

  it('an echo in TLS is no HTTP', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const server = await keep(stunnel({ requireClient: false }));
    expect(await ask(server.port)).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });
});
