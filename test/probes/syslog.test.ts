// The syslog probe: its message against another sender's and the RFCs' own, and rsyslog's log read back.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { FACILITIES, SEVERITIES, encodeMessage, framed, type TestMessage } from '../../probes/syslog/packet.js';
import * as module from '../../probes/syslog/probe.js';
import { standIn as tlsStandIn } from '../../probes/tls/probe.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { requireServer, skipFor } from '../lab/requirements.js';
import { nginxTls, sshd, type Server } from '../lab/servers.js';
import { rsyslogd, rsyslogdTls } from '../lab/servers/rsyslogd.js';
import { describeConformance } from './conformance.js';
import { askOnce, loopbackAddress, noFamily, tcpPeer, udpPeer, type Asking } from './scenes.js';
import { vector } from './vectors.js';

const bind = (options: object = {}, carrier: 'tcp' | 'udp' = 'udp') =>
  module.probe.bind(carrier, module.probe.options.parse(options));

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const message: TestMessage = {
  format: 'rfc5424',
  facility: 'local7',
  severity: 'info',
  hostname: 'lab.example',
  nonce: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  sentMs: Date.UTC(2026, 10, 22, 22, 25, 34, 367),
  offsetMinutes: 0,
};
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const older = { format: 'rfc3164', facility: 'user', severity: 'debug', hostname: 'lab' } as const;

describe('a syslog message', () => {
  it('of RFC 5424 is as logger writes it', () => {
    // logger writes microseconds and +00:00, where Z is as good (RFC 5424 §6.2.3).
    const theirs = textOf(vector('syslog/logger-2.38.1-rfc5424.hex')).replace('.367124+00:00', '.367Z');
    expect(textOf(encodeMessage(message))).toBe(theirs);
  });

  it('of RFC 3164 is as logger writes it', () => {
    expect(textOf(encodeMessage({ ...message, ...older }))).toBe(textOf(vector('syslog/logger-2.38.1-rfc3164.hex')));
  });

  it('is framed as logger frames it', () => {
    const counted = textOf(vector('syslog/logger-2.38.1-octet-count.hex'));
    const [, inner = ''] = /^124 (.*)$/.exec(counted) ?? [];
    expect(textOf(framed(Buffer.from(inner), 'octet-counting'))).toBe(counted);
    const line = textOf(framed(encodeMessage({ ...message, ...older }), 'newline'));
    expect(line).toBe(textOf(vector('syslog/logger-2.38.1-newline.hex')));
  });

  // RFC 5424 §6.5, examples 1 and 2, and §6.2.1; RFC 3164 §5.4, examples 1 and 2.
  it.each([
    ['rfc5424', 'auth', 'crit', Date.UTC(2003, 9, 11, 22, 14, 15, 3), 0, '<34>1 2003-10-11T22:14:15.003Z '],
    ['rfc5424', 'local4', 'notice', Date.UTC(2003, 7, 24, 12, 14, 15), -420, '<165>1 2003-08-24T12:14:15.000Z '],
    ['rfc5424', 'kern', 'emerg', 0, 0, '<0>1 1970-01-01T00:00:00.000Z '],
    ['rfc3164', 'auth', 'crit', Date.UTC(2003, 9, 11, 22, 14, 15), 0, '<34>Oct 11 22:14:15 '],
    ['rfc3164', 'user', 'notice', Date.UTC(2003, 1, 5, 17, 32, 18), 0, '<13>Feb  5 17:32:18 '],
    // Local time: seven hours behind, and across the end of a year.
    ['rfc3164', 'local7', 'debug', Date.UTC(2004, 0, 1, 3, 4, 5), -420, '<191>Dec 31 20:04:05 '],
  ] as const)('of %s has priority and time as its RFC: %s.%s', (format, facility, severity, sentMs, offset, start) => {
    const bytes = encodeMessage({ ...message, format, facility, severity, sentMs, offsetMinutes: offset });
    expect(textOf(bytes).slice(0, start.length)).toBe(start);
  });

  it('has every facility and severity at its number', () => {
    expect(FACILITIES.indexOf('authpriv')).toBe(10);
    expect([FACILITIES.indexOf('local0'), FACILITIES.length, SEVERITIES.length]).toEqual([16, 24, 8]);
  });
});

describe('the options of syslog', () => {
  it.each([
    [{ facility: 'local8' }, 'facility'],
    [{ severity: 'panic' }, 'severity'],
    [{ format: 'json' }, 'format'],
    [{ hostname: 'two words' }, 'hostname'],
    [{ framing: 'nul' }, 'framing'],
    [{ 'client-key': 'a' }, 'client-key'],
  ])('refuse %j', (options, path) => {
    const { error } = module.probe.options.safeParse(options);
    expect(error?.issues.map((issue) => issue.path)).toEqual([[path]]);
  });

  it.each([
    ['udp', {}, 'by-design', ['port'], 'port'],
    ['tcp', { tls: false }, 'by-design', ['port'], 'port'],
    ['tcp', {}, 'by-design', ['port', 'secure'], 'port'],
    ['tcp', { tls: true }, 'conclusive', ['port', 'secure'], 'secure'],
  ] as const)('decide what silence and an answer mean over %s: %j', (carrier, options, silence, depths, deepest) => {
    expect(bind(options, carrier).traits).toMatchObject({ silence, depths, defaultDepth: deepest });
  });

  it('tell before it is sent that the message is a test, and which', () => {
    for (const [carrier, options] of [
      ['udp', {}],
      ['tcp', {}],
      ['tcp', { tls: true }],
    ] as const) {
      const told = bind(options, carrier).traits.sends.map(({ what }) => what);
      expect(told.join()).toContain('syslog message marked as a test (local7.info)');
    }
  });
});

describe('the syslog probe', () => {
  async function ask(port: number, options: object, asking: Partial<Asking> = {}): Promise<Outcome> {
    return (await askOnce(bind(options, 'tcp'), port, { deadlineMs: 10_000, ...asking })).outcome;
  }

  it('sends one datagram, from whose address it says it comes', async () => {
    const got: string[] = [];
    const peer = await udpPeer((request) => got.push(textOf(request)));
    closing.push(() => peer.close());
    const { outcome } = await askOnce(bind(), peer.port, { deadlineMs: 10_000 });
    expect(outcome).toMatchObject({ kind: 'sent', sent: 1 });
    expect(got).toHaveLength(1);
    expect(got[0]).toMatch(
      /^<190>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1 linecheck - - - linecheck test, no action needed, nonce [0-9a-f]{16}$/,
    );
    expect(got[0]).toContain(nonceOf(outcome));
  });

  it.each([
    ['a server that speaks first', 'SSH-2.0-OpenSSH_9.6\r\n', 'an SSH identification (SSH-2.0-OpenSSH_9.6)'],
    ['a server that answers', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'an HTTP answer (HTTP/1.1 400 Bad Request)'],
  ])('calls %s a stranger over TCP', async (_, words, look) => {
    const peer = await tcpPeer((socket) => void socket.write(words));
    closing.push(() => peer.close());
    expect(await ask(peer.port, {})).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: `${look}, where a syslog server says nothing`,
    });
  });

  it.each(['close', 'reset'] as const)(
    'calls a server that takes the message and then ends with a %s a stranger',
    async (came) => {
      const peer = await tcpPeer((socket) => {
        socket.once('data', () => (came === 'close' ? socket.end() : socket.resetAndDestroy()));
      });
      closing.push(() => peer.close());
      expect(await ask(peer.port, {})).toMatchObject({ kind: 'stranger', came });
    },
  );
});

function nonceOf(outcome: Outcome): string {
  const nonce = 'facts' in outcome ? outcome.facts['nonce'] : undefined;
  if (typeof nonce !== 'string') throw new Error(`no nonce in ${JSON.stringify(outcome)}`);
  return nonce;
}

/** The one line of rsyslog's log that has this nonce, once it is there. */
async function logged(server: Server, nonce: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const found = server
      .logs()
      .split('\n')
      .filter((line) => line.includes(nonce));
    const [line] = found;
    if (line !== undefined) {
      expect(found).toHaveLength(1);
      return line;
    }
    if (tries === 1000) throw new Error(`${nonce} is not in the log:\n${server.logs()}`);
    await delay(10);
  }
}

describe('rsyslogd', () => {
  const asking = (carrier: 'tcp' | 'udp', options: object, { port }: Server, given: Partial<Asking> = {}) =>
    askOnce(bind(options, carrier), port, { deadlineMs: 10_000, ...given });

  describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
    it.for([4, 6] as const)('has the message in its log, and is refused when stopped: IPv%i', async (family, ctx) => {
      requireServer(ctx, 'rsyslogd', 'rsyslog');
      skipFor(ctx, noFamily(family));
      const address = loopbackAddress[family];
      const server = await rsyslogd({ transport, addresses: [address] });
      closing.push(() => server.stop());
      const { outcome } = await asking(transport, {}, server, { family });
      expect(outcome).toMatchObject({ kind: 'sent', sent: 1 });
      const line = await logged(server, nonceOf(outcome));
      expect(line).toMatch(/^taken local7 info \S+ linecheck \[\d{4}-.*Z\] linecheck test, no action needed, nonce /);
      expect(line).toContain(` ${address} `);
      await server.stop();
      const stopped = await asking(transport, {}, server, { family });
      expect(stopped.outcome).toMatchObject({ kind: 'refused', signal: 'refused' });
    });

    it.for([
      ['octet-counting', 'rfc5424'],
      ['octet-counting', 'rfc3164'],
      ['newline', 'rfc5424'],
      ['newline', 'rfc3164'],
    ] as const)('reads it with %s as %s, with facility, severity and host as they are given', async (form, ctx) => {
      requireServer(ctx, 'rsyslogd', 'rsyslog');
      const [framing, format] = form;
      const server = await rsyslogd({ transport });
      closing.push(() => server.stop());
      const options = { framing, format, facility: 'daemon', severity: 'debug', hostname: 'fmc.example.net' };
      const { outcome } = await asking(transport, options, server);
      const line = await logged(server, nonceOf(outcome));
      expect(line).toMatch(/^taken daemon debug fmc\.example\.net linecheck \[/);
      // All of the message and nothing more, so that its end was found.
      expect(line.endsWith(`no action needed, nonce ${nonceOf(outcome)}`)).toBe(true);
    });
  });

  it.for([4, 6] as const)(
    'over TLS shows its certificate and has the message in its log: IPv%i',
    async (family, ctx) => {
      requireServer(ctx, 'rsyslogd', 'rsyslog rsyslog-openssl');
      skipFor(ctx, noFamily(family));
      const server = await rsyslogdTls({ addresses: [loopbackAddress[family]] });
      closing.push(() => server.stop());
      const secrets = { ca: readFileSync(server.certificates.ca, 'utf8') };
      const { outcome } = await asking('tcp', { tls: true, ca: 'ca' }, server, { family, secrets });
      expect(outcome).toMatchObject({
        kind: 'answered',
        depth: 'secure',
        facts: { tlsVersion: 'TLSv1.3', issuer: 'CN=Lab CA, O=linecheck lab', trusted: true },
      });
      expect(await logged(server, nonceOf(outcome))).toMatch(/^taken local7 info \S+ linecheck \[/);
      await server.stop();
      const stopped = await asking('tcp', { tls: true }, server, { family });
      expect(stopped.outcome).toMatchObject({ kind: 'refused', signal: 'refused' });
    },
  );

  it('that demands a client certificate is secure, with that as a fact; with one it takes the message', async (ctx) => {
    requireServer(ctx, 'rsyslogd', 'rsyslog rsyslog-openssl');
    const server = await rsyslogdTls({ requireClient: true });
    closing.push(() => server.stop());
    const { ca, clientCert, clientKey } = server.certificates;
    const secrets = {
      ca: readFileSync(ca, 'utf8'),
      cert: readFileSync(clientCert, 'utf8'),
      key: readFileSync(clientKey, 'utf8'),
    };
    const without = await asking('tcp', { tls: true, ca: 'ca' }, server, { secrets });
    expect(without.outcome).toMatchObject({
      kind: 'answered',
      depth: 'secure',
      facts: { trusted: true, clientCertificate: 'demanded' },
    });
    const options = { tls: true, ca: 'ca', 'client-cert': 'cert', 'client-key': 'key' };
    const { outcome } = await asking('tcp', options, server, { secrets });
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'secure', facts: { clientCertificate: 'requested' } });
    await logged(server, nonceOf(outcome));
    expect(server.logs().match(/^taken /gm)).toHaveLength(1);
  });

  it('for TLS is a stranger to plain messages', async (ctx) => {
    requireServer(ctx, 'rsyslogd', 'rsyslog rsyslog-openssl');
    const server = await rsyslogdTls();
    closing.push(() => server.stop());
    const { outcome } = await asking('tcp', { tls: false }, server);
    expect(outcome).toMatchObject({ kind: 'stranger' });
    expect(server.logs()).not.toMatch(/^taken /m);
  });

  it('without TLS is a stranger to TLS', async (ctx) => {
    requireServer(ctx, 'rsyslogd', 'rsyslog');
    const server = await rsyslogd({ transport: 'tcp' });
    closing.push(() => server.stop());
    const { outcome } = await asking('tcp', { tls: true }, server, { deadlineMs: 1000 });
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'silence' });
  });
});

describe('another service on the port', () => {
  it('is a stranger: sshd', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await sshd();
    closing.push(() => server.stop());
    const { outcome } = await askOnce(bind({}, 'tcp'), server.port, { deadlineMs: 10_000 });
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
    expect(outcome.kind === 'stranger' && outcome.detail).toMatch(/^an SSH identification/);
  });

  it('is a stranger in a secure channel too: nginx', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await nginxTls();
    closing.push(() => server.stop());
    const { outcome } = await askOnce(bind({ tls: true }, 'tcp'), server.port, { deadlineMs: 10_000 });
    expect(outcome).toMatchObject({ kind: 'stranger' });
  });
});

describeConformance(module, { name: 'syslog over UDP', carrier: 'udp' });
describeConformance(module, { name: 'syslog over TCP', carrier: 'tcp' });
describeConformance(
  { probe: module.probe, standIn: tlsStandIn },
  // TLS 1.3 sends its tickets after the handshake: an answer cut there is whole all the same.
  { name: 'syslog over TLS', carrier: 'tcp', options: { tls: true }, answersEarly: true },
);
