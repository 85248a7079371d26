// Kea's DHCPv4 server with sockets of UDP alone: it answers what is sent to its own address, by relays and by clients that
// have an address, and hears no broadcast.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { Place } from '../place.js';
import { requireLab, requireServer } from '../requirements.js';
import { serve } from '../servers.js';
import { linesOf, type DhcpServer } from './dnsmasq.js';

/** The test needs Kea, and the lab for it. */
export function requireKea(ctx: Pick<TestContext, 'skip'>): void {
  requireLab(ctx);
  requireServer(ctx, 'kea-dhcp4', 'kea-dhcp4-server');
}

/** `network`: the interface that it listens on. It serves the tech's network of the lab. */
export async function kea(options: { readonly on: Place; readonly network: string }): Promise<DhcpServer> {
  let leaseFile = '';
  const server = await serve(options, {
    transport: 'udp',
    usualPort: 67,
    sockets: 1,
    prepare: (folder) => {
      const [config, run] = [join(folder, 'kea.json'), join(folder, 'run')];
      mkdirSync(run);
      leaseFile = join(folder, 'leases.csv');
      writeFileSync(
        config,
        JSON.stringify({
          Dhcp4: {
            'interfaces-config': { interfaces: [options.network], 'dhcp-socket-type': 'udp' },
            'lease-database': { type: 'memfile', persist: true, name: leaseFile, 'lfc-interval': 0 },
            'valid-lifetime': 3600,
            subnet4: [
              {
                subnet: '10.1.0.0/24',
                pools: [{ pool: '10.1.0.100 - 10.1.0.150' }],
                'option-data': [
                  { name: 'routers', data: '10.1.0.1' },
                  { name: 'domain-name-servers', data: '192.0.2.53' },
                ],
              },
            ],
            loggers: [{ name: 'kea-dhcp4', severity: 'DEBUG', debuglevel: 40, output_options: [{ output: 'stdout' }] }],
          },
        }),
      );
      const script = 'KEA_PIDFILE_DIR="$1" KEA_LOCKFILE_DIR="$1" exec kea-dhcp4 -c "$0"';
      return ['sh', '-c', script, config, run];
    },
  });
  // Its file has a heading.
  return { ...server, leases: () => linesOf(leaseFile).slice(1) };
}
