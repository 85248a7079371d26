// unbound, a resolver with one static zone of its own, lab.example, and no upstream: it asks nobody.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressesOf, lines, serve, type Server, type ServerOptions } from '../servers.js';

/** `records`: further lines such as `www.lab.example. 300 IN A 192.0.2.10`; `extra`: further lines for the server clause. */
export function unbound(
  options: ServerOptions & { readonly records?: readonly string[]; readonly extra?: readonly string[] } = {},
): Promise<Server> {
  const addresses = addressesOf(options);
  const records = [
    'lab.example. 300 IN SOA ns.lab.example. hostmaster.lab.example. 1 3600 900 86400 300',
    'www.lab.example. 300 IN A 192.0.2.10',
    'www.lab.example. 300 IN AAAA 2001:db8::10',
    'alias.lab.example. 300 IN CNAME www.lab.example.',
    'lab.example. 300 IN MX 10 mail.lab.example.',
    'lab.example. 300 IN NS ns.lab.example.',
    '_ldap._tcp.lab.example. 300 IN SRV 0 100 389 dc.lab.example.',
    'text.lab.example. 300 IN TXT "v=lab; one"',
    ...(options.records ?? []),
  ];
  return serve(options, {
    transport: 'udp',
    usualPort: 53,
    // unbound's default is one thread; what it opens besides, it opens to ask, and it never asks.
    sockets: addresses.length,
    prepare: (folder, port) => {
      const config = join(folder, 'unbound.conf');
      writeFileSync(
        config,
        lines(
          'server:',
          `directory: "${folder}"`,
          'chroot: ""',
          'username: ""',
          'pidfile: ""',
          'use-syslog: no',
          'logfile: ""',
          'module-config: "iterator"',
          'num-threads: 1',
          ...addresses.map((address) => `interface: ${address}@${port}`),
          'access-control: 0.0.0.0/0 allow',
          'access-control: ::0/0 allow',
          // What is not of its own zones is refused, so that nothing leaves this machine.
          'local-zone: "." refuse',
          'local-zone: "lab.example." static',
          ...records.map((record) => `local-data: '${record}'`),
          ...(options.extra ?? []),
          'remote-control:',
          'control-enable: no',
        ),
      );
      return ['unbound', '-d', '-d', '-p', '-c', config];
    },
  });
}
