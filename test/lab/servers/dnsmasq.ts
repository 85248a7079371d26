// dnsmasq as a DHCP server on one network of the lab: it answers broadcasts there, and offers after three seconds, since it
// pings the address first.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { Place } from '../place.js';
import { requireLab, requireServer } from '../requirements.js';
import { lines, serve, type Server } from '../servers.js';

/** The test needs dnsmasq, and the lab for it. */
export function requireDnsmasq(ctx: Pick<TestContext, 'skip'>): void {
  requireLab(ctx);
  requireServer(ctx, 'dnsmasq', 'dnsmasq-base');
}

export interface DhcpServer extends Server {
  /** What stands in its file of leases, without comments and heading. */
  leases(): readonly string[];
}

/**
 * `network`: the interface that it serves; `range`: what it may give, such as `10.1.0.100,10.1.0.150,255.255.255.0,1h`.
 * `extra`: further lines of its configuration.
 */
export async function dnsmasq(options: {
  readonly on: Place;
  readonly network: string;
  readonly range: string;
  readonly extra?: readonly string[];
}): Promise<DhcpServer> {
  let leaseFile = '';
  const server = await serve(options, {
    transport: 'udp',
    usualPort: 67,
    sockets: 1,
    prepare: (folder) => {
      const config = join(folder, 'dnsmasq.conf');
      leaseFile = join(folder, 'leases');
      writeFileSync(
        config,
        lines(
          'port=0',
          'log-dhcp',
          'log-facility=-',
          'user=root',
          'pid-file=',
          `dhcp-leasefile=${leaseFile}`,
          `interface=${options.network}`,
          `dhcp-range=${options.range}`,
          'dhcp-option=option:router,10.1.0.1',
          'dhcp-option=option:dns-server,192.0.2.53,192.0.2.54',
          'domain=lab.example',
          ...(options.extra ?? []),
        ),
      );
      return ['dnsmasq', '--keep-in-foreground', `--conf-file=${config}`];
    },
  });
  return { ...server, leases: () => linesOf(leaseFile) };
}

/** The lines of a file, none where it was never written. */
export function linesOf(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}
