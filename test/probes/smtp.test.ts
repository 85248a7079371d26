// The `smtp` probe: replies of servers of several makes, STARTTLS and TLS from the start, refusals, strangers, Postfix.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/smtp/packet.js';
import { ehloFacts, extensionsOf, greetingFacts, isSmtpRefusal, parseReplyLine } from '../../probes/smtp/packet.js';
import * as module from '../../probes/smtp/probe.js';
import { serve } from '../../probes/smtp/stand-in.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { StandIn } from '../../src/contract/probe.js';
import { makeCertificates } from '../lab/certificates.js';
import { requireServer } from '../lab/requirements.js';
import { sshd } from '../lab/servers.js';
import { postfix, requirePostfix } from '../lab/servers/postfix.js';
import { vsftpd } from '../lab/servers/vsftpd.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { replaying, talker, type Talker } from './line-peers.js';
import { askOnce, closedPort, spoiltStandIn, standInAt, tcpPeer, type Peer } from './scenes.js';
import { vector } from './vectors.js';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const plainCapture = vector('smtp/postfix-3.7.11-plain.hex');
const starttlsCapture = vector('smtp/postfix-3.7.11-starttls.hex');
const rejectingCapture = vector('smtp/postfix-3.7.11-rejecting.hex');
const vsftpdCapture = vector('ftp/vsftpd-3.0.3-to-smtp.hex');

const linesOf = (bytes: Uint8Array): readonly Uint8Array[] =>
  (
    Buffer.from(bytes)
      .toString('latin1')
      .match(/[^\n]*\n/g) ?? []
  ).map(latin1);

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

const talking = (greeting: string, ...replies: readonly string[]): Promise<Talker> =>
  keep(talker(greeting, ...replies));

describe('a line with a reply code', () => {
  it.each([
    ['220 mail.example.net ready\r\n', { code: 220, more: false, text: 'mail.example.net ready' }],
    ['250-PIPELINING\r\n', { code: 250, more: true, text: 'PIPELINING' }],
    ['250\r\n', { code: 250, more: false, text: '' }],
    ['354 \n', { code: 354, more: false, text: '' }],
    ['220 \x1b[2J\xff\r\n', { code: 220, more: false, text: '.[2J.' }],
  ])('is read from %j', (line, expected) => {
    expect(parseReplyLine(latin1(line))).toEqual(expected);
  });

  it.each(['', '22', '220 no end', '620 x\r\n', '2200 x\r\n', 'x220 y\r\n', '220_x\r\n', '220 a\n\r'])(
    'is not read from %j',
    (line) => {
      expect(() => parseReplyLine(latin1(line))).toThrow(ProtocolError);
    },
  );
});

describeDecoders(packet, {
  parseReplyLine: {
    decode: parseReplyLine,
    samples: [plainCapture, starttlsCapture, rejectingCapture].flatMap((capture) => linesOf(capture)),
  },
});

describe('what an EHLO says', () => {
  it('is read as in RFC 5321, RFC 1870 and RFC 4954', () => {
    const reply = {
      code: 250,
      lines: ['foo.example.com greets bar', '8BITMIME', 'size 5000', 'AUTH PLAIN LOGIN', 'AUTH=LOGIN X', 'STARTTLS '],
    };
    expect([...extensionsOf(reply).keys()]).toEqual(['8BITMIME', 'SIZE', 'AUTH', 'STARTTLS']);
    expect(ehloFacts(reply)).toEqual({
      name: 'foo.example.com',
      extensions: ['8BITMIME', 'SIZE', 'AUTH', 'STARTTLS'],
      sizeLimit: 5000,
      auth: ['LOGIN', 'X'],
    });
  });

  it('names no limit where there is none', () => {
    expect(ehloFacts({ code: 250, lines: ['a', 'SIZE 0'] })).toEqual({ name: 'a', extensions: ['SIZE'] });
    expect(ehloFacts({ code: 250, lines: ['', 'SIZE'] })).toEqual({ extensions: ['SIZE'] });
  });

  it('shows what a firewall that inspects ESMTP wrote over', () => {
    expect(ehloFacts({ code: 250, lines: ['mail', 'XXXXXXXA', 'XCLIENT NAME', 'XXXX'] })).toMatchObject({
      maskedExtensions: ['XXXXXXXA', 'XXXX'],
    });
    expect(greetingFacts({ code: 220, lines: ['************************'] })).toMatchObject({ maskedGreeting: true });
    expect(greetingFacts({ code: 220, lines: ['** welcome **'] })).toEqual({ greeting: '220 ** welcome **' });
  });

  it.each([
    [554, 'no SMTP service here', true],
    [421, 'too busy', true],
    [521, 'host does not accept mail', true],
    [500, '5.5.2 not known', true],
    [500, 'not understood', false],
    [530, 'Please login with USER and PASS.', false],
    [530, '5.7.0 Must issue a STARTTLS command first', true],
    [220, 'ready', false],
  ])('%i %s: a refusal in SMTP? %s', (code, text, expected) => {
    expect(isSmtpRefusal({ code, lines: [text] })).toBe(expected);
  });
});

describe('options', () => {
  it.each([
    [{ mode: 'ldaps' }, 'smtps'],
    [{ helo: 'a b' }, 'host name'],
    [{ 'client-key': 'k' }, 'client-cert'],
    [{ starttls: true }, 'starttls'],
  ])('refuses %j', (given, words) => {
    const parsed = probe.options.safeParse(given);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('without TLS offer no secure depth, and name no handshake among what is sent', () => {
    const { traits } = probe.bind('tcp', probe.options.parse({ mode: 'plain' }));
    expect(traits.depths).toEqual(['port', 'protocol']);
    expect(JSON.stringify(traits.sends)).not.toContain('TLS');
    expect(probe.bind('tcp', {}).traits.depths).toContain('secure');
  });
});

describe('the smtp probe', () => {
  it('tells what Postfix says of itself', async () => {
    const peer = await keep(replaying(plainCapture));
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        greeting: '220 mail.lab.example ESMTP Postfix',
        name: 'mail.lab.example',
        extensions: [
          ...['PIPELINING', 'SIZE', 'VRFY', 'ETRN', 'ENHANCEDSTATUSCODES', '8BITMIME', 'DSN', 'SMTPUTF8', 'CHUNKING'],
        ],
        sizeLimit: 10_240_000,
        startTls: 'not offered',
      },
    });
    expect(peer.heard).toEqual(['EHLO linecheck.invalid', 'QUIT']);
  });

  it('tells that STARTTLS is offered, and leaves it at that', async () => {
    const peer = await keep(replaying(starttlsCapture));
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { startTls: 'offered' } });
    expect(peer.heard).toEqual(['EHLO linecheck.invalid', 'QUIT']);
  });

  it('takes a server that wants no mail for an answer, and asks nothing more of it', async () => {
    const peer = await keep(replaying(rejectingCapture));
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { greeting: '554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied' },
    });
    expect(peer.heard).toEqual(['QUIT']);
  });

  it.each(['421 mail.example.net Service not available, closing transmission channel\r\n', '521 no mail here\r\n'])(
    'takes the greeting %j for an answer',
    async (greeting) => {
      const peer = await talking(greeting);
      expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { greeting: greeting.trim() } });
    },
  );

  it('introduces itself by HELO to a server that knows no EHLO, and by the name it is given', async () => {
    const peer = await talking('220 old.example.net\r\n', '500 what\r\n', '250 old.example.net\r\n', '221 bye\r\n');
    expect(await ask(peer.port, { helo: 'tech.example.net' })).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { greeting: '220 old.example.net', name: 'old.example.net', extensions: [], startTls: 'not offered' },
    });
    expect(peer.heard).toEqual(['EHLO tech.example.net', 'HELO tech.example.net', 'QUIT']);
  });

  it('tells why a server does not like its name', async () => {
    const said = '550 5.7.1 Helo command rejected: Host not found';
    const peer = await talking('220 mail.example.net\r\n', `${said}\r\n`, '221 bye\r\n');
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', depth: 'protocol', facts: { ehlo: said } });
  });

  it('waits for a slow greeting, and says nothing before it', async () => {
    let early = 0;
    const peer = await keep(
      tcpPeer((socket) => {
        socket.once('data', () => (early += 1));
        setTimeout(() => {
          expect(early).toBe(0);
          socket.write('220-slow\r\n220 ready\r\n');
          socket.once('data', () => socket.end('250 slow\r\n'));
        }, 300);
      }),
    );
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered', facts: { greeting: '220 slow ready' } });
  });

  it('needs the whole reply to EHLO', async () => {
    const healthy = await keep(spoiltStandIn(module.standIn, { how: 'not' }));
    await ask(healthy.port);
    const all = Buffer.concat(healthy.traffic.fromPeer);
    const whole = all.indexOf('221 ');
    expect(whole).toBeGreaterThan(100);
    for (let after = 0; after < whole; after += 1) {
      const peer = await keep(spoiltStandIn(module.standIn, { how: 'cut', after, then: 'close' }));
      expect(await ask(peer.port), `${after} bytes`).toMatchObject({ kind: 'stranger' });
    }
    const enough = await keep(spoiltStandIn(module.standIn, { how: 'cut', after: whole, then: 'close' }));
    expect(await ask(enough.port)).toMatchObject({ kind: 'answered' });
  });

  it('does not wait for a goodbye for ever', async () => {
    const peer = await keep(
      tcpPeer((socket) => {
        socket.write('220 x\r\n');
        socket.once('data', () => socket.write('250 x\r\n'));
      }),
    );
    expect(await ask(peer.port)).toMatchObject({ kind: 'answered' });
  });

  it.each([
    ['220 (vsFTPd 3.0.3)\r\n', ['530 Please login with USER and PASS.\r\n'], 'answers EHLO with "530 Please login'],
    ['220 ProFTPD\r\n', ['500 EHLO not understood\r\n', '500 HELO not understood\r\n'], '"500 HELO not understood"'],
    ['120 soon\r\n', [], 'greets with "120 soon"'],
    ['200 news.example.net NNTP ready\r\n', [], 'greets with "200 news.example.net NNTP ready"'],
    ['500 OOPS: vsftpd: cannot read config file\r\n', [], 'greets with "500 OOPS'],
    ['+OK POP3 ready\r\n', [], '16 bytes beginning'],
    ['SSH-2.0-OpenSSH_9.2\r\n', [], 'an SSH identification (SSH-2.0-OpenSSH_9.2)'],
    ['250-a\r\n'.repeat(300), [], 'more than 200 lines'],
    [`220 ${'x'.repeat(3000)}`, [], 'no end of line'],
  ] as const)('calls another service a stranger: %#', async (greeting, replies, words) => {
    const peer = await talking(greeting, ...replies, '221 bye\r\n');
    expect(await ask(peer.port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining(words) as string,
    });
  });

  it('calls vsftpd a stranger by what it says to EHLO', async () => {
    const peer = await keep(replaying(vsftpdCapture));
    expect(await ask(peer.port)).toMatchObject({ kind: 'stranger', facts: { greeting: '220 (vsFTPd 3.0.3)' } });
    expect(peer.heard).toEqual(['EHLO linecheck.invalid', 'QUIT']);
  });
});

describe('TLS', () => {
  const ehlo = '250-mail.example.net\r\n250 STARTTLS\r\n';

  it('is completed where it is wanted, and what was said before it is asked again', async () => {
    const peer = await keep(standInAt(module.standIn));
    expect(await ask(peer.port, { mode: 'starttls' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { startTls: 'completed', tlsVersion: 'TLSv1.3', subject: 'CN=stand-in.linecheck.invalid', extensions: [] },
    });
  });

  it('is begun where something is asked of the certificate', async () => {
    const peer = await keep(standInAt(module.standIn));
    const pin = 'tpZjunAdgq2MkS3MxW8mY0TW9BET+aGYIjSeenbQD/M=';
    expect(await ask(peer.port, { pin })).toMatchObject({ kind: 'answered', facts: { startTls: 'completed' } });
  });

  it('that is demanded and not offered makes a stranger; that is merely wanted does not', async () => {
    const options = [{ mode: 'starttls' }, { issuer: 'CN=x' }];
    const outcomes = [];
    for (const each of options) {
      const peer = await talking('220 x ESMTP\r\n', '250 x\r\n', '221 bye\r\n');
      outcomes.push(await ask(peer.port, each));
    }
    expect(outcomes).toMatchObject([
      { kind: 'stranger', detail: 'SMTP that does not offer STARTTLS' },
      { kind: 'answered', facts: { startTls: 'not offered' } },
    ]);
  });

  it('that is offered and then refused is told', async () => {
    const refusal = '454 4.7.0 TLS not available due to local problem';
    for (const [options, expected] of [
      [{ mode: 'starttls' }, { kind: 'stranger', detail: `SMTP that refuses STARTTLS: "${refusal}"` }],
      [{ issuer: 'CN=x' }, { kind: 'answered', facts: { startTls: `refused: ${refusal}` } }],
    ] as const) {
      const peer = await talking('220 x\r\n', ehlo, `${refusal}\r\n`, '221 bye\r\n');
      expect(await ask(peer.port, options)).toMatchObject(expected);
    }
  });

  it('is not believed where plain text follows the agreement', async () => {
    const peer = await talking('220 x\r\n', ehlo, '220 go\r\n250 injected\r\n', '');
    expect(await ask(peer.port, { mode: 'starttls' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'plain text where TLS was agreed on',
    });
  });

  it('that stalls ends at the deadline', async () => {
    const peer = await talking('220 x\r\n', ehlo, '220 go\r\n', '', '');
    expect(await ask(peer.port, { mode: 'starttls' }, { deadlineMs: 500 })).toMatchObject({
      kind: 'stranger',
      came: 'silence',
    });
  });

  it('from the start finds plain SMTP a stranger', async () => {
    const peer = await talking('220 x\r\n', '', '');
    expect(await ask(peer.port, { mode: 'smtps' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining('not TLS') as string,
    });
  });
});

describe('real servers', () => {
  it('Postfix answers over IPv4 and IPv6; 100 visits leave no error in its log, and no mail', async (ctx) => {
    requirePostfix(ctx);
    const server = await keep(postfix({ addresses: ['127.0.0.1', '::1'] }));
    const expected = {
      kind: 'answered',
      depth: 'protocol',
      facts: { greeting: '220 mail.lab.example ESMTP Postfix', name: 'mail.lab.example', startTls: 'not offered' },
    };
    for (let visit = 0; visit < 50; visit += 1) {
      for (const family of [4, 6] as const) expect(await ask(server.port, {}, { family })).toMatchObject(expected);
    }
    await expect.poll(() => server.logs().match(/ disconnect from .*/g)?.length, { timeout: 10_000 }).toBe(100);
    const goodbyes = new Set(
      server
        .logs()
        .match(/ disconnect from .*/g)
        ?.map((line) => line.replace(/.*\] /, '')),
    );
    expect([...goodbyes]).toEqual(['ehlo=1 quit=1 commands=2']);
    expect(server.logs()).not.toMatch(/lost connection|timeout|improper|too many|warning|error/i);
    expect(server.queued()).toBe(0);
  });

  it('Postfix with STARTTLS shows its certificate', async (ctx) => {
    requirePostfix(ctx);
    const server = await keep(postfix({ tls: 'starttls' }));
    const secrets = { 'site-ca': readFileSync(server.certificates.ca, 'latin1') };
    expect(await ask(server.port)).toMatchObject({ kind: 'answered', facts: { startTls: 'offered' } });
    expect(await ask(server.port, { mode: 'starttls', ca: 'site-ca' }, { secrets })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { startTls: 'completed', issuer: 'CN=Lab CA, O=linecheck lab', trusted: true, daysLeft: 1 },
    });
    await expect.poll(() => server.logs(), { timeout: 10_000 }).toContain('ehlo=2 starttls=1 quit=1 commands=4');
    expect(server.logs()).not.toMatch(/lost connection|SSL_accept error|warning/);
  });

  it('Postfix with TLS from the start is asked in it, and is a stranger to plain SMTP', async (ctx) => {
    requirePostfix(ctx);
    const server = await keep(postfix({ tls: 'smtps' }));
    expect(await ask(server.port, { mode: 'smtps' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { greeting: '220 mail.lab.example ESMTP Postfix', subject: 'CN=127.0.0.1, O=linecheck lab' },
    });
    expect(await ask(server.port, {}, { deadlineMs: 1000 })).toMatchObject({ kind: 'stranger', came: 'silence' });
  });

  it('Postfix that demands a client certificate says so, takes a good one, refuses another’s', async (ctx) => {
    requirePostfix(ctx);
    const server = await keep(postfix({ tls: 'starttls', requireClient: true }));
    const others = await makeCertificates(['other.example']);
    closing.push(() => {
      others.remove();
      return Promise.resolve();
    });
    const show = (cert: string, key: string): Promise<Outcome> =>
      ask(
        server.port,
        { mode: 'starttls', 'client-cert': 'cert', 'client-key': 'key' },
        { secrets: { cert: readFileSync(cert, 'latin1'), key: readFileSync(key, 'latin1') } },
      );
    expect(await ask(server.port, { mode: 'starttls' })).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: { clientCertificate: 'demanded' },
    });
    expect(await show(server.certificates.clientCert, server.certificates.clientKey)).toMatchObject({
      kind: 'answered',
      facts: { startTls: 'completed', clientCertificate: 'requested' },
    });
    expect(await show(others.clientCert, others.clientKey)).toMatchObject({
      kind: 'turned-away',
      presented: 'credentials',
      by: expect.stringContaining('Client certificate not trusted') as string,
    });
  });

  it('Postfix whose greeting takes its time is no dead server', async (ctx) => {
    requirePostfix(ctx);
    const extra = ['smtpd_client_restrictions = sleep 2', 'smtpd_delay_reject = no'];
    const server = await keep(postfix({ extra }));
    expect(await ask(server.port)).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(server.logs()).not.toContain('improper command pipelining');
  });

  it('Postfix that takes nothing from this host answers all the same', async (ctx) => {
    requirePostfix(ctx);
    const extra = ['smtpd_client_restrictions = reject', 'smtpd_delay_reject = no'];
    const server = await keep(postfix({ extra }));
    expect(await ask(server.port)).toMatchObject({
      kind: 'answered',
      facts: { greeting: expect.stringMatching(/^554 5\.7\.1/) as string },
    });
  });

  it('where Postfix was, it is refused', async (ctx) => {
    requirePostfix(ctx);
    const server = await postfix();
    await server.stop();
    expect(await ask(server.port)).toMatchObject({ kind: 'refused' });
    expect(await ask(await closedPort('tcp', 6), {}, { family: 6 })).toMatchObject({ kind: 'refused' });
  });

  it('vsftpd and sshd are strangers', async (ctx) => {
    requireServer(ctx, 'vsftpd', 'vsftpd');
    requireServer(ctx, 'sshd', 'openssh-server');
    const [ftp, ssh] = [await keep(vsftpd()), await keep(sshd())];
    expect(await ask(ftp.port)).toMatchObject({ kind: 'stranger', detail: expect.stringContaining('530') as string });
    expect(await ask(ssh.port)).toMatchObject({ kind: 'stranger', detail: expect.stringContaining('SSH') as string });
  });
});

// A reply to QUIT proves nothing more: what must be whole is tested above.
describeConformance(module, { name: 'smtp', carrier: 'tcp', answersEarly: true });
describeConformance(module, {
  name: 'smtp with STARTTLS',
  carrier: 'tcp',
  options: { mode: 'starttls' },
  answersEarly: true,
});
const implicit: StandIn = { carrier: 'tcp', session: (stream, stage) => serve(stream, stage, true) };
describeConformance(
  { probe, standIn: implicit },
  { name: 'smtp with TLS from the start', carrier: 'tcp', options: { mode: 'smtps' }, answersEarly: true },
);
