// charon, strongSwan's key exchange daemon, answering IKEv1 and IKEv2 as its connections say. It installs no tunnel, and
// would change routes and IPsec policies of where it runs: in the lab only.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { requireLab, requireServer, skipFor } from '../requirements.js';
import { lines, serve, type Server, type ServerOptions } from '../servers.js';
import type { Place } from '../place.js';
import { existsSync } from 'node:fs';

const CHARON = '/usr/lib/ipsec/charon';

/** The test needs charon and swanctl, and the lab for them. */
export function requireCharon(ctx: Pick<TestContext, 'skip'>): void {
  requireLab(ctx);
  requireServer(ctx, 'swanctl', 'strongswan-swanctl');
  const missing = `${CHARON} is not installed: npm run lab:install (or apt-get install strongswan-charon)`;
  skipFor(ctx, existsSync(CHARON) ? undefined : missing);
}

/** Any peer may begin with either version; none gets further: there is no key for it. */
const ANY_PEER = `connections {
  any {
    version = 0
    remote_addrs = %any
    proposals = aes256gcm16-prfsha256-ecp256,aes256-sha256-modp2048,aes128-sha1-modp1024
    local { auth = psk
      id = gateway.lab.example }
    remote { auth = psk }
  }
}`;

/**
 * `connections`: the text of swanctl.conf, by default a connection for any peer; empty: none at all. `settings`: further
 * lines for the section charon of strongswan.conf.
 */
export async function charon(
  options: ServerOptions & {
    readonly on: Place;
    readonly connections?: string;
    readonly settings?: readonly string[];
  },
): Promise<Server> {
  const server = await serve(options, {
    transport: 'udp',
    usualPort: 500,
    // One for each family.
    sockets: 2,
    prepare: (folder) => {
      const [settings, connections] = [join(folder, 'strongswan.conf'), join(folder, 'swanctl.conf')];
      const socket = `unix://${folder}/vici`;
      writeFileSync(connections, `${options.connections ?? ANY_PEER}\n`);
      writeFileSync(
        settings,
        lines(
          'charon {',
          'install_routes = no',
          'install_virtual_ip = no',
          `plugins { include /etc/strongswan.d/charon/*.conf`,
          'bypass-lan { load = no }',
          'stroke { load = no }',
          `vici { socket = ${socket} }`,
          '}',
          'filelog { stdout { path = /dev/stdout',
          'default = 1',
          'ike = 2',
          'flush_line = yes } }',
          ...(options.settings ?? []),
          '}',
        ),
      );
      const script = [
        'STRONGSWAN_CONF="$1" "$0" & gateway=$!',
        'until swanctl --stats --uri "$3" >/dev/null 2>&1; do kill -0 "$gateway" || exit 1; sleep 0.05; done',
        'swanctl --load-all --noprompt --uri "$3" --file "$2" && echo connections loaded',
        'wait "$gateway"',
      ].join('\n');
      // charon opens /dev/stdout by its name: that works for a pipe.
      return ['sh', '-c', `{ ${script}\n} 2>&1 | cat`, CHARON, settings, connections, socket];
    },
  });
  for (let tries = 0; !server.logs().includes('connections loaded'); tries += 1) {
    if (tries === 1000) {
      await server.stop();
      throw new Error(`charon did not load its connections:\n${server.logs()}`);
    }
    await delay(10);
  }
  return server;
}
