// vsftpd, letting nobody in. Its log comes along with its output.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import type { Certificates } from '../certificates.js';
import { addressesOf, lines, serve, withCertificates, type ServerOptions, type TlsServer } from '../servers.js';

/** `tls`: how, default none; `extra`: further lines for vsftpd.conf. */
export function vsftpd(
  options: ServerOptions & {
    readonly tls?: 'auth-tls' | 'ftps';
    readonly extra?: readonly string[];
    readonly certificates?: Certificates;
  } = {},
): Promise<TlsServer> {
  const addresses = addressesOf(options);
  const root = userInfo().uid === 0;
  return withCertificates(options, (certificates) =>
    serve(options, {
      transport: 'tcp',
      usualPort: 21,
      sockets: addresses.length,
      prepare: (folder, port) => {
        const log = join(folder, 'log');
        const empty = join(folder, 'empty');
        mkdirSync(empty);
        writeFileSync(log, '');
        // One process listens on one address.
        const configs = addresses.map((address, index) => {
          const config = join(folder, `vsftpd${index}.conf`);
          const listen = address.includes(':')
            ? ['listen=NO', 'listen_ipv6=YES', `listen_address6=${address}`]
            : ['listen=YES', `listen_address=${address}`];
          writeFileSync(
            config,
            lines(
              ...listen,
              `listen_port=${port}`,
              'background=NO',
              'anonymous_enable=NO',
              'local_enable=YES',
              'seccomp_sandbox=NO',
              `secure_chroot_dir=${empty}`,
              `run_as_launching_user=${root ? 'NO' : 'YES'}`,
              'xferlog_enable=YES',
              'log_ftp_protocol=YES',
              `vsftpd_log_file=${log}`,
              ...(options.tls === undefined
                ? []
                : [
                    'ssl_enable=YES',
                    `rsa_cert_file=${certificates.cert}`,
                    `rsa_private_key_file=${certificates.key}`,
                    'ssl_ciphers=HIGH',
                    `ca_certs_file=${certificates.ca}`,
                    `implicit_ssl=${options.tls === 'ftps' ? 'YES' : 'NO'}`,
                  ]),
              ...(options.extra ?? []),
            ),
          );
          return config;
        });
        const script = 'tail -f "$0" & for config; do vsftpd "$config" & done; wait';
        return ['sh', '-c', script, log, ...configs];
      },
    }),
  );
}
