// The http probe: any HTTP status answers, what the answer tells of redirects and portals, and what is no HTTP.
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as http from '../../probes/http/probe.js';
import { httpFacts } from '../../probes/https/packet.js';
import type { HttpAnswer } from '../../probes/https/packet.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { requireServer } from '../lab/requirements.js';
import { nginx, nginxTls, sshd, stunnel } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { askOnce, tcpPeer } from './scenes.js';
import { vector } from './vectors.js';

// The answer stands as soon as its head does; what is cut after that spoils nothing.
describeConformance(http, { name: 'http', carrier: 'tcp', answersEarly: true, atHome: ['an HTTP answer'] });

const { probe } = http;
const closing: (() => Promise<void>)[] = [];
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
  readonly deadlineMs?: number;
}

async function ask(port: number, options: Record<string, unknown> = {}, how: How = {}): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  return (await askOnce(bound, port, { deadlineMs: 10_000, ...how })).outcome;
}

/** Says these bytes to each request, and closes unless it stays. */
async function answering(bytes: Uint8Array | string, stays = false): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = [];
  const peer = await tcpPeer((socket: Socket) => {
    socket.once('data', (head: Buffer) => {
      heads.push(head.toString('latin1'));
      if (stays) socket.write(bytes);
      else socket.end(bytes);
    });
  });
  closing.push(() => peer.close());
  return { port: peer.port, heads };
}

describe('one request', () => {
  it('is the smallest honest one', async () => {
    const { port, heads } = await answering('HTTP/1.1 204 No Content\r\n\r\n');
    await ask(port, { path: '/health', host: 'www.example.net', method: 'HEAD' });
    expect(heads).toEqual([
      `HEAD /health HTTP/1.1\r\nhost: www.example.net:${port}\r\nconnection: close\r\nuser-agent: linecheck\r\n\r\n`,
    ]);
  });

  it.each([
    ['200 OK', 200],
    ['401 Unauthorized', 401],
    ['404 Not Found', 404],
    ['503 Service Unavailable', 503],
  ])('is answered by %s', async (line, status) => {
    const { port } = await answering(`HTTP/1.1 ${line}\r\nserver: lab\r\ncontent-length: 0\r\n\r\n`);
    expect(await ask(port)).toEqual({ kind: 'answered', depth: 'protocol', facts: { status, server: 'lab' } });
  });

  it('is answered as soon as the head is there, though the body never ends', async () => {
    const { port } = await answering('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', true);
    expect(await ask(port)).toMatchObject({ kind: 'answered', depth: 'protocol' });
  });

  it('with another status than the expected is a stranger’s', async () => {
    const { port } = await answering('HTTP/1.1 302 Found\r\nlocation: http://portal.example.net/\r\n\r\n');
    expect(await ask(port, { 'expect-status': 200 })).toEqual({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'HTTP status 302, where 200 is expected',
      facts: { status: 302, location: 'http://portal.example.net/', redirectHost: 'portal.example.net' },
    });
  });
});

describe('a redirect', () => {
  const answer = (location: string | readonly string[], status = 302): HttpAnswer => ({
    status,
    headers: { location },
    bodyStart: '',
  });
  const request = { method: 'GET', path: '/', host: 'www.example.net:8080' } as const;

  it.each([
    ['http://portal.example.com/login?from=x', 'portal.example.com'],
    ['//portal.example.com/', 'portal.example.com'],
    ['https://192.0.2.1/', '192.0.2.1'],
    ['https://[2001:db8::1]:8443/', '[2001:db8::1]'],
  ])('to %s names the other host', (location, redirectHost) => {
    expect(httpFacts(answer(location), request)).toMatchObject({ location, redirectHost });
  });

  it.each(['/login', 'https://www.example.net/', 'https://WWW.EXAMPLE.NET:8443/', '', 'http://', 'mailto:', ':'])(
    'to %j is to no other host',
    (location) => {
      expect(httpFacts(answer(location), request)).not.toHaveProperty('redirectHost');
    },
  );

  it('is only one where the status says so', () => {
    expect(httpFacts(answer('http://portal.example.com/', 201), request)).not.toHaveProperty('redirectHost');
  });

  it('is asked for by one request, and followed by none', async () => {
    const { port, heads } = await answering('HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:9/\r\n\r\n');
    expect(await ask(port)).toMatchObject({ kind: 'answered', facts: { status: 307 } });
    expect(heads).toHaveLength(1);
  });
});

it('a network that asks for a login first says so with 511', async () => {
  const { port } = await answering('HTTP/1.1 511 Network Authentication Required\r\n\r\n');
  expect(await ask(port)).toMatchObject({ kind: 'answered', facts: { status: 511, networkLoginRequired: true } });
});

describe('HTTPS on the port', () => {
  it.each([
    ['https/nginx-1.22.1-plain-http-on-tls-port', 'HTTP status 400, which says that HTTPS is expected on this port'],
    ['tls/openssl-3.0.22-protocol-version', 'a TLS record: HTTPS, or another protocol in TLS, is spoken on this port'],
  ])('is named: %s', async (name, detail) => {
    const { port } = await answering(vector(`${name}.hex`));
    expect(await ask(port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail,
      facts: { wantsTls: true },
    });
  });
});

describe('no answer', () => {
  it.each([
    ['another protocol', 'SSH-2.0-Example\r\n', 'what came is not HTTP/1.1: an SSH identification'],
    ['a page without a status line (HTTP/0.9)', '<html>\r\n', 'what came is not HTTP/1.1'],
    ['a word of another protocol that looks alike', 'SIP/2.0 400 Bad Request\r\n\r\n', 'what came is not HTTP/1.1'],
  ])('is %s', async (_, bytes, detail) => {
    const { port } = await answering(bytes);
    expect(await ask(port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining(detail) as string,
    });
  });

  it('is a close after the request', async () => {
    const { port } = await answering('');
    expect(await ask(port)).toMatchObject({ kind: 'stranger', came: 'close' });
  });

  it('is half a head', async () => {
    const { port } = await answering('HTTP/1.1 200 OK\r\nserver: x');
    expect(await ask(port)).toMatchObject({ kind: 'stranger', came: 'close' });
  });

  it('is silence after the request', async () => {
    const { port } = await answering('', true);
    expect(await ask(port, {}, { deadlineMs: 400 })).toMatchObject({ kind: 'stranger', came: 'silence' });
  });
});

describe('options', () => {
  it.each([
    [{ path: 'health' }, 'expected a path'],
    [{ host: 'a\r\nb' }, 'host name'],
    [{ 'expect-status': 99 }, 'a status such as 200'],
    [{ ca: 'site-ca' }, 'ca'],
    [{ servername: 'www.example.net' }, 'servername'],
  ])('refuses %j', (options, words) => {
    const parsed = probe.options.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('says what is sent', () => {
    expect(probe.bind('tcp', { path: '/health' }).traits).toEqual({
      silence: 'conclusive',
      depths: ['port', 'protocol'],
      defaultDepth: 'protocol',
      proxied: 'forward',
      sends: [
        { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
        { what: 'GET /health, about', packets: 1, bytes: 90 },
      ],
    });
  });
});

describe('real servers', () => {
  it('nginx answers over IPv4 and IPv6, and refuses once it is gone', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginx({ addresses: ['127.0.0.1', '::1'] }));
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, { 'expect-status': '2xx' }, { family })).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { status: 200, server: expect.stringMatching(/^nginx/) as string },
      });
    }
    expect(await ask(server.port, { method: 'HEAD' })).toMatchObject({ kind: 'answered' });
    await server.stop();
    expect(await ask(server.port)).toMatchObject({ kind: 'refused', signal: 'refused' });
  });

  it('nginx as a captive portal redirects to another host, which is named', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginx({ directives: ['return 302 http://portal.example.net/login;'] }));
    expect(await ask(server.port, { host: 'www.example.net' })).toMatchObject({
      kind: 'answered',
      facts: { status: 302, location: 'http://portal.example.net/login', redirectHost: 'portal.example.net' },
    });
  });

  it('nginx with TLS says that it wants TLS', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginxTls());
    expect(await ask(server.port)).toMatchObject({ kind: 'stranger', facts: { status: 400, wantsTls: true } });
  });

  it('stunnel is no HTTP', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const server = await keep(stunnel());
    expect(await ask(server.port)).toMatchObject({ kind: 'stranger' });
  });

  it('sshd is a stranger', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await keep(sshd());
    expect(await ask(server.port)).toMatchObject({
      kind: 'stranger',
      detail: expect.stringContaining('an SSH identification') as string,
    });
  });
});
