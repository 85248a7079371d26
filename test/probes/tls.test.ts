// The tls probe: channels that stand, alerts and what they mean, client certificates in TLS 1.2 and 1.3, and no TLS at all.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { alertIn, daysLeft, kitOptions, outcomeOfAlert, tlsFacts } from '../../probes/tls/packet.js';
import * as tls from '../../probes/tls/probe.js';
import { TlsAlert } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { TlsSession } from '../../src/contract/probe.js';
import { selfSigned } from '../../src/peer/certificate.js';
import { makeCertificates } from '../lab/certificates.js';
import { requireServer } from '../lab/requirements.js';
import { nginx, nginxTls, sshd, stunnel } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { askOnce, tcpPeer } from './scenes.js';
import { vector } from './vectors.js';

const own = selfSigned('client.example.net', Uint8Array.of(1, 2, 3), Date.now());
// TLS 1.3 sends its tickets after the handshake: an answer cut there is whole all the same.
describeConformance(tls, { name: 'tls', carrier: 'tcp', answersEarly: true });
describeConformance(tls, {
  name: 'tls with a client certificate',
  carrier: 'tcp',
  options: { 'client-cert': 'cert', 'client-key': 'key', alpn: ['x-example'] },
  secrets: { cert: own.cert, key: own.key },
  answersEarly: true,
});

const { probe } = tls;
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function keep<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  closing.push(() => server.stop());
  return server;
}

async function ask(
  port: number,
  options: Record<string, unknown> = {},
  { family = 4, secrets = {} }: { family?: Family; secrets?: Record<string, string> } = {},
): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  return (await askOnce(bound, port, { deadlineMs: 10_000, family, secrets })).outcome;
}

/** Says these bytes to whatever comes first, and stays. */
async function replay(bytes: Uint8Array): Promise<number> {
  const peer = await tcpPeer((socket: Socket) => {
    socket.once('data', () => socket.write(bytes));
  });
  closing.push(() => peer.close());
  return peer.port;
}

const session: TlsSession = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  subject: 'CN=a.example.net',
  issuer: 'CN=Site CA, O=Example',
  names: ['a.example.net'],
  notBefore: '2026-01-01T00:00:00.000Z',
  notAfter: '2026-12-31T00:00:00.000Z',
  key: 'RSA 2048',
  pin: 'tpZjunAdgq2MkS3MxW8mY0TW9BET+aGYIjSeenbQD/M=',
  trusted: false,
  distrust: 'SELF_SIGNED_CERT_IN_CHAIN',
};
const nowMs = Date.parse('2026-12-01T12:00:00Z');

describe('facts', () => {
  it('tell what the handshake showed', () => {
    expect(tlsFacts({ ...session, alpn: 'h2', clientCertificateRequested: true }, nowMs)).toEqual({
      tlsVersion: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      alpn: 'h2',
      subject: 'CN=a.example.net',
      issuer: 'CN=Site CA, O=Example',
      names: ['a.example.net'],
      notBefore: '2026-01-01T00:00:00.000Z',
      notAfter: '2026-12-31T00:00:00.000Z',
      daysLeft: 29,
      key: 'RSA 2048',
      pin: 'tpZjunAdgq2MkS3MxW8mY0TW9BET+aGYIjSeenbQD/M=',
      trusted: false,
      distrust: 'SELF_SIGNED_CERT_IN_CHAIN',
      clientCertificate: 'requested',
    });
  });

  it('leave out what was not shown', () => {
    expect(tlsFacts({ protocol: 'TLSv1.2', cipher: 'ADH-AES256-SHA', names: [], trusted: false }, nowMs)).toEqual({
      tlsVersion: 'TLSv1.2',
      cipher: 'ADH-AES256-SHA',
      trusted: false,
    });
  });

  it('are short and harmless, whatever the certificate says', () => {
    const names = Array.from({ length: 300 }, (_, index) => `${index}.example.net`);
    const facts = tlsFacts({ ...session, subject: `CN=\x1b[2J\u202e${'x'.repeat(5000)}`, names }, nowMs);
    expect(facts['subject']).toBe(`CN=.[2J.${'x'.repeat(192)}…`);
    expect(facts['names']).toHaveLength(10);
    expect(facts['namesInAll']).toBe(300);
  });

  it('count whole days to the end of a certificate, and past it', () => {
    expect(daysLeft('2026-12-02T12:00:00Z', nowMs)).toBe(1);
    expect(daysLeft('2026-12-02T11:59:59Z', nowMs)).toBe(0);
    expect(daysLeft('2026-12-01T11:00:00Z', nowMs)).toBe(-1);
    expect(daysLeft('soon', nowMs)).toBeUndefined();
  });
});

describe('an alert', () => {
  const alert = (number: number, description: string, requested = false): TlsAlert =>
    new TlsAlert(number, description, requested);

  it.each([
    [116, 'certificate_required', false],
    [40, 'handshake_failure', true],
    [42, 'bad_certificate', true],
    [41, 'no_certificate', false],
  ])('%i %s about a certificate that we did not show is a demand, and an answer', (number, description, requested) => {
    expect(outcomeOfAlert(alert(number, description, requested), { shown: false, nowMs })).toEqual({
      kind: 'answered',
      depth: 'secure',
      facts: { alert: description, clientCertificate: 'demanded' },
    });
  });

  it.each([
    [42, 'bad_certificate', false],
    [45, 'certificate_expired', false],
    [48, 'unknown_ca', false],
    [49, 'access_denied', false],
    [40, 'handshake_failure', true],
  ])('%i %s about the certificate that we showed turns it away', (number, description, requested) => {
    expect(outcomeOfAlert(alert(number, description, requested), { shown: true, nowMs })).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: `TLS alert ${description}`,
      facts: { clientCertificate: 'refused' },
    });
  });

  it.each([
    [40, 'handshake_failure'],
    [70, 'protocol_version'],
    [80, 'internal_error'],
    [112, 'unrecognized_name'],
    [120, 'no_application_protocol'],
  ])('%i %s about anything else leaves no secure channel', (number, description) => {
    for (const shown of [true, false]) {
      expect(outcomeOfAlert(alert(number, description), { shown, nowMs })).toEqual({
        kind: 'stranger',
        came: 'other-protocol',
        detail: `TLS alert ${description}`,
        facts: { alert: description },
      });
    }
  });

  it('after the handshake keeps what the handshake showed', () => {
    const outcome = outcomeOfAlert(alert(116, 'certificate_required'), { shown: false, session, nowMs });
    expect(outcome).toMatchObject({
      kind: 'answered',
      facts: { issuer: 'CN=Site CA, O=Example', alert: 'certificate_required' },
    });
  });

  it.each([
    ['sslv3 alert handshake failure', 40, 'handshake_failure'],
    ['ssl/tls alert bad certificate', 42, 'bad_certificate'],
    ['tlsv13 alert certificate required', 116, 'certificate_required'],
  ])('is read off OpenSSL’s words: %s', (words, number, description) => {
    const text = `805C8852D37F0000:error:0A000410:SSL routines:ssl3_read_bytes:${words}:../rec_layer_s3.c:1601:SSL alert number ${number}\n`;
    expect(alertIn(new Error(text))).toMatchObject({ alert: number, description });
    expect(alertIn(new Error('read ECONNRESET'))).toBeUndefined();
    expect(alertIn('SSL alert number 40')).toBeUndefined();
  });
});

describe('from outside', () => {
  it.each([
    ['openssl-3.0.22-protocol-version', 'TLS alert protocol_version'],
    ['openssl-3.0.22-internal-error', 'TLS alert internal_error'],
    ['openssl-3.0.22-handshake-failure', 'TLS alert handshake_failure'],
    ['openssl-3.0.22-no-application-protocol', 'TLS alert no_application_protocol'],
    ['openssl-3.0.22-unrecognized-name', 'TLS alert unrecognized_name'],
  ])('%s is named', async (name, detail) => {
    const outcome = await ask(await replay(vector(`tls/${name}.hex`)));
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol', detail });
  });

  it.each(['nginx-1.22.1-plain-to-client-hello', 'python-http-server-to-client-hello'])(
    '%s is another protocol',
    async (name) => {
      const outcome = await ask(await replay(vector(`tls/${name}.hex`)));
      expect(outcome).toMatchObject({
        kind: 'stranger',
        came: 'other-protocol',
        detail: expect.stringContaining('not TLS') as string,
      });
    },
  );

  it.each(['rfc8448-3-server-hello', 'openssl-3.0.22-tls12-flight', 'openssl-3.0.22-tls13-flight'])(
    '%s, said to another client, proves nothing to this one',
    async (name) => {
      expect(await ask(await replay(vector(`tls/${name}.hex`)))).toMatchObject({ kind: 'stranger' });
    },
  );
});

describe('options', () => {
  it.each([
    [{ 'client-key': 'k' }, 'needs client-cert'],
    [{ pin: 'abc' }, '44 characters'],
    [{ servername: 'a b' }, 'host name'],
    [{ servername: `${'a'.repeat(64)}.net` }, 'host name'],
    [{ 'min-version': 'SSLv3' }, 'TLSv1.2'],
    [{ alpn: [] }, '>=1'],
    [{ sni: 'x' }, 'sni'],
  ])('refuses %j', (options, words) => {
    const parsed = probe.options.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('go to the kit in its own words, and what the judge compares does not', () => {
    const pin = 'tpZjunAdgq2MkS3MxW8mY0TW9BET+aGYIjSeenbQD/M=';
    const given = {
      servername: 'a.example.net',
      ca: 'c',
      'client-cert': 'd',
      'min-version': 'TLSv1.2',
      pin,
      issuer: 'x',
    } as const;
    expect(kitOptions(given, ['h2'])).toEqual({
      servername: 'a.example.net',
      alpn: ['h2'],
      ca: 'c',
      clientCert: 'd',
      clientKey: 'd',
      minVersion: 'TLSv1.2',
    });
    expect(kitOptions({}, undefined)).toEqual({});
  });
});

describe('real servers', () => {
  it('nginx stands a channel over IPv4 and IPv6, and its certificate is told', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginxTls({ addresses: ['127.0.0.1', '::1'] }));
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, { alpn: ['http/1.1'] }, { family })).toMatchObject({
        kind: 'answered',
        depth: 'secure',
        facts: {
          tlsVersion: 'TLSv1.3',
          alpn: 'http/1.1',
          subject: 'CN=127.0.0.1, O=linecheck lab',
          issuer: 'CN=Lab CA, O=linecheck lab',
          key: 'EC prime256v1',
          daysLeft: 1,
          trusted: false,
        },
      });
    }
  });

  it('its certificate is trusted under the CA of the site', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await keep(nginxTls());
    const secrets = { 'site-ca': readFileSync(server.certificates.ca, 'latin1') };
    expect(await ask(server.port, { ca: 'site-ca' }, { secrets })).toMatchObject({ facts: { trusted: true } });
    expect(await ask(server.port, { ca: 'site-ca', servername: 'other.example' }, { secrets })).toMatchObject({
      kind: 'answered',
      facts: { trusted: false, distrust: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
  });

  it.for(['TLSv1.2', 'TLSv1.3'])('a server with %s alone is told by its version', async (version, ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const server = await keep(stunnel({ requireClient: false, versions: { min: version, max: version } }));
    expect(await ask(server.port)).toMatchObject({ kind: 'answered', facts: { tlsVersion: version } });
  });

  it('a server of TLS 1.2 alone is a stranger to a flow that asks for 1.3', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const server = await keep(stunnel({ requireClient: false, versions: { min: 'TLSv1.2', max: 'TLSv1.2' } }));
    expect(await ask(server.port, { 'min-version': 'TLSv1.3' })).toMatchObject({
      kind: 'stranger',
      detail: 'TLS alert protocol_version',
    });
  });

  it.for(['TLSv1.2', 'TLSv1.3'])('mutual TLS of %s: demanded, shown, refused', async (version, ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const server = await keep(stunnel({ versions: { min: version, max: version } }));
    const { clientCert, clientKey } = server.certificates;
    const others = await makeCertificates(['other.example']);
    closing.push(() => others.remove());
    const show = (cert: string, key: string): ReturnType<typeof ask> =>
      ask(
        server.port,
        { 'client-cert': 'cert', 'client-key': 'key' },
        { secrets: { cert: readFileSync(cert, 'latin1'), key: readFileSync(key, 'latin1') } },
      );
    expect(await ask(server.port)).toMatchObject({
      kind: 'answered',
      depth: 'secure',
      facts: { clientCertificate: 'demanded' },
    });
    expect(await show(clientCert, clientKey)).toMatchObject({
      kind: 'answered',
      depth: 'secure',
      facts: { clientCertificate: 'requested', tlsVersion: version },
    });
    expect(await show(others.clientCert, others.clientKey)).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: 'TLS alert unknown_ca',
    });
  });

  it('a certificate and its key may stand in one secret', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const server = await keep(stunnel());
    const { clientCert, clientKey } = server.certificates;
    const both = readFileSync(clientCert, 'latin1') + readFileSync(clientKey, 'latin1');
    const outcome = await ask(server.port, { 'client-cert': 'both' }, { secrets: { both } });
    expect(outcome).toMatchObject({ kind: 'answered', facts: { clientCertificate: 'requested' } });
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

  it('sshd is a stranger', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await keep(sshd());
    expect(await ask(server.port)).toMatchObject({
      kind: 'stranger',
      detail: expect.stringContaining('not TLS') as string,
    });
  });
});
