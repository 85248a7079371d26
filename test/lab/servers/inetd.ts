// openbsd-inetd with its own echo service (RFC 862), over TCP and UDP on one port.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { requireServer, skipFor } from '../requirements.js';
import { addressesOf, bracketed, lines, serve, type Server, type ServerOptions } from '../servers.js';

/** The test needs inetd, and the rights to give it a list of services of its own. */
export function requireInetd(ctx: Pick<TestContext, 'skip'>): void {
  requireServer(ctx, 'inetd', 'openbsd-inetd');
  const root = process.getuid?.() === 0;
  skipFor(
    ctx,
    root ? undefined : 'inetd finds the port of its echo in /etc/services, which only root can cover: sudo npm test',
  );
}

export function inetd(options: ServerOptions = {}): Promise<Server> {
  const addresses = addressesOf(options);
  return serve(options, {
    transport: 'tcp',
    usualPort: 7,
    sockets: addresses.length,
    prepare: (folder, port) => {
      const [config, services] = [join(folder, 'inetd.conf'), join(folder, 'services')];
      // In this order: where the last of them listens, all do.
      const entries = (kind: string, protocol: string, wait: string): readonly string[] =>
        addresses.map((address) => {
          const family = address.includes(':') ? '6' : '';
          return `${bracketed(address)}:echo ${kind} ${protocol}${family} ${wait} root internal`;
        });
      writeFileSync(config, lines(...entries('dgram', 'udp', 'wait'), ...entries('stream', 'tcp', 'nowait')));
      writeFileSync(services, lines(`echo ${port}/tcp`, `echo ${port}/udp`));
      // An internal service has the port that its name has: in this mount namespace, another than 7.
      return ['sh', '-c', 'mount -n --bind "$0" /etc/services && exec inetd -i "$1"', services, config];
    },
  });
}
