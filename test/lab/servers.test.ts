// The real servers of the tests answer as themselves, and leave nothing behind. What probes make of them is theirs.
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { get } from 'node:http';
import { get as getTls } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { requireServer } from './requirements.js';
import { chronyd, nginx, nginxTls, sshd, stunnel, type Server } from './servers.js';

const running: Server[] = [];
async function keep<T extends Server>(server: Promise<T>): Promise<T> {
  const begun = await server;
  running.push(begun);
  return begun;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

function firstBytes(port: number, host: string, hello = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host });
    socket.once('error', reject);
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString('latin1'));
    });
    if (hello !== '') socket.write(hello);
  });
}

it('sshd identifies itself on IPv4 and IPv6', async (ctx) => {
  requireServer(ctx, 'sshd', 'openssh-server');
  const server = await keep(sshd({ addresses: ['127.0.0.1', '::1'] }));
  expect(await firstBytes(server.port, '127.0.0.1')).toMatch(/^SSH-2\.0-OpenSSH/);
  expect(await firstBytes(server.port, '::1')).toMatch(/^SSH-2\.0-OpenSSH/);
});

it('two servers of a kind take two ports', async (ctx) => {
  requireServer(ctx, 'sshd', 'openssh-server');
  const [one, other] = await Promise.all([keep(sshd()), keep(sshd())]);
  expect(one.port).not.toBe(other.port);
  expect(await firstBytes(one.port, '127.0.0.1')).toMatch(/^SSH-2\.0-/);
  expect(await firstBytes(other.port, '127.0.0.1')).toMatch(/^SSH-2\.0-/);
});

it('a server that cannot start says why, and leaves no files', async (ctx) => {
  requireServer(ctx, 'sshd', 'openssh-server');
  const before = new Set(readdirSync(tmpdir()));
  await expect(sshd({ extra: ['NoSuchKeyword yes'] })).rejects.toThrow(/NoSuchKeyword/);
  const { port } = await keep(sshd());
  await expect(sshd({ port })).rejects.toThrow(/Address already in use/);
  await Promise.all(running.splice(0).map((server) => server.stop()));
  const mine = readdirSync(tmpdir()).filter((name) => !before.has(name) && isEmptyOrSshd(`${tmpdir()}/${name}`));
  expect(mine).toEqual([]);
});

/** Other tests make folders at the same time: only those that an sshd of ours would leave count. */
function isEmptyOrSshd(folder: string): boolean {
  try {
    return folder.includes('linecheck-') && readFileSync(`${folder}/sshd_config`, 'utf8').includes('NoSuchKeyword');
  } catch {
    return false;
  }
}

it('nginx answers over HTTP', async (ctx) => {
  requireServer(ctx, 'nginx', 'nginx-light');
  const server = await keep(nginx());
  const body = await new Promise<string>((resolve, reject) => {
    get({ host: '127.0.0.1', port: server.port, agent: false }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    }).once('error', reject);
  });
  expect(body).toBe('linecheck lab\n');
});

it('nginx answers over HTTPS with a certificate that its CA signed', async (ctx) => {
  requireServer(ctx, 'nginx', 'nginx-light');
  requireServer(ctx, 'openssl', 'openssl');
  const server = await keep(nginxTls({ directives: ['return 404;'] }));
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const ca = readFileSync(server.certificates.ca);
    getTls({ host: '127.0.0.1', port: server.port, ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once('error', reject);
  });
  expect(status).toBe(404);
});

it.for([
  ['chronyd with a clock answers with its stratum', 10, 0],
  ['chronyd without a clock answers leap 3, stratum 0', 'unsynchronised', 3],
] as const)('%s', async ([, stratum, leap], ctx) => {
  requireServer(ctx, 'chronyd', 'chrony');
  const server = await keep(chronyd({ addresses: ['127.0.0.1', '::1'], stratum }));
  for (const [kind, host] of [
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
  ] as const) {
    const socket = createSocket(kind);
    // RFC 5905 §7.3: version 4, mode 3 (client), nothing else set.
    const request = Buffer.alloc(48);
    request[0] = 0x23;
    const reply = await new Promise<Buffer>((resolve, reject) => {
      socket.once('error', reject).once('message', resolve);
      socket.send(request, server.port, host);
    });
    socket.close();
    expect(reply[0]).toBe((leap << 6) | (4 << 3) | 4);
    expect(reply[1]).toBe(stratum === 'unsynchronised' ? 0 : stratum);
  }
});

it('stunnel echoes to a client with a certificate of its CA, and to no other', async (ctx) => {
  requireServer(ctx, 'stunnel4', 'stunnel4');
  requireServer(ctx, 'openssl', 'openssl');
  const server = await keep(stunnel());
  const { ca, clientCert, clientKey } = server.certificates;
  const ask = (identity: { cert?: Buffer; key?: Buffer }): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: readFileSync(ca), ...identity });
      socket.once('error', reject);
      socket.once('data', (bytes: Buffer) => {
        socket.destroy();
        resolve(bytes.toString('latin1'));
      });
      socket.write('hello');
    });
  expect(await ask({ cert: readFileSync(clientCert), key: readFileSync(clientKey) })).toBe('hello');
  await expect(ask({})).rejects.toThrow(/certificate required/);
});

it('a stopped server has ended and its certificates are gone', async (ctx) => {
  requireServer(ctx, 'stunnel4', 'stunnel4');
  requireServer(ctx, 'openssl', 'openssl');
  const server = await stunnel({ requireClient: false });
  expect(existsSync(server.certificates.ca)).toBe(true);
  await server.stop();
  expect(existsSync(server.certificates.ca)).toBe(false);
  await expect(firstBytes(server.port, '127.0.0.1')).rejects.toThrow('ECONNREFUSED');
});
