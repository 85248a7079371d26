// pptpd on port 1723, the only one that it can take, so in the lab only. It is offered no call; its log comes along with
// its output.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { Place } from '../place.js';
import { requireLab, requireServer } from '../requirements.js';
import { lines, serve, type Server } from '../servers.js';

/** The test needs pptpd, Python to take its log in, and the lab for them. */
export function requirePptpd(ctx: Pick<TestContext, 'skip'>): void {
  requireLab(ctx);
  requireServer(ctx, 'pptpd', 'pptpd');
  requireServer(ctx, 'python3', 'python3-minimal');
}

/** Prints what comes in on the datagram socket that it makes, a line each: syslog(3) has no other way to a program's output. */
const LOGGER = `import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(sys.argv[1])
print('logging', flush=True)
while True:
    print(log.recv(8192).rstrip(b'\\0').decode(), flush=True)
`;

/** pptpd knows IPv4 alone, and one address. `address`: which; default: that of server1. */
export function pptpd(options: { readonly on: Place; readonly address?: string }): Promise<Server> {
  const address = options.address ?? '10.3.0.11';
  return serve(
    { on: options.on, addresses: [address] },
    {
      transport: 'tcp',
      usualPort: 1723,
      sockets: 1,
      prepare: (folder) => {
        const [config, ppp, dev] = [join(folder, 'pptpd.conf'), join(folder, 'options'), join(folder, 'dev')];
        writeFileSync(ppp, '');
        writeFileSync(
          config,
          lines(`option ${ppp}`, `listen ${address}`, 'localip 192.0.2.1', 'remoteip 192.0.2.2-20', 'debug'),
        );
        writeFileSync(join(folder, 'logger.py'), LOGGER);
        mkdirSync(dev);
        // A /dev of its own, in this mount namespace, where there is a place for a log socket.
        const script = [
          'cd "$0"',
          'for each in null random urandom zero; do : >dev/$each; mount -n --bind /dev/$each dev/$each; done',
          'python3 logger.py dev/log &',
          'until [ -S dev/log ]; do sleep 0.01; done',
          'mount -n --rbind dev /dev',
          'exec pptpd --fg --conf pptpd.conf --pidfile pid',
        ].join('\n');
        return ['sh', '-c', script, folder];
      },
    },
  );
}
