// Certificates for the real servers of the tests, made by openssl and valid for two days. Nothing of them is secret.
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './place.js';

const run = promisify(execFile);

/** Paths of PEM files. `ca` has signed both others. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly clientCert: string;
  readonly clientKey: string;
  remove(): void;
}

/** A CA, a server certificate for these names and addresses (subject `CN=<the first>`), and a client certificate. */
export async function makeCertificates(names: readonly string[]): Promise<Certificates> {
  const folder = temporaryFolder();
  const file = (name: string): string => join(folder.path, name);
  const alternatives = names.map((name) => `${/^[\d.]+$|:/.test(name) ? 'IP' : 'DNS'}:${name}`);
  writeFileSync(
    file('openssl.cnf'),
    [
      '[req]',
      'distinguished_name = none',
      'prompt = no',
      '[none]',
      '[ca]',
      'basicConstraints = critical, CA:true',
      'keyUsage = critical, keyCertSign, cRLSign',
      'subjectKeyIdentifier = hash',
      '[server]',
      'basicConstraints = critical, CA:false',
      'extendedKeyUsage = serverAuth',
      `subjectAltName = ${alternatives.join(', ')}`,
      '[client]',
      'basicConstraints = critical, CA:false',
      'extendedKeyUsage = clientAuth',
      '',
    ].join('\n'),
  );
  const make = async (name: string, section: string, subject: string, signed: boolean): Promise<void> => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', file(`${name}.key`)];
    const signer = signed ? ['-CA', file('ca.pem'), '-CAkey', file('ca.key')] : [];
    const out = ['-subj', subject, '-extensions', section, '-days', '2', '-out', file(`${name}.pem`)];
    await run('openssl', ['req', '-x509', '-config', file('openssl.cnf'), ...key, ...signer, ...out]);
    // Readable to the programs that drop root's rights.
    chmodSync(file(`${name}.key`), 0o644);
  };
  try {
    await make('ca', 'ca', '/O=linecheck lab/CN=Lab CA', false);
    await Promise.all([
      make('server', 'server', `/O=linecheck lab/CN=${names[0] ?? 'localhost'}`, true),
      make('client', 'client', '/O=linecheck lab/CN=client', true),
    ]);
  } catch (error) {
    folder.remove();
    throw error;
  }
  return {
    ca: file('ca.pem'),
    cert: file('server.pem'),
    key: file('server.key'),
    clientCert: file('client.pem'),
    clientKey: file('client.key'),
    remove: () => folder.remove(),
  };
}
