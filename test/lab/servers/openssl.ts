// OpenSSL's own test server: HTTPS with certificates of any age and kind, and one more for a name (SNI).
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../place.js';
import { addressesOf, bracketed, lines, serve, type Server, type ServerOptions } from '../servers.js';

const run = promisify(execFile);

export interface CertificateWish {
  /** `20260101000000Z`; default: from now, for two days. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** Default: `/CN=127.0.0.1`. */
  readonly subject?: string;
  readonly selfSigned?: boolean;
  /** Signed by an intermediate CA, which the server sends along or not. */
  readonly intermediate?: 'sent' | 'forgotten';
}

export interface OpensslServer extends Server {
  /** Paths of PEM files: the root that signed, and the server's own certificate. */
  readonly ca: string;
  readonly cert: string;
}

/** One address. It answers every request with a page about the connection. */
export async function opensslServer(
  options: ServerOptions & {
    readonly certificate?: CertificateWish;
    readonly sni?: { readonly name: string; readonly subject: string };
  } = {},
): Promise<OpensslServer> {
  const folder = temporaryFolder();
  const [address = '127.0.0.1'] = addressesOf(options);
  const file = (name: string): string => join(folder.path, name);
  try {
    const { chain } = await makeChain(folder.path, options.certificate ?? {});
    const second = options.sni === undefined ? [] : await secondFor(folder.path, options.sni);
    const server = await serve(options, {
      transport: 'tcp',
      usualPort: 443,
      sockets: 1,
      prepare: (_folder, port) => {
        const words = ['-accept', `${bracketed(address)}:${port}`, '-cert', file('leaf.pem'), '-key', file('leaf.key')];
        return ['openssl', 's_server', ...words, ...chain, ...second, '-www', '-quiet', '-naccept', '1000'];
      },
    });
    const ended = server.ended.then(() => folder.remove());
    return {
      ...server,
      ca: file('root.pem'),
      cert: file('leaf.pem'),
      ended,
      stop: async () => {
        await server.stop();
        await ended;
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];

/** root.pem, leaf.pem and leaf.key, and the words by which the server sends an intermediate along. */
async function makeChain(folder: string, wish: CertificateWish): Promise<{ readonly chain: readonly string[] }> {
  const file = (name: string): string => join(folder, name);
  writeFileSync(
    file('openssl.cnf'),
    lines(
      '[req]',
      'distinguished_name = none',
      '[none]',
      '[ca]',
      'basicConstraints = critical, CA:true',
      'keyUsage = critical, keyCertSign, cRLSign',
      'subjectKeyIdentifier = hash',
      '[leaf]',
      'subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost',
    ),
  );
  const config = ['-config', file('openssl.cnf')];
  const make = (name: string, subject: string, section: string, signer: string | undefined): Promise<unknown> =>
    run('openssl', [
      ...['req', '-x509', ...config, ...KEY, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
      ...['-subj', subject, '-extensions', section, '-days', '3650'],
      ...(signer === undefined ? [] : ['-CA', file(`${signer}.pem`), '-CAkey', file(`${signer}.key`)]),
    ]);
  await make('root', '/CN=Old Root', 'ca', undefined);
  const between = wish.intermediate === undefined ? undefined : 'between';
  if (between !== undefined) await make(between, '/CN=Between', 'ca', 'root');
  const subject = wish.subject ?? '/CN=127.0.0.1';
  if (wish.notBefore === undefined || wish.notAfter === undefined) {
    await make('leaf', subject, 'leaf', wish.selfSigned === true ? undefined : (between ?? 'root'));
  } else {
    await signDated(folder, subject, wish.notBefore, wish.notAfter);
  }
  return { chain: wish.intermediate === 'sent' ? ['-cert_chain', file('between.pem')] : [] };
}

/** Of the commands of OpenSSL 3.0 only `ca` takes both dates. It wants a small database. */
async function signDated(folder: string, subject: string, from: string, to: string): Promise<void> {
  const file = (name: string): string => join(folder, name);
  const request = ['req', '-new', '-config', file('openssl.cnf'), ...KEY, '-subj', subject];
  await run('openssl', [...request, '-keyout', file('leaf.key'), '-out', file('leaf.csr')]);
  writeFileSync(file('index.txt'), '');
  writeFileSync(file('serial'), '1000\n');
  writeFileSync(
    file('ca.cnf'),
    lines(
      readFileSync(file('openssl.cnf'), 'latin1'),
      '[authority]',
      `database = ${file('index.txt')}`,
      `serial = ${file('serial')}`,
      `new_certs_dir = ${folder}`,
      'default_md = sha256',
      'policy = any',
      '[any]',
      'commonName = supplied',
    ),
  );
  const authority = ['ca', '-batch', '-config', file('ca.cnf'), '-name', 'authority', '-extensions', 'leaf'];
  const signer = ['-cert', file('root.pem'), '-keyfile', file('root.key'), '-in', file('leaf.csr')];
  await run('openssl', [
    ...authority,
    ...signer,
    '-out',
    file('leaf.pem'),
    '-notext',
    '-startdate',
    from,
    '-enddate',
    to,
  ]);
}

async function secondFor(
  folder: string,
  { name, subject }: { readonly name: string; readonly subject: string },
): Promise<readonly string[]> {
  const [cert, key] = [join(folder, 'second.pem'), join(folder, 'second.key')];
  const words = ['req', '-x509', '-config', join(folder, 'openssl.cnf'), ...KEY, '-keyout', key, '-out', cert];
  await run('openssl', [...words, '-subj', subject, '-extensions', 'leaf', '-days', '2']);
  return ['-servername', name, '-cert2', cert, '-key2', key];
}
