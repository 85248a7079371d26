// MariaDB with databases of its own, in Aria alone so that it starts at once, and how to ask it from beside the network.
import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificates } from '../certificates.js';
import { temporaryFolder, withSystemPath } from '../place.js';
import { addressesOf, lines, serve, withCertificates, type ServerOptions, type TlsServer } from '../servers.js';

const run = promisify(execFile);

export interface Mariadb extends TlsServer {
  /** Statements as its administrator, over its Unix socket: no TCP connection, none of the counts grows. A row is a line. */
  sql(statements: string): Promise<string>;
}

const ARIA = ['--skip-innodb', '--default-storage-engine=Aria', '--skip-log-bin'];
/** As root it runs as root: the folders of the tests are root's. */
const asUser = (): readonly string[] => [`--user=${userInfo().username}`];

/** The databases of a fresh server take a second to make, and no time to copy. */
let fresh: Promise<string> | undefined;
async function makeFresh(): Promise<string> {
  const path = join(temporaryFolder().path, 'databases');
  const words = ['--no-defaults', `--datadir=${path}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await run('mariadb-install-db', [...words, ...asUser(), ...ARIA], { env: withSystemPath() });
  return path;
}

/**
 * Its administrator apart nobody can log in. `users`: statements before it listens. `names`: lines of its /etc/hosts, which
 * takes root; `tls`: default no; `extra`: further lines of its configuration.
 */
export async function mariadb(
  options: ServerOptions & {
    readonly users?: readonly string[];
    readonly names?: readonly string[];
    readonly tls?: boolean;
    readonly extra?: readonly string[];
    readonly certificates?: Certificates;
  } = {},
): Promise<Mariadb> {
  const addresses = addressesOf(options);
  const { names, tls = false, users = [], extra = [] } = options;
  fresh ??= makeFresh();
  const databases = await fresh;
  let socket = '';
  const server = await withCertificates(options, (certificates) =>
    serve(options, {
      transport: 'tcp',
      usualPort: 3306,
      sockets: addresses.length,
      prepare: (folder, port) => {
        const [config, hosts, first] = [join(folder, 'my.cnf'), join(folder, 'hosts'), join(folder, 'first.sql')];
        socket = join(folder, 'socket');
        cpSync(databases, join(folder, 'databases'), { recursive: true });
        writeFileSync(hosts, lines('127.0.0.1 localhost', ...(names ?? [])));
        writeFileSync(first, lines(...users.map((statement) => `${statement};`)));
        writeFileSync(
          config,
          lines(
            '[mariadbd]',
            `datadir = ${folder}/databases`,
            `tmpdir = ${folder}`,
            `socket = ${socket}`,
            `pid-file = ${folder}/pid`,
            `init-file = ${first}`,
            `bind-address = ${addresses.join(',')}`,
            `port = ${port}`,
            'performance-schema = ON',
            // Of what clients did, everything is told.
            'log-warnings = 9',
            ...(tls
              ? [`ssl-ca = ${certificates.ca}`, `ssl-cert = ${certificates.cert}`, `ssl-key = ${certificates.key}`]
              : []),
            ...extra,
          ),
        );
        const start = [`--defaults-file=${config}`, ...asUser(), ...ARIA];
        return names === undefined
          ? ['mariadbd', ...start]
          : ['sh', '-c', 'mount -n --bind "$0" /etc/hosts && exec mariadbd "$@"', hosts, ...start];
      },
    }),
  );
  return {
    ...server,
    sql: async (statements) => {
      const words = [
        '--no-defaults',
        `--socket=${socket}`,
        '--user=root',
        '--skip-column-names',
        '--execute',
        statements,
      ];
      const { stdout } = await run('mariadb', words, { env: withSystemPath(), timeout: 10_000 });
      return stdout.trim();
    },
  };
}
