// Prosody, serving the domain lab.example, in which nobody has an account.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates } from '../certificates.js';
import { addressesOf, lines, serve, withCertificates, type ServerOptions, type TlsServer } from '../servers.js';

export const DOMAIN = 'lab.example';

/**
 * `tls`: how, default none; `required`: STARTTLS before anything else. `requireClient`: a client certificate of the same CA;
 * `extra`: further lines of its configuration, before the domain's.
 */
export function prosody(
  options: ServerOptions & {
    readonly tls?: 'starttls' | 'required' | 'xmpps';
    readonly requireClient?: boolean;
    readonly extra?: readonly string[];
    readonly certificates?: Certificates;
  } = {},
): Promise<TlsServer> {
  const addresses = addressesOf(options);
  const implicit = options.tls === 'xmpps';
  return withCertificates(options, (certificates) =>
    serve(options, {
      transport: 'tcp',
      usualPort: implicit ? 5223 : 5222,
      sockets: addresses.length,
      prepare: (folder, port) => {
        const config = join(folder, 'prosody.cfg.lua');
        for (const each of ['data', 'certs']) mkdirSync(join(folder, each));
        const ports = (service: string, own: boolean): string => `${service} = { ${own ? String(port) : ''} }`;
        // Left alone, Prosody goes on after whatever is wrong with a client's certificate, and wants a server's of it.
        const verify =
          options.requireClient === true
            ? [
                'verify = { "peer", "fail_if_no_peer_cert" },',
                'verifyext = { lsec_continue = false, lsec_ignore_purpose = false },',
              ]
            : [];
        writeFileSync(
          config,
          lines(
            `data_path = "${folder}/data"`,
            `certificates = "${folder}/certs"`,
            'pidfile = "prosody.pid"',
            'run_as_root = true',
            'log = { { levels = { min = "debug" }, to = "console" } }',
            `modules_enabled = { "saslauth", "disco"${options.tls === undefined ? '' : ', "tls"'} }`,
            'modules_disabled = { "s2s", "offline" }',
            `interfaces = { ${addresses.map((address) => `"${address}"`).join(', ')} }`,
            ports('c2s_ports', !implicit),
            ports('c2s_direct_tls_ports', implicit),
            's2s_ports = {}',
            `c2s_require_encryption = ${String(options.tls === 'required')}`,
            'authentication = "internal_hashed"',
            ...(options.tls === undefined
              ? []
              : [
                  `ssl = { key = "${certificates.key}", certificate = "${certificates.cert}",`,
                  ...verify,
                  `cafile = "${certificates.ca}" }`,
                ]),
            ...(options.extra ?? []),
            `VirtualHost "${DOMAIN}"`,
          ),
        );
        return ['prosody', '-F', '--config', config];
      },
    }),
  );
}
