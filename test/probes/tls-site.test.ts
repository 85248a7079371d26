// TLS and HTTPS as a site's user meets them: certificates, own CAs, pins and client certificates in a site file, real
// servers, and the verdict. What the probes themselves see stands in tls.test.ts and https.test.ts.
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { linecheck, placeOf, scratchFolder, type Flow } from '../entry/linecheck.js';
import { makeCertificates, type Certificates } from '../lab/certificates.js';
import { requireServer } from '../lab/requirements.js';
import { nginxTls, stunnel, type TlsServer } from '../lab/servers.js';
import { opensslServer } from '../lab/servers/openssl.js';

const scratch = scratchFolder();
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function keep<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  closing.push(() => server.stop());
  return server;
}

let others: Certificates | undefined;
beforeAll(async () => {
  others = await makeCertificates(['other.example', '127.0.0.1']);
});
afterAll(() => others?.remove());
function stranger(): Certificates {
  if (others === undefined) throw new Error('no certificates were made');
  return others;
}

const report = z.object({
  checks: z.array(
    z.object({
      verdict: z.string(),
      how: z.string().optional(),
      result: z.string(),
      certain: z.string(),
      proof: z.array(z.string()),
      warning: z.string().optional(),
      summary: z.string(),
      advice: z.string().optional(),
      facts: z.record(z.string(), z.unknown()),
    }),
  ),
});
type Checked = z.infer<typeof report>['checks'][number];

interface Site {
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly reach?: string;
  readonly login?: boolean;
}

/** One flow to one server, by `linecheck check`. */
async function check(
  probe: 'tls' | 'https',
  port: number,
  site: Site = {},
): Promise<Checked & { code: number | null }> {
  const flow: Flow = { id: 'web', tcp: port, probe };
  const cwd = placeOf(scratch, [flow], {
    hosts: { far: site.host ?? '127.0.0.1' },
    flows: { web: { with: site.with ?? {}, ...(site.reach === undefined ? {} : { reach: site.reach }) } },
    secrets: site.secrets ?? {},
  });
  const words = ['check', 'site.yaml', '--format', 'json', '--quiet'];
  const { code, stdout, stderr } = await linecheck(words, {
    cwd,
    ...(site.env === undefined ? {} : { env: site.env }),
  });
  expect(stderr).toBe('');
  const [found] = report.parse(JSON.parse(stdout)).checks;
  if (found === undefined) throw new Error('nothing was checked');
  return { ...found, code };
}

const pinOf = (path: string): string =>
  createHash('sha256')
    .update(new X509Certificate(readFileSync(path)).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');

const PASSES = { verdict: 'open', result: 'pass', certain: 'proven', code: 0 };
const INTERCEPTED = { verdict: 'intercepted', how: 'issuer', result: 'fail', certain: 'proven', code: 1 };
const DENIED = { verdict: 'denied', how: 'credentials', result: 'pass', code: 0 };

describe.each(['tls', 'https'] as const)('%s: who signed', (probe) => {
  it('is open without any expectation, and what it distrusts is a fact', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port } = await keep(nginxTls());
    const found = await check(probe, port);
    expect(found).toMatchObject({
      ...PASSES,
      facts: {
        subject: 'CN=127.0.0.1, O=linecheck lab',
        issuer: 'CN=Lab CA, O=linecheck lab',
        trusted: false,
        distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        daysLeft: 1,
      },
    });
    expect(found.facts['notAfter']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(found.proof).toContain('tls');
  });

  it("is open under the site's own CA, by file or environment, and intercepted under another", async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port, certificates } = await keep(nginxTls());
    const site = { with: { ca: 'site-ca' } };
    expect(await check(probe, port, { ...site, secrets: { 'site-ca': { file: certificates.ca } } })).toMatchObject({
      ...PASSES,
      facts: { trusted: true },
    });
    const env = { SITE_CA: readFileSync(certificates.ca, 'latin1') };
    expect(await check(probe, port, { ...site, secrets: { 'site-ca': { env: 'SITE_CA' } }, env })).toMatchObject(
      PASSES,
    );
    const found = await check(probe, port, { ...site, secrets: { 'site-ca': { file: stranger().ca } } });
    expect(found).toMatchObject(INTERCEPTED);
    expect(found.summary).toContain("which the site's own CA did not sign");
  });

  it('is open for a bundle in which one CA signed', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port, certificates } = await keep(nginxTls());
    const bundle = readFileSync(stranger().ca, 'latin1') + readFileSync(certificates.ca, 'latin1');
    const site = { with: { ca: 'bundle' }, secrets: { bundle: { env: 'BUNDLE' } } };
    expect(await check(probe, port, { ...site, env: { BUNDLE: bundle } })).toMatchObject(PASSES);
  });

  it('is not intercepted where only the name differs: that is a fact', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port, certificates } = await keep(nginxTls());
    const found = await check(probe, port, {
      with: { ca: 'site-ca', servername: 'elsewhere.example' },
      secrets: { 'site-ca': { file: certificates.ca } },
    });
    expect(found).toMatchObject({ ...PASSES, facts: { trusted: false, distrust: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
  });

  it('is open for the pin of its key, and intercepted for another', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port, certificates } = await keep(nginxTls());
    const pin = pinOf(certificates.cert);
    expect(await check(probe, port, { with: { pin } })).toMatchObject({ ...PASSES, facts: { pin } });
    expect(await check(probe, port, { with: { pin: pinOf(stranger().cert) } })).toMatchObject(INTERCEPTED);
  });

  it('is open for the issuer or a part of it, in any case, and intercepted for another', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port } = await keep(nginxTls());
    for (const issuer of ['CN=Lab CA, O=linecheck lab', 'CN=Lab CA,O=linecheck lab', 'cn=lab ca']) {
      expect(await check(probe, port, { with: { issuer } })).toMatchObject(PASSES);
    }
    const found = await check(probe, port, { with: { issuer: 'CN=Site CA' } });
    expect(found).toMatchObject(INTERCEPTED);
    expect(found.summary).toContain('CN=Lab CA, O=linecheck lab');
    expect(found.summary).toContain('CN=Site CA');
  });

  it('is intercepted where one of several expectations is contradicted', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port, certificates } = await keep(nginxTls());
    const secrets = { good: { file: certificates.ca }, bad: { file: stranger().ca } };
    expect(await check(probe, port, { with: { issuer: 'CN=Lab CA', ca: 'bad' }, secrets })).toMatchObject(INTERCEPTED);
    expect(await check(probe, port, { with: { issuer: 'CN=Other', ca: 'good' }, secrets })).toMatchObject(INTERCEPTED);
    expect(await check(probe, port, { with: { issuer: 'CN=Lab CA', ca: 'good' }, secrets })).toMatchObject(PASSES);
  });
});

describe.each(['tls', 'https'] as const)('%s: which certificate', (probe) => {
  it('an expired one is open, with days below zero', async (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const { port } = await keep(
      opensslServer({ certificate: { notBefore: '20200101000000Z', notAfter: '20210101000000Z' } }),
    );
    const found = await check(probe, port);
    expect(found).toMatchObject({
      ...PASSES,
      facts: { notAfter: '2021-01-01T00:00:00.000Z', trusted: false },
    });
    expect(found.facts['daysLeft']).toBeLessThan(-2000);
  });

  it('an expired one of the site’s CA is not taken for interception', async (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const server = await keep(
      opensslServer({ certificate: { notBefore: '20200101000000Z', notAfter: '20210101000000Z' } }),
    );
    const found = await check(probe, server.port, {
      with: { ca: 'site-ca' },
      secrets: { 'site-ca': { file: server.ca } },
    });
    expect(found).toMatchObject({ ...PASSES, facts: { trusted: false, distrust: 'CERT_HAS_EXPIRED' } });
  });

  it('one that is not valid yet is told as that', async (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const server = await keep(
      opensslServer({ certificate: { notBefore: '20900101000000Z', notAfter: '20910101000000Z' } }),
    );
    const found = await check(probe, server.port, {
      with: { ca: 'site-ca' },
      secrets: { 'site-ca': { file: server.ca } },
    });
    expect(found).toMatchObject({ ...PASSES, facts: { trusted: false, distrust: 'CERT_NOT_YET_VALID' } });
  });

  it('one that signed itself is a fact, and its own CA', async (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const server = await keep(opensslServer({ certificate: { selfSigned: true } }));
    expect(await check(probe, server.port)).toMatchObject({
      ...PASSES,
      facts: { trusted: false, distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    const secrets = { 'site-ca': { file: server.cert } };
    expect(await check(probe, server.port, { with: { ca: 'site-ca' }, secrets })).toMatchObject(PASSES);
    const another = { 'site-ca': { file: stranger().ca } };
    expect(await check(probe, server.port, { with: { ca: 'site-ca' }, secrets: another })).toMatchObject(INTERCEPTED);
  });

  it('the name asked for decides which one comes (SNI)', async (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const server = await keep(
      opensslServer({
        certificate: { subject: '/CN=default' },
        sni: { name: 'second.example', subject: '/CN=second' },
      }),
    );
    expect(await check(probe, server.port)).toMatchObject({ ...PASSES, facts: { subject: 'CN=default' } });
    expect(await check(probe, server.port, { with: { servername: 'second.example' } })).toMatchObject({
      ...PASSES,
      facts: { subject: 'CN=second' },
    });
  });

  it('an intermediate that the server sends joins it to the site’s CA; one that it forgets does not', async (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const whole = await keep(opensslServer({ certificate: { intermediate: 'sent' } }));
    const site = (ca: string): Site => ({ with: { ca: 'site-ca' }, secrets: { 'site-ca': { file: ca } } });
    expect(await check(probe, whole.port, site(whole.ca))).toMatchObject({ ...PASSES, facts: { trusted: true } });
    const broken = await keep(opensslServer({ certificate: { intermediate: 'forgotten' } }));
    const found = await check(probe, broken.port, site(broken.ca));
    expect(found.facts).toMatchObject({ trusted: false, distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    // Nobody can tell it from a stranger's: the site's CA is not seen to have signed.
    expect(found).toMatchObject(INTERCEPTED);
    expect(found.advice).toContain('an intermediate of your own CA');
  });
});

const CLIENT = { 'client-cert': 'cert', 'client-key': 'key' };
const certificateOf = ({ clientCert, clientKey }: Certificates): Readonly<Record<string, unknown>> => ({
  cert: { file: clientCert },
  key: { file: clientKey },
});

describe.for(['TLSv1.2', 'TLSv1.3'])('a client certificate in %s', (version) => {
  const versions = { min: version, max: version };
  const server = (): Promise<TlsServer> => keep(stunnel({ versions }));

  it('demanded and not given is open, as a fact', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const { port } = await server();
    expect(await check('tls', port)).toMatchObject({ ...PASSES, facts: { clientCertificate: 'demanded' } });
  });

  it('given and accepted is open', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const { port, certificates } = await server();
    const secrets = certificateOf(certificates);
    expect(await check('tls', port, { with: CLIENT, secrets })).toMatchObject({
      ...PASSES,
      facts: { tlsVersion: version, clientCertificate: 'requested' },
    });
  });

  it('by environment, with its key in one secret, is the same', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const { port, certificates } = await server();
    const both = readFileSync(certificates.clientCert, 'latin1') + readFileSync(certificates.clientKey, 'latin1');
    const site = { with: { 'client-cert': 'both' }, secrets: { both: { env: 'BOTH' } }, env: { BOTH: both } };
    expect(await check('tls', port, site)).toMatchObject({ ...PASSES, facts: { clientCertificate: 'requested' } });
  });

  it('of another CA is denied, which passes with a warning', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const { port } = await server();
    const site = { with: CLIENT, secrets: certificateOf(stranger()) };
    const found = await check('tls', port, site);
    expect(found).toMatchObject({ ...DENIED, facts: { clientCertificate: 'refused' } });
    expect(found.warning).toBeDefined();
    expect(found.summary).toContain('refused the client certificate');
    expect(found.advice).toContain('trust the CA');
  });

  it('demanded by a server of another CA than the site’s is interception all the same', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const { port, certificates } = await server();
    const site = (ca: string): Site => ({
      with: { ...CLIENT, ca: 'site-ca' },
      secrets: { ...certificateOf(certificates), 'site-ca': { file: ca } },
    });
    expect(await check('tls', port, site(certificates.ca))).toMatchObject(PASSES);
    expect(await check('tls', port, site(stranger().ca))).toMatchObject(INTERCEPTED);
  });

  it('not given, or refused, hides no interception: the server has shown its own by then', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const { port, certificates } = await server();
    const pin = pinOf(certificates.cert);
    const secrets = { ...certificateOf(stranger()), right: { file: certificates.ca }, wrong: { file: stranger().ca } };
    const demanded = { facts: { clientCertificate: 'demanded' } };
    expect(await check('tls', port, { with: { ca: 'right', pin }, secrets })).toMatchObject({ ...PASSES, ...demanded });
    expect(await check('tls', port, { with: { ca: 'wrong' }, secrets })).toMatchObject(INTERCEPTED);
    expect(await check('tls', port, { with: { ...CLIENT, ca: 'right' }, secrets })).toMatchObject(DENIED);
    expect(await check('tls', port, { with: { ...CLIENT, ca: 'wrong' }, secrets })).toMatchObject(INTERCEPTED);
  });
});

describe('a client certificate, asked for within HTTP', () => {
  it('is demanded, accepted and refused by status', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const { port, certificates } = await keep(nginxTls({ requireClient: true }));
    expect(await check('https', port)).toMatchObject({
      ...PASSES,
      facts: { status: 400, clientCertificate: 'demanded' },
    });
    const given = { with: CLIENT, secrets: certificateOf(certificates) };
    expect(await check('https', port, given)).toMatchObject({ ...PASSES, facts: { status: 200 } });
    const wrong = { with: CLIENT, secrets: certificateOf(stranger()) };
    expect(await check('https', port, wrong)).toMatchObject(DENIED);
  });
});

describe('a client certificate that cannot be shown', () => {
  const mistake = async (secrets: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) => {
    const cwd = placeOf(scratch, [{ id: 'web', tcp: 9, probe: 'tls' }], {
      flows: { web: { with: CLIENT } },
      secrets,
    });
    writeFileSync(join(cwd, 'rubbish.pem'), 'this is no certificate\n');
    return linecheck(['check', 'site.yaml', '--quiet'], { cwd, env });
  };

  it('because its file or variable is not there is a mistake, told before anything is sent', async () => {
    const { code, stderr, stdout } = await mistake({ cert: { file: 'gone.pem' }, key: { env: 'NO_SUCH_KEY' } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('gone.pem');
    expect(stderr).toContain('NO_SUCH_KEY');
  });

  it('because its key is another’s, or it is no certificate, is told as our own trouble, never as the network’s', async (ctx) => {
    requireServer(ctx, 'stunnel4', 'stunnel4');
    const { port, certificates } = await keep(stunnel());
    const mixed = { cert: { file: certificates.clientCert }, key: { file: stranger().clientKey } };
    const rubbish = { cert: { env: 'RUBBISH' }, key: { env: 'RUBBISH' } };
    for (const secrets of [mixed, rubbish]) {
      const found = await check('tls', port, { with: CLIENT, secrets, env: { RUBBISH: 'no certificate' } });
      expect(found).toMatchObject({ verdict: 'error', result: 'unproven', code: 3 });
    }
  });
});

it('a redirect is named and not followed', async (ctx) => {
  requireServer(ctx, 'nginx', 'nginx-light');
  const { port } = await keep(nginxTls({ directives: ['return 301 https://www.example.net/login;'] }));
  expect(await check('https', port)).toMatchObject({
    ...PASSES,
    facts: { status: 301, location: 'https://www.example.net/login', redirectHost: 'www.example.net' },
  });
});
