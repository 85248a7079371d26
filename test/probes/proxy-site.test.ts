// HTTP and HTTPS through the proxy that a site names, as its user meets it: a site file, a proxy, a verdict.
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { linecheck, placeOf, scratchFolder, type Flow } from '../entry/linecheck.js';
import { requireServer } from '../lab/requirements.js';
import { nginx, nginxTls } from '../lab/servers.js';
import { closedPort, tcpPeer } from './scenes.js';

const scratch = scratchFolder();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function keep<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  closing.push(() => server.stop());
  return server;
}

/** What these tests read of a report. */
const report = z.object({
  checks: z.array(
    z.object({
      flow: z.string(),
      verdict: z.string(),
      how: z.string().optional(),
      certain: z.string(),
      via: z.string().optional(),
      by: z.object({ address: z.string() }).optional(),
      to: z.object({ host: z.string(), address: z.string().optional(), port: z.number() }),
      summary: z.string(),
      facts: z.record(z.string(), z.unknown()),
    }),
  ),
});

async function check(
  flows: readonly Flow[],
  site: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; checks: z.infer<typeof report>['checks'] }> {
  const cwd = placeOf(scratch, flows, site);
  const words = ['check', 'site.yaml', '--format', 'json', '--quiet', '--diagnose', 'off', '--timeout', '3500ms'];
  const { code, stdout, stderr } = await linecheck(words, { cwd, env });
  expect(stderr).toBe('');
  return { code, checks: report.parse(JSON.parse(stdout)).checks };
}

/**
 * A proxy that knows where each name leads: it opens tunnels, and passes on requests in absolute-form. What it was asked
 * stands in `heads`, each in one line.
 */
async function proxyTo(ports: Readonly<Record<string, number>>): Promise<{ url: string; at: string; heads: string[] }> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    socket.once('data', (bytes: Buffer) => {
      const head = bytes.toString('latin1');
      heads.push(head.trimEnd().replaceAll('\r\n', ' | '));
      const tunnel = /^CONNECT (\S+) /.exec(head)?.[1];
      const far = tunnel ?? /^GET http:\/\/([^/]+)\//.exec(head)?.[1] ?? '';
      const port = ports[far];
      if (port === undefined) {
        socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
        return;
      }
      const onward = connect(port, '127.0.0.1', () => {
        if (tunnel === undefined) onward.write(head.replace(/http:\/\/[^/]+/, ''));
        else socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      sockets.add(onward);
      onward.on('error', () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  );
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${at}`, at, heads };
}

/** A proxy that says this to everybody. */
async function sayingProxy(answer: string): Promise<string> {
  const peer = await tcpPeer((socket) => void socket.once('data', () => socket.end(answer)));
  closing.push(() => peer.close());
  return `127.0.0.1:${peer.port}`;
}

const web: Flow = { id: 'web', tcp: 80, probe: 'http' };
const secureWeb: Flow = { id: 'secure-web', tcp: 443, probe: 'https' };
const far = 'www.site.example';

describe('a site with a proxy', () => {
  it('is checked through it, by names that only the proxy knows', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const [plain, tls] = await Promise.all([keep(nginx()), keep(nginxTls())]);
    const proxy = await proxyTo({ [far]: plain.port, [`${far}:443`]: tls.port });
    const { code, checks } = await check([web, secureWeb], {
      hosts: { far },
      proxy: proxy.url,
      flows: { 'secure-web': { with: { ca: 'lab-ca', servername: 'lab.example' } } },
      secrets: { 'lab-ca': { file: tls.certificates.ca } },
    });
    expect(checks).toMatchObject([
      { flow: 'web', verdict: 'open', via: proxy.at, facts: { status: 200 } },
      { flow: 'secure-web', verdict: 'open', via: proxy.at, facts: { status: 200, trusted: true } },
    ]);
    expect(checks.map(({ to }) => to)).toEqual(
      [
        { role: 'far', host: far, port: 80 },
        { role: 'far', host: far, port: 443 },
      ].map(({ host, port }) => ({ host, port })),
    );
    expect(checks[1]?.summary).toContain(`through the proxy ${proxy.at}`);
    expect(code).toBe(0);
    expect([...proxy.heads].sort()).toEqual([
      `CONNECT ${far}:443 HTTP/1.1 | host: ${far}:443 | user-agent: linecheck`,
      `GET http://${far}/ HTTP/1.1 | host: ${far} | connection: close | user-agent: linecheck`,
    ]);
  });

  it('sends nothing but HTTP and HTTPS through it', async () => {
    const listener = await tcpPeer(() => undefined);
    closing.push(() => listener.close());
    const proxy = await proxyTo({});
    const { checks } = await check([{ id: 'port', tcp: listener.port, probe: 'tcp' }], { proxy: proxy.url });
    expect(checks).toMatchObject([{ verdict: 'open' }]);
    expect(checks[0]).not.toHaveProperty('via');
    expect(proxy.heads).toEqual([]);
  });

  it('finds the interception by a proxy that signs for everybody', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const [tls, other] = await Promise.all([keep(nginxTls()), keep(nginxTls())]);
    const proxy = await proxyTo({ [`${far}:443`]: tls.port });
    const { code, checks } = await check([secureWeb], {
      hosts: { far },
      proxy: proxy.url,
      flows: { 'secure-web': { with: { ca: 'other' } } },
      secrets: { other: { file: other.certificates.ca } },
    });
    expect(checks).toMatchObject([{ verdict: 'intercepted', how: 'issuer', via: proxy.at }]);
    expect(code).toBe(1);
  });
});

describe('a proxy that does not carry', () => {
  const through = async (flows: readonly Flow[], at: string): ReturnType<typeof check> =>
    check(flows, { hosts: { far }, proxy: `http://${at}` });

  it.each([
    ['HTTP/1.1 403 Forbidden', 'HTTP status 403 Forbidden to CONNECT'],
    ['HTTP/1.0 407 Proxy Authentication Required', 'HTTP status 407 Proxy Authentication Required to CONNECT'],
  ])('blocks, where it says no: %s', async (line, words) => {
    const at = await sayingProxy(`${line}\r\nproxy-authenticate: Basic\r\n\r\n`);
    const { code, checks } = await through([secureWeb], at);
    expect(checks).toMatchObject([
      { verdict: 'blocked', how: 'rejected', certain: 'proven', via: at, by: { address: '127.0.0.1' } },
    ]);
    expect(checks[0]?.summary).toContain(words);
    expect(code).toBe(1);
  });

  it.each([
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'HTTP status 502 Bad Gateway'],
    ['HTTP/1.1 405 Method Not Allowed\r\n\r\n', 'HTTP status 405 Method Not Allowed'],
    ['SSH-2.0-Example\r\n\r\n', 'SSH identification'],
  ])('is a wrong service, where it says anything else: %j', async (answer, words) => {
    const { code, checks } = await through([secureWeb], await sayingProxy(answer));
    expect(checks).toMatchObject([{ verdict: 'wrong-service', how: 'stranger' }]);
    expect(checks[0]?.summary).toContain(words);
    expect(code).toBe(1);
  });

  it.each([403, 407, 502, 503, 504])('is never green for its own %i to a plain request', async (status) => {
    const at = await sayingProxy(`HTTP/1.1 ${status} x\r\ncontent-length: 0\r\n\r\n`);
    const { code, checks } = await through([web], at);
    expect(checks).toMatchObject([{ verdict: 'wrong-service', facts: { status } }]);
    expect(checks[0]?.summary).toContain("may be the proxy's own word");
    expect(code).toBe(1);
  });

  it('blocks, where nothing listens, and says that it was the proxy', async () => {
    const at = `127.0.0.1:${await closedPort('tcp', 4)}`;
    const { code, checks } = await through([web, secureWeb], at);
    expect(checks).toMatchObject([
      { verdict: 'blocked', how: 'rejected', certain: 'likely', by: { address: '127.0.0.1' } },
      { verdict: 'blocked', how: 'rejected', certain: 'likely', by: { address: '127.0.0.1' } },
    ]);
    expect(code).toBe(1);
  });

  it('is a wrong service, where it accepts and keeps silent', async () => {
    const peer = await tcpPeer(() => undefined);
    closing.push(() => peer.close());
    const { code, checks } = await through([secureWeb], `127.0.0.1:${peer.port}`);
    expect(checks).toMatchObject([{ verdict: 'wrong-service', how: 'silent' }]);
    expect(code).toBe(1);
  });

  it('whose name has no address leaves the flow unreachable', async () => {
    const { checks } = await through([secureWeb], 'proxy.invalid:3128');
    expect(checks[0]?.verdict).toMatch(/^(unreachable|error)$/);
    expect(checks[0]?.summary).toContain('the proxy');
  });
});

describe('the environment', () => {
  const direct = async (): Promise<{ flow: Flow; port: number }> => {
    const peer = await tcpPeer(
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')),
    );
    closing.push(() => peer.close());
    return { flow: { id: 'web', tcp: peer.port, probe: 'http' }, port: peer.port };
  };

  it('is ignored where the site says nothing of a proxy', async () => {
    const { flow } = await direct();
    const proxy = await proxyTo({});
    const env = { http_proxy: proxy.url, HTTP_PROXY: proxy.url, all_proxy: proxy.url };
    const { checks } = await check([flow], {}, env);
    expect(checks).toMatchObject([{ verdict: 'open' }]);
    expect(checks[0]).not.toHaveProperty('via');
    expect(proxy.heads).toEqual([]);
  });

  it('decides where the site says so, and spares what it says to spare', async () => {
    const { flow, port } = await direct();
    const proxy = await proxyTo({ [`127.0.0.1:${port}`]: port });
    const site = { proxy: 'environment' };
    const password = proxy.url.replace('://', '://user:hunter2@');
    expect((await check([flow], site, { http_proxy: password })).checks).toMatchObject([
      { verdict: 'open', via: proxy.at },
    ]);
    expect(proxy.heads).toHaveLength(1);
    expect(proxy.heads[0]).not.toMatch(/hunter2|authorization/i);
    const spared = await check([flow], site, { http_proxy: proxy.url, no_proxy: 'localhost, 127.0.0.1' });
    expect(spared.checks[0]).not.toHaveProperty('via');
    const unset = await check([flow], site);
    expect(unset.checks[0]).not.toHaveProperty('via');
    expect(proxy.heads).toHaveLength(1);
  });

  it('with a proxy that cannot be used is a mistake, told without its password', async () => {
    const { flow } = await direct();
    const cwd = placeOf(scratch, [flow], { proxy: 'environment' });
    const { code, stderr, stdout } = await linecheck(['check', 'site.yaml'], {
      cwd,
      env: { HTTP_PROXY: 'socks5://user:hunter2@127.0.0.1:1080' },
    });
    expect({ code, stderr, stdout }).toEqual({
      code: 2,
      stderr: 'HTTP_PROXY names no proxy that linecheck can use; expected http://HOST:PORT\n',
      stdout: '',
    });
  });
});

it('the plan says what goes through it, and sends nothing', async () => {
  const proxy = await proxyTo({});
  const cwd = placeOf(scratch, [web, secureWeb], { hosts: { far }, proxy: proxy.url });
  const { code, stdout } = await linecheck(['plan', 'site.yaml'], { cwd });
  expect(stdout.replace(/\s+/g, ' ')).toContain(`Proxy ${proxy.url}; HTTP and HTTPS go through it`);
  expect(code).toBe(0);
  expect(proxy.heads).toEqual([]);
});
