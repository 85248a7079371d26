// Real servers as functions: sshd, nginx, chronyd, stunnel, each with a configuration of its own in a temporary folder.
// They run on loopback, as root or not, or on a host of the lab. Further ones stand in servers/. Whether they are
// installed: requireServer in requirements.ts.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificates, type Certificates } from './certificates.js';
import { listening, loopback, temporaryFolder, type Place, type Running, type Transport } from './place.js';

const run = promisify(execFile);

export interface Server {
  readonly addresses: readonly string[];
  readonly port: number;
  /** What the server wrote to standard output and standard error so far. */
  readonly logs: () => string;
  /** Resolves when the server has ended, for whatever reason, and its files are gone. */
  readonly ended: Promise<void>;
  /** Ends the server and removes its files. Safe to call again; the end of its lab does the same. */
  readonly stop: () => Promise<void>;
}

export interface ServerOptions {
  /** Default: loopback. */
  readonly on?: Place;
  /** Default: 127.0.0.1. Give `::1` as well, or alone. */
  readonly addresses?: readonly string[];
  /** Default: on loopback a free port, in the lab the protocol's own. */
  readonly port?: number;
}

export interface TlsServer extends Server {
  readonly certificates: Certificates;
}

export interface Recipe {
  readonly transport: Transport;
  readonly usualPort: number;
  /** How many sockets it opens on its port when it is ready. */
  readonly sockets: number;
  /** Writes what the server needs into `folder` and says how to start it. */
  prepare(folder: string, port: number): Promise<readonly string[]> | readonly string[];
}

/** Another program may take a port that was free a moment ago: then another port is tried. */
const PORT_TRIES = 5;

/** What every server of the tests is made with. */
export async function serve(options: ServerOptions, recipe: Recipe): Promise<Server> {
  const place = options.on ?? loopback;
  const addresses = addressesOf(options);
  for (let tries = 1; ; tries += 1) {
    const port =
      options.port ?? (await place.choosePort(recipe.transport, addresses[0] ?? '127.0.0.1', recipe.usualPort));
    const folder = temporaryFolder();
    let running: Running | undefined;
    try {
      running = place.start(await recipe.prepare(folder.path, port));
      const ended = running.ended.then(() => folder.remove());
      await listening(running, recipe.transport, port, recipe.sockets);
      const { logs, stop } = running;
      return {
        addresses,
        port,
        logs,
        ended,
        stop: async () => {
          await stop();
          await ended;
        },
      };
    } catch (error) {
      await running?.stop();
      folder.remove();
      const taken = /address already in use|could not bind|cannot bind/i.test(running?.logs() ?? '');
      if (!taken || options.port !== undefined || tries === PORT_TRIES) throw error;
    }
  }
}

export const addressesOf = (options: ServerOptions): readonly string[] => options.addresses ?? ['127.0.0.1'];
export const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);
export const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;

/** OpenSSH's sshd. Nobody can log in. `extra`: further lines for sshd_config. */
export function sshd(options: ServerOptions & { readonly extra?: readonly string[] } = {}): Promise<Server> {
  const addresses = addressesOf(options);
  return serve(options, {
    transport: 'tcp',
    usualPort: 22,
    sockets: addresses.length,
    prepare: async (folder, port) => {
      const keys = ['ed25519', 'ecdsa'].map((type) => ({ type, path: join(folder, type) }));
      await Promise.all(
        keys.map(({ type, path }) => run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', path])),
      );
      const config = join(folder, 'sshd_config');
      writeFileSync(
        config,
        lines(
          ...addresses.map((address) => `ListenAddress ${bracketed(address)}:${port}`),
          ...keys.map(({ path }) => `HostKey ${path}`),
          'PidFile none',
          'UsePAM no',
          'PasswordAuthentication no',
          'MaxStartups 200',
          'LogLevel VERBOSE',
          ...(options.extra ?? []),
        ),
      );
      // sshd as root wants its empty directory for privilege separation; /run is a fresh one there.
      return ['sh', '-c', '[ "$(id -u)" != 0 ] || mkdir -p /run/sshd; exec "$(command -v sshd)" -D -e -f "$0"', config];
    },
  });
}

/**
 * nginx, one plain port, answering every path with 200 and `linecheck lab`.
 * `directives`: lines for the server block instead of that.
 */
export function nginx(options: ServerOptions & { readonly directives?: readonly string[] } = {}): Promise<Server> {
  return serveNginx(options, 80, '', []);
}

/** nginx with TLS. `protocols`: `TLSv1.2 TLSv1.3`; `requireClient`: a client certificate of the same CA. */
export async function nginxTls(
  options: ServerOptions & {
    readonly directives?: readonly string[];
    readonly certificates?: Certificates;
    readonly protocols?: string;
    readonly requireClient?: boolean;
  } = {},
): Promise<TlsServer> {
  return withCertificates(options, (certificates) =>
    serveNginx(options, 443, ' ssl http2', [
      `ssl_certificate ${certificates.cert};`,
      `ssl_certificate_key ${certificates.key};`,
      `ssl_protocols ${options.protocols ?? 'TLSv1.2 TLSv1.3'};`,
      ...(options.requireClient === true
        ? [`ssl_client_certificate ${certificates.ca};`, 'ssl_verify_client on;']
        : []),
    ]),
  );
}

function serveNginx(
  options: ServerOptions & { readonly directives?: readonly string[] },
  usualPort: number,
  listenWords: string,
  tls: readonly string[],
): Promise<Server> {
  const addresses = addressesOf(options);
  const directives = options.directives ?? ['location / { default_type text/plain; return 200 "linecheck lab\\n"; }'];
  return serve(options, {
    transport: 'tcp',
    usualPort,
    sockets: addresses.length,
    prepare: (folder, port) => {
      mkdirSync(join(folder, 'html'));
      const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const config = join(folder, 'nginx.conf');
      writeFileSync(
        config,
        lines(
          'daemon off;',
          'worker_processes 1;',
          ...(process.getuid?.() === 0 ? ['user root;'] : []),
          `pid ${folder}/nginx.pid;`,
          'error_log stderr info;',
          'events { worker_connections 512; }',
          'http {',
          'access_log /dev/stdout;',
          ...bodies.map((name) => `${name}_temp_path ${folder}/${name};`),
          'server {',
          ...addresses.map((address) => `listen ${bracketed(address)}:${port}${listenWords};`),
          'server_name lab;',
          `root ${folder}/html;`,
          ...tls,
          ...directives,
          '}',
          '}',
        ),
      );
      // nginx opens /dev/stdout by its name: that works for a pipe, which cat gives it, not for the socket that Node does.
      return ['sh', '-c', 'nginx "$@" 2>&1 | cat', 'sh', '-p', folder, '-e', 'stderr', '-c', config];
    },
  });
}

/**
 * chrony's NTP server, without touching the clock. It takes at most one address of each family.
 * `stratum`: what it claims as its own clock; 'unsynchronised' makes it answer leap 3, stratum 0.
 */
export function chronyd(
  options: ServerOptions & { readonly stratum?: number | 'unsynchronised'; readonly extra?: readonly string[] } = {},
): Promise<Server> {
  const addresses = addressesOf(options);
  const families = new Set(addresses.map((address) => (address.includes(':') ? '-6' : '-4')));
  const stratum = options.stratum ?? 10;
  return serve(options, {
    transport: 'udp',
    usualPort: 123,
    sockets: addresses.length,
    prepare: (folder, port) => {
      const config = join(folder, 'chrony.conf');
      writeFileSync(
        config,
        lines(
          `port ${port}`,
          'cmdport 0',
          'bindcmdaddress /',
          `pidfile ${folder}/chronyd.pid`,
          'allow',
          ...addresses.map((address) => `bindaddress ${address}`),
          ...(stratum === 'unsynchronised' ? [] : [`local stratum ${stratum}`]),
          ...(options.extra ?? []),
        ),
      );
      const family = families.size === 1 ? [...families] : [];
      return ['chronyd', '-x', '-d', '-U', '-u', userInfo().username, ...family, '-f', config];
    },
  });
}

/** stunnel: TLS around an echo of what the client sends. `requireClient` (default): a client certificate of the same CA. */
export async function stunnel(
  options: ServerOptions & {
    readonly certificates?: Certificates;
    readonly requireClient?: boolean;
    readonly versions?: { readonly min: string; readonly max: string };
  } = {},
): Promise<TlsServer> {
  const addresses = addressesOf(options);
  return withCertificates(options, (certificates) =>
    serve(options, {
      transport: 'tcp',
      usualPort: 8305,
      sockets: addresses.length,
      prepare: (folder, port) => {
        const config = join(folder, 'stunnel.conf');
        const services = addresses.flatMap((address, index) => [
          `[echo${index}]`,
          `accept = ${address}:${port}`,
          'exec = /bin/cat',
          'execArgs = cat',
          `cert = ${certificates.cert}`,
          `key = ${certificates.key}`,
          `CAfile = ${certificates.ca}`,
          ...(options.requireClient === false ? [] : ['verifyChain = yes']),
          `sslVersionMin = ${options.versions?.min ?? 'TLSv1.2'}`,
          `sslVersionMax = ${options.versions?.max ?? 'TLSv1.3'}`,
        ]);
        writeFileSync(config, lines('foreground = yes', 'pid =', 'syslog = no', 'debug = info', ...services));
        return ['stunnel4', config];
      },
    }),
  );
}

/** Certificates that the server makes for itself go when it stops; those that its caller gave stay. */
export async function withCertificates(
  options: ServerOptions & { readonly certificates?: Certificates },
  begin: (certificates: Certificates) => Promise<Server>,
): Promise<TlsServer> {
  const certificates =
    options.certificates ?? (await makeCertificates([...addressesOf(options), 'localhost', 'lab.example']));
  const removeOwn = (): void => {
    if (options.certificates === undefined) certificates.remove();
  };
  try {
    const server = await begin(certificates);
    const ended = server.ended.then(removeOwn);
    return {
      ...server,
      certificates,
      ended,
      stop: async () => {
        await server.stop();
        await ended;
      },
    };
  } catch (error) {
    removeOwn();
    throw error;
  }
}
