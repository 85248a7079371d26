// OpenLDAP's slapd with one small tree, dc=lab,dc=example, and one entry in it that may log in.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificates } from '../certificates.js';
import { withSystemPath } from '../place.js';
import {
  addressesOf,
  bracketed,
  lines,
  serve,
  withCertificates,
  type ServerOptions,
  type TlsServer,
} from '../servers.js';

const run = promisify(execFile);

export const BASE = 'dc=lab,dc=example';
export const READER = { dn: `cn=reader,${BASE}`, password: 'reader-password' } as const;

/**
 * `anonymous`: what may be done without a login: all (default), or nothing, not even an anonymous bind.
 * `tls`: how, default none; `verifyClient`: a client certificate is demanded; `extra`: further global lines of slapd.conf.
 */
export function slapd(
  options: ServerOptions & {
    readonly anonymous?: 'allowed' | 'refused';
    readonly tls?: 'starttls' | 'ldaps';
    readonly verifyClient?: boolean;
    readonly extra?: readonly string[];
    readonly certificates?: Certificates;
  } = {},
): Promise<TlsServer> {
  const addresses = addressesOf(options);
  const scheme = options.tls === 'ldaps' ? 'ldaps' : 'ldap';
  return withCertificates(options, (certificates) =>
    serve(options, {
      transport: 'tcp',
      usualPort: scheme === 'ldaps' ? 636 : 389,
      sockets: addresses.length,
      prepare: async (folder, port) => {
        const [config, tree, database] = [join(folder, 'slapd.conf'), join(folder, 'tree'), join(folder, 'database')];
        mkdirSync(database);
        writeFileSync(
          config,
          lines(
            'include /etc/ldap/schema/core.schema',
            'modulepath /usr/lib/ldap',
            'moduleload back_mdb',
            `pidfile ${folder}/slapd.pid`,
            ...(options.anonymous === 'refused' ? ['require authc', 'disallow bind_anon'] : []),
            ...(options.tls === undefined
              ? []
              : [
                  `TLSCACertificateFile ${certificates.ca}`,
                  `TLSCertificateFile ${certificates.cert}`,
                  `TLSCertificateKeyFile ${certificates.key}`,
                  ...(options.verifyClient === true ? ['TLSVerifyClient demand'] : []),
                ]),
            ...(options.extra ?? []),
            'database mdb',
            `suffix "${BASE}"`,
            `rootdn "cn=admin,${BASE}"`,
            `directory ${database}`,
          ),
        );
        writeFileSync(
          tree,
          lines(
            ...[`dn: ${BASE}`, 'objectClass: dcObject', 'objectClass: organization', 'dc: lab', 'o: Lab', ''],
            ...[`dn: ${READER.dn}`, 'objectClass: organizationalRole', 'objectClass: simpleSecurityObject'],
            ...['cn: reader', `userPassword: ${READER.password}`],
          ),
        );
        await run('slapadd', ['-f', config, '-l', tree], { env: withSystemPath() });
        const urls = addresses.map((address) => `${scheme}://${bracketed(address)}:${port}`);
        return ['slapd', '-f', config, '-h', urls.join(' '), '-d', 'stats'];
      },
    }),
  );
}
