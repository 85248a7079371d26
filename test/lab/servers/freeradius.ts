// FreeRADIUS with a configuration of its own: authentication on one port, accounting on the next.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressesOf, serve, type Server, type ServerOptions } from '../servers.js';

export interface RadiusServer extends Server {
  readonly accountingPort: number;
}

/** Whom it knows, beside nobody. `challenged` is asked for more, whatever the password. */
export const radiusUsers = { known: 'tester', password: 'correct horse 1', challenged: 'challenged' } as const;

export interface RadiusOptions extends ServerOptions {
  /** Of its one client. */
  readonly secret: string;
  /** That client's network; default: everyone, of both families. */
  readonly client?: string;
  /** Drop an Access-Request without one; default: yes. */
  readonly requireMessageAuthenticator?: boolean;
  /** Answer Status-Server; default: yes. */
  readonly statusServer?: boolean;
  /** Seal every answer with a Message-Authenticator; default: no, as this version does by itself. */
  readonly sealed?: boolean;
}

/** Its log has a line for each login, and one for each packet that it drops. */
export async function freeradius(options: RadiusOptions): Promise<RadiusServer> {
  const addresses = addressesOf(options);
  const server = await serve(options, {
    transport: 'udp',
    usualPort: 1812,
    sockets: addresses.length,
    prepare: (folder, port) => {
      writeFileSync(join(folder, 'radiusd.conf'), configuration(folder, port, addresses, options));
      return ['freeradius', '-f', '-l', 'stdout', '-d', folder, '-n', 'radiusd'];
    },
  });
  return { ...server, accountingPort: server.port + 1 };
}

/** It puts the right value in when it signs. */
const SEAL = `update reply {
      &Message-Authenticator := 0x00
    }`;

const yesOrNo = (yes: boolean | undefined): string => (yes === false ? 'no' : 'yes');

function configuration(folder: string, port: number, addresses: readonly string[], options: RadiusOptions): string {
  const seal = options.sealed === true ? SEAL : '';
  const clients = options.client === undefined ? ['0.0.0.0/0', '::/0'] : [options.client];
  return `
logdir = ${folder}
run_dir = ${folder}
libdir = /usr/lib/freeradius
max_requests = 1024
log {
  destination = stdout
  auth = yes
}
security {
  reject_delay = 0
  status_server = ${yesOrNo(options.statusServer)}
}
thread pool {
  start_servers = 1
  max_servers = 2
  min_spare_servers = 1
  max_spare_servers = 2
}
${clients.map((network, index) => client(`lab${index}`, network, options)).join('\n')}
modules {
  pap {
  }
  chap {
  }
  always handled {
    rcode = handled
  }
  always ok {
    rcode = ok
  }
}
server lab {
  ${/* In this order: where the authentication port listens, the other does. */ ''}
  ${addresses.map((address) => listener('acct', address, port + 1)).join('\n')}
  ${addresses.map((address) => listener('auth', address, port)).join('\n')}
  authorize {
    ${seal}
    Autz-Type Status-Server {
      ${seal}
      ok
    }
    if (&User-Name == "${radiusUsers.known}") {
      update control {
        &Cleartext-Password := "${radiusUsers.password}"
      }
    }
    if (&User-Name == "${radiusUsers.challenged}") {
      update control {
        &Response-Packet-Type := Access-Challenge
      }
      update reply {
        &Reply-Message := "Enter the code of your token"
        &State := 0x01020304
      }
      handled
    }
    chap
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type CHAP {
      chap
    }
  }
  accounting {
    ok
  }
}
`;
}

function client(name: string, network: string, options: RadiusOptions): string {
  return `client ${name} {
  ipaddr = ${network}
  secret = "${options.secret}"
  require_message_authenticator = ${yesOrNo(options.requireMessageAuthenticator)}
}`;
}

function listener(type: 'auth' | 'acct', address: string, port: number): string {
  return `  listen {
    type = ${type}
    ${address.includes(':') ? 'ipv6addr' : 'ipaddr'} = ${address}
    port = ${port}
  }`;
}
