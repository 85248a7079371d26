// Postfix with its queue in a folder of its own: it greets, and it has nowhere to deliver to.
import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import type { Certificates } from '../certificates.js';
import { requireServer, skipFor } from '../requirements.js';
import {
  addressesOf,
  bracketed,
  lines,
  serve,
  withCertificates,
  type ServerOptions,
  type TlsServer,
} from '../servers.js';

/** The test needs Postfix, whose master gives its rights away and so wants to begin with root's. */
export function requirePostfix(ctx: Pick<TestContext, 'skip'>): void {
  requireServer(ctx, 'postfix', 'postfix');
  skipFor(ctx, userInfo().uid === 0 ? undefined : "Postfix starts with root's rights only: sudo npm test");
}

export interface Postfix extends TlsServer {
  /** How many mails lie in its queue, in whatever state. */
  queued(): number;
}

/** `tls`: how, default none; `requireClient`: a client certificate of the same CA; `extra`: further lines for main.cf. */
export async function postfix(
  options: ServerOptions & {
    readonly tls?: 'starttls' | 'smtps';
    readonly requireClient?: boolean;
    readonly extra?: readonly string[];
    readonly certificates?: Certificates;
  } = {},
): Promise<Postfix> {
  const addresses = addressesOf(options);
  let queue = '';
  const server = await withCertificates(options, (certificates) =>
    serve(options, {
      transport: 'tcp',
      usualPort: 25,
      sockets: addresses.length,
      prepare: (folder, port) => {
        const [config, data] = [join(folder, 'etc'), join(folder, 'data')];
        queue = join(folder, 'queue');
        for (const each of [config, queue, data]) mkdirSync(each);
        chownSync(data, Number(execFileSync('id', ['-u', 'postfix'])), -1);
        writeFileSync(
          join(config, 'main.cf'),
          lines(
            'compatibility_level = 3.6',
            `queue_directory = ${queue}`,
            `data_directory = ${data}`,
            'maillog_file = /dev/stdout',
            'myhostname = mail.lab.example',
            'mydestination =',
            'inet_protocols = all',
            'smtp_dns_support_level = disabled',
            'smtpd_peername_lookup = no',
            'alias_maps =',
            'smtputf8_enable = no',
            ...(options.tls === undefined
              ? []
              : [
                  `smtpd_tls_cert_file = ${certificates.cert}`,
                  `smtpd_tls_key_file = ${certificates.key}`,
                  `smtpd_tls_CAfile = ${certificates.ca}`,
                  `smtpd_tls_security_level = ${options.requireClient === true ? 'encrypt' : 'may'}`,
                  ...(options.requireClient === true ? ['smtpd_tls_req_ccert = yes'] : []),
                  'smtpd_tls_loglevel = 1',
                ]),
            ...(options.extra ?? []),
          ),
        );
        const wrapper = options.tls === 'smtps' ? ' -o smtpd_tls_wrappermode=yes' : '';
        writeFileSync(
          join(config, 'master.cf'),
          lines(
            ...addresses.map((address) => `${bracketed(address)}:${port} inet n - n - - smtpd${wrapper}`),
            'postlog unix-dgram n - n - 1 postlogd',
            ...['anvil', 'tlsmgr'].map((name) => `${name} unix - - n - 1 ${name}`),
            ...['proxymap', 'showq', 'error'].map((name) => `${name} unix - - n - - ${name}`),
            'rewrite unix - - n - - trivial-rewrite',
            'cleanup unix n - n - 0 cleanup',
            'qmgr unix n - n 300 1 qmgr',
          ),
        );
        // Postfix opens /dev/stdout by its name, which works for a pipe: that of cat.
        return ['sh', '-c', 'postfix -c "$0" start-fg 2>&1 | cat', config];
      },
    }),
  );
  return {
    ...server,
    queued: () =>
      ['maildrop', 'incoming', 'active', 'deferred', 'hold', 'corrupt'].flatMap((name) =>
        readdirSync(join(queue, name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
      ).length,
  };
}
