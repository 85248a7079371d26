// The `ftp` probe: features, AUTH TLS and TLS from the start, refusals, strangers that greet with 220 as well, vsftpd.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/ftp/packet.js';
import { featureFacts, featuresOf, isFtpRefusal, offersAuthTls, wantsLogin } from '../../probes/ftp/packet.js';
import * as module from '../../probes/ftp/probe.js';
import { serve } from '../../probes/ftp/stand-in.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { StandIn } from '../../src/contract/probe.js';
import { makeCertificates } from '../lab/certificates.js';
import { requireServer } from '../lab/requirements.js';
import { sshd } from '../lab/servers.js';
import { postfix, requirePostfix } from '../lab/servers/postfix.js';
import { vsftpd } from '../lab/servers/vsftpd.js';
import { describeConformance } from './conformance.js';
import { DECODER_NAME } from './decoders.js';
import { replaying, talker, type Talker } from './line-peers.js';
import { askOnce, spoiltStandIn, standInAt, type Peer } from './scenes.js';
import { vector } from './vectors.js';

const plainCapture = vector('ftp/vsftpd-3.0.3-plain.hex');
const tlsCapture = vector('ftp/vsftpd-3.0.3-tls.hex');
const bannerCapture = vector('ftp/vsftpd-3.0.3-banner.hex');
const postfixCapture = vector('smtp/postfix-3.7.11-to-ftp.hex');

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
const talking = (greeting: string, ...replies: readonly string[]): Promise<Talker> =>
  keep(talker(greeting, ...replies));

interface Setting {
  readonly family?: Family;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

async function ask(port: number, options: Record<string, unknown> = {}, setting: Setting = {}): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  const { outcome } = await askOnce(bound, port, { deadlineMs: 20_000, ...setting });
  if (outcome.kind === 'answered') expect(bound.traits.depths).toContain(outcome.depth);
  return outcome;
}

const reply = (code: number, ...lines: readonly string[]): { code: number; lines: readonly string[] } => ({
  code,
  lines,
});

describe('replies', () => {
  it('are read by the decoders of smtp, and by none here', () => {
    expect(Object.keys(packet).filter((name) => DECODER_NAME.test(name))).toEqual([]);
  });

  it('to FEAT list features between a first and a last line', () => {
    // RFC 2389 §3.2.
    const feat = reply(
      211,
      'Extensions supported:',
      ' MLST size*;create;modify*;perm;media-type',
      ' SIZE',
      ' MDTM',
      'END',
    );
    expect(featuresOf(feat)).toEqual(['MLST size*;create;modify*;perm;media-type', 'SIZE', 'MDTM']);
    expect(featuresOf(reply(211, 'no-features'))).toEqual([]);
    expect(featuresOf(reply(500, 'a', 'b', 'c'))).toEqual([]);
  });

  it.each([
    [['AUTH TLS'], true],
    [['AUTH TLS;TLS-C;SSL;TLS-P;'], true],
    [['auth ssl', 'auth tls'], true],
    [['AUTH SSL', 'PBSZ'], false],
    [['AUTHTLS', 'TLS AUTH'], false],
    [[], false],
  ])('that list %j: AUTH TLS offered? %s', (features, expected) => {
    expect(offersAuthTls(features)).toBe(expected);
    expect(featureFacts(features)).toMatchObject({ authTls: expected ? 'offered' : 'not offered' });
  });

  it.each([
    [421, 'There are too many connected users', true],
    [530, 'Sorry, the maximum number of clients is reached', true],
    [500, 'OOPS: vsftpd: cannot read config file', true],
    [554, 'no SMTP service here', false],
    [421, '4.3.2 Service shutting down', false],
    [220, 'ready', false],
  ])('%i %s in place of a greeting: of an FTP server? %s', (code, text, expected) => {
    expect(isFtpRefusal(reply(code, text))).toBe(expected);
  });

  it.each([
    [530, 'Please login with USER and PASS.', true],
    [530, '5.7.0 Must issue a STARTTLS command first', false],
    [530, 'Must issue a STARTTLS command first', false],
    [500, 'Please login', false],
  ])('%i %s: an FTP login wanted? %s', (code, text, expected) => {
    expect(wantsLogin(reply(code, text))).toBe(expected);
  });
});

describe('the ftp probe', () => {
  const features = ['EPRT', 'EPSV', 'MDTM', 'PASV', 'REST STREAM', 'SIZE', 'TVFS'];

  it('tells what vsftpd says of itself', async () => {
    const peer = await keep(replaying(plainCapture));
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { greeting: '220 (vsFTPd 3.0.3)', features, authTls: 'not offered' },
    });
    expect(peer.heard).toEqual(['FEAT', 'QUIT']);
  });

  it('tells that AUTH TLS is offered, and leaves it at that', async () => {
    const peer = await keep(replaying(tlsCapture));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { authTls: 'offered' } });
    expect(peer.heard).toEqual(['FEAT', 'QUIT']);
  });

  it('reads a banner to its end, whatever stands in it', async () => {
    const peer = await keep(replaying(bannerCapture));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'answered',
      facts: { greeting: '220 Authorised access only. 220 is not the end Indented' },
    });
    // RFC 959 §4.2: the example of a reply with text that begins with a number.
    const other = await talking(
      '220-First line\r\nSecond line\r\n  234 A line beginning with numbers\r\n220 The last line\r\n',
      '211 x\r\n',
    );
    expect(await ask(other.port)).toMatchObject({
      facts: { greeting: '220 First line Second line 234 A line beginning with numbers The last line' },
    });
  });

  it('waits for the greeting that 120 announces', async () => {
    const peer = await talking('120 ready in 1 minute\r\n220 now\r\n', '211 none\r\n', '221 bye\r\n');
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { greeting: '220 now' } });
  });

  it('asks a server without FEAT for its system', async () => {
    const peer = await talking('220 old\r\n', '502 no\r\n', '215 UNIX Type: L8\r\n', '221 bye\r\n');
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { greeting: '220 old', system: 'UNIX Type: L8' },
    });
    expect(peer.heard).toEqual(['FEAT', 'SYST', 'QUIT']);
  });

  it.each([
    ['530 Not logged in\r\n', undefined],
    ['500 what\r\n', '530 Please login with USER and PASS.\r\n'],
  ])('takes the word that a login is wanted for an answer', async (feat, syst) => {
    const peer = await talking('220 x\r\n', feat, ...(syst === undefined ? [] : [syst]), '221 bye\r\n');
    expect(await ask(peer.port)).toEqual({ kind: 'answered', depth: 'protocol', facts: { greeting: '220 x' } });
  });

  it.each(['421 too many users\r\n', '530 no anonymous access from your host\r\n'])(
    'takes the greeting %j for an answer, and asks nothing more',
    async (greeting) => {
      const peer = await talking(greeting, '221 bye\r\n');
      expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { greeting: greeting.trim() } });
      expect(peer.heard).toEqual(['QUIT']);
    },
  );

  it('needs the whole reply to FEAT', async () => {
    const healthy = await keep(spoiltStandIn(module.standIn, { how: 'not' }));
    await ask(healthy.port);
    const whole = Buffer.concat(healthy.traffic.fromPeer).indexOf('221 ');
    expect(whole).toBeGreaterThan(60);
    for (let after = 0; after < whole; after += 1) {
      const peer = await keep(spoiltStandIn(module.standIn, { how: 'cut', after, then: 'close' }));
      expect(await ask(peer.port), `${after} bytes`).toMatchObject({ kind: 'stranger' });
    }
    const enough = await keep(spoiltStandIn(module.standIn, { how: 'cut', after: whole, then: 'close' }));
    expect(await ask(enough.port)).toMatchObject({ kind: 'answered' });
  });

  it('calls Postfix a stranger by what it says to FEAT and SYST', async () => {
    const peer = await keep(replaying(postfixCapture));
    expect(await ask(peer.port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining('500 5.5.2 Error: command not recognized') as string,
      facts: { greeting: '220 mail.lab.example ESMTP Postfix' },
    });
    expect(peer.heard).toEqual(['FEAT', 'SYST', 'QUIT']);
  });

  it.each([
    ['554 5.7.1 no mail from you\r\n', 'greets with "554'],
    ['200 news.example.net\r\n', 'greets with "200'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'an SSH identification (SSH-2.0-OpenSSH_9.2)'],
    ['HTTP/1.1 400 Bad Request\r\n', 'an HTTP answer'],
  ])('calls another service a stranger: %j', async (greeting, words) => {
    const peer = await talking(greeting, '221 bye\r\n');
    expect(await ask(peer.port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining(words) as string,
    });
  });
});

describe('TLS', () => {
  const feat = '211-x\r\n AUTH TLS\r\n211 end\r\n';

  it('is completed where it is wanted', async () => {
    const peer = await keep(standInAt(module.standIn));
    for (const options of [{ mode: 'auth-tls' }, { issuer: 'CN=x' }]) {
      expect(await ask(peer.port, options)).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { authTls: 'completed', tlsVersion: 'TLSv1.3', subject: 'CN=stand-in.linecheck.invalid' },
      });
    }
  });

  it('that is demanded and refused makes a stranger; that is merely wanted does not', async () => {
    const refusal = '534 Local policy on server does not allow TLS secure connections.';
    for (const [options, expected] of [
      [{ mode: 'auth-tls' }, { kind: 'stranger', detail: `FTP that refuses AUTH TLS: "${refusal}"` }],
      [{ issuer: 'CN=x' }, { kind: 'answered', facts: { authTls: `refused: ${refusal}` } }],
    ] as const) {
      const peer = await talking('220 x\r\n', feat, `${refusal}\r\n`, '221 bye\r\n');
      expect(await ask(peer.port, options)).toMatchObject(expected);
    }
  });

  it('that is not listed is asked for where it is demanded: FEAT is younger than AUTH', async () => {
    const peer = await talking('220 x\r\n', '211 none\r\n', '502 unknown\r\n', '221 bye\r\n');
    expect(await ask(peer.port, { mode: 'auth-tls' })).toMatchObject({ kind: 'stranger' });
    expect(peer.heard).toEqual(['FEAT', 'AUTH TLS', 'QUIT']);
  });

  it('is not believed where plain text follows the agreement', async () => {
    const peer = await talking('220 x\r\n', feat, '234 go\r\n230 injected\r\n', '');
    expect(await ask(peer.port, { mode: 'auth-tls' })).toMatchObject({
      kind: 'stranger',
      detail: 'plain text where TLS was agreed on',
    });
  });

  it('that stalls ends at the deadline', async () => {
    const peer = await talking('220 x\r\n', feat, '234 go\r\n', '', '');
    expect(await ask(peer.port, { mode: 'auth-tls' }, { deadlineMs: 500 })).toMatchObject({
      kind: 'stranger',
      came: 'silence',
    });
  });
});

describe('real servers', () => {
  it('vsftpd answers over IPv4 and IPv6; 100 visits leave no login in its log', async (ctx) => {
    requireServer(ctx, 'vsftpd', 'vsftpd');
    const server = await keep(vsftpd({ addresses: ['127.0.0.1', '::1'] }));
    for (let visit = 0; visit < 50; visit += 1) {
      for (const family of [4, 6] as const) {
        expect(await ask(server.port, {}, { family })).toMatchObject({
          kind: 'answered',
          depth: 'protocol',
          facts: { greeting: '220 (vsFTPd 3.0.3)', authTls: 'not offered' },
        });
      }
    }
    await expect.poll(() => server.logs().match(/"221 Goodbye\."/g)?.length, { timeout: 10_000 }).toBe(100);
    expect(
      new Set(
        server
          .logs()
          .match(/FTP command: .*/g)
          ?.map((line) => line.replace(/.*, /, '')),
      ),
    ).toEqual(new Set(['"FEAT"', '"QUIT"']));
    expect(server.logs()).not.toMatch(/LOGIN|USER|PASS"|OOPS/);
  });

  it('vsftpd with AUTH TLS shows its certificate', async (ctx) => {
    requireServer(ctx, 'vsftpd', 'vsftpd');
    const server = await keep(vsftpd({ tls: 'auth-tls' }));
    const secrets = { 'site-ca': readFileSync(server.certificates.ca, 'latin1') };
    expect(await ask(server.port)).toMatchObject({ kind: 'answered', facts: { authTls: 'offered' } });
    expect(await ask(server.port, { mode: 'auth-tls', ca: 'site-ca' }, { secrets })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { authTls: 'completed', issuer: 'CN=Lab CA, O=linecheck lab', trusted: true },
    });
    await expect.poll(() => server.logs().match(/"221 Goodbye\."/g)?.length, { timeout: 10_000 }).toBe(2);
    expect(server.logs()).not.toMatch(/LOGIN|OOPS/);
  });

  it('vsftpd with TLS from the start is asked in it, and is a stranger to plain FTP', async (ctx) => {
    requireServer(ctx, 'vsftpd', 'vsftpd');
    const server = await keep(vsftpd({ tls: 'ftps' }));
    expect(await ask(server.port, { mode: 'ftps' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { greeting: '220 (vsFTPd 3.0.3)', subject: 'CN=127.0.0.1, O=linecheck lab' },
    });
    expect(await ask(server.port, {}, { deadlineMs: 1000 })).toMatchObject({ kind: 'stranger', came: 'silence' });
  });

  it('vsftpd that demands a client certificate says so, takes a good one, refuses another’s', async (ctx) => {
    requireServer(ctx, 'vsftpd', 'vsftpd');
    const server = await keep(vsftpd({ tls: 'auth-tls', extra: ['require_cert=YES', 'validate_cert=YES'] }));
    const others = await makeCertificates(['other.example']);
    closing.push(() => {
      others.remove();
      return Promise.resolve();
    });
    const show = (cert: string, key: string): Promise<Outcome> =>
      ask(
        server.port,
        { mode: 'auth-tls', 'client-cert': 'cert', 'client-key': 'key' },
        { secrets: { cert: readFileSync(cert, 'latin1'), key: readFileSync(key, 'latin1') } },
      );
    expect(await ask(server.port, { mode: 'auth-tls' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { clientCertificate: 'demanded' },
    });
    expect(await show(server.certificates.clientCert, server.certificates.clientKey)).toMatchObject({
      kind: 'answered',
      facts: { authTls: 'completed', clientCertificate: 'requested' },
    });
    expect(await show(others.clientCert, others.clientKey)).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
    });
  });

  it('vsftpd with too many visitors answers all the same', async (ctx) => {
    requireServer(ctx, 'vsftpd', 'vsftpd');
    const server = await keep(vsftpd({ extra: ['max_per_ip=1'] }));
    const [one, other] = await Promise.all([ask(server.port, { mode: 'plain' }), ask(server.port, { mode: 'plain' })]);
    expect([one.kind, other.kind]).toEqual(['answered', 'answered']);
  });

  it('where vsftpd was, it is refused', async (ctx) => {
    requireServer(ctx, 'vsftpd', 'vsftpd');
    const server = await vsftpd({ addresses: ['127.0.0.1', '::1'] });
    await server.stop();
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, {}, { family })).toMatchObject({ kind: 'refused', signal: 'refused' });
    }
  });

  it('Postfix and sshd are strangers', async (ctx) => {
    requirePostfix(ctx);
    requireServer(ctx, 'sshd', 'openssh-server');
    const [mail, ssh] = [await keep(postfix()), await keep(sshd())];
    expect(await ask(mail.port)).toMatchObject({
      kind: 'stranger',
      detail: expect.stringContaining('5.5.2') as string,
    });
    expect(await ask(ssh.port)).toMatchObject({ kind: 'stranger', detail: expect.stringContaining('SSH') as string });
  });
});

// A reply to QUIT proves nothing more: what must be whole is tested above.
describeConformance(module, { name: 'ftp', carrier: 'tcp', answersEarly: true });
describeConformance(module, {
  name: 'ftp with AUTH TLS',
  carrier: 'tcp',
  options: { mode: 'auth-tls' },
  answersEarly: true,
});
const implicit: StandIn = { carrier: 'tcp', session: (stream, stage) => serve(stream, stage, true) };
describeConformance(
  { probe, standIn: implicit },
  { name: 'ftp with TLS from the start', carrier: 'tcp', options: { mode: 'ftps' }, answersEarly: true },
);
