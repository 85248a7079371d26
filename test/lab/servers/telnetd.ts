// GNU inetutils' telnetd, started by openbsd-inetd for each connection. Behind it stands no login, but a prompt for one.
import { chmodSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { requireServer } from '../requirements.js';
import { addressesOf, bracketed, lines, serve, type Server, type ServerOptions } from '../servers.js';

/** The test needs inetd, and telnetd for it to start. */
export function requireTelnetd(ctx: Pick<TestContext, 'skip'>): void {
  requireServer(ctx, 'inetd', 'openbsd-inetd');
  requireServer(ctx, 'telnetd', 'inetutils-telnetd');
}

/**
 * What is typed at its prompt turns up in its log. `command`: a program of another make in telnetd's place, which speaks on
 * standard input and output; `names`: lines of its /etc/hosts, which takes root: telnetd looks for the client's name and its
 * own before it greets, and where the resolver is unreachable that takes 5 s.
 */
export function telnetd(
  options: ServerOptions & { readonly command?: string; readonly names?: readonly string[] } = {},
): Promise<Server> {
  const addresses = addressesOf(options);
  const { names } = options;
  return serve(options, {
    transport: 'tcp',
    usualPort: 23,
    sockets: addresses.length,
    prepare: (folder, port) => {
      const [config, login, log] = [join(folder, 'inetd.conf'), join(folder, 'login'), join(folder, 'log')];
      writeFileSync(log, '');
      writeFileSync(
        login,
        lines(
          '#!/bin/sh',
          'printf "lab.example login: "',
          `while read -r typed; do echo "typed: $typed" >>${log}; done`,
        ),
      );
      chmodSync(login, 0o755);
      const program = options.command ?? `/usr/sbin/telnetd telnetd -E ${login}`;
      writeFileSync(
        config,
        lines(
          ...addresses.map((address) => {
            const family = address.includes(':') ? '6' : '';
            return `${bracketed(address)}:${port} stream tcp${family} nowait ${userInfo().username} ${program}`;
          }),
        ),
      );
      const hosts = join(folder, 'hosts');
      writeFileSync(hosts, lines(`127.0.0.1 localhost ${hostname()}`, ...(names ?? [])));
      const cover = names === undefined ? '' : 'mount -n --bind "$2" /etc/hosts && ';
      return ['sh', '-c', `${cover}{ tail -f "$0" & exec inetd -i "$1"; }`, log, config, hosts];
    },
  });
}
