// rsyslog, over UDP, TCP or TLS on one port. It writes what it takes to its output, a line each.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates } from '../certificates.js';
import {
  addressesOf,
  lines,
  serve,
  withCertificates,
  type Server,
  type ServerOptions,
  type TlsServer,
} from '../servers.js';

export interface RsyslogOptions extends ServerOptions {
  readonly transport: 'udp' | 'tcp';
}

/** Each message as `taken FACILITY SEVERITY HOST PROGRAM [TIME] TEXT`; the time as the message has it. */
export function rsyslogd(options: RsyslogOptions): Promise<Server> {
  return serveRsyslog(options, options.transport === 'udp' ? 'imudp' : 'imtcp', 514, {}, {});
}

/** The same over TLS. `requireClient`: a client certificate of the same CA. */
export function rsyslogdTls(
  options: ServerOptions & { readonly certificates?: Certificates; readonly requireClient?: boolean } = {},
): Promise<TlsServer> {
  return withCertificates(options, (certificates) =>
    serveRsyslog(
      { ...options, transport: 'tcp' },
      'imtcp',
      6514,
      {
        DefaultNetstreamDriver: 'ossl',
        DefaultNetstreamDriverCAFile: certificates.ca,
        DefaultNetstreamDriverCertFile: certificates.cert,
        DefaultNetstreamDriverKeyFile: certificates.key,
      },
      {
        'StreamDriver.Name': 'ossl',
        'StreamDriver.Mode': '1',
        'StreamDriver.AuthMode': options.requireClient === true ? 'x509/certvalid' : 'anon',
      },
    ),
  );
}

type Words = Readonly<Record<string, string>>;

function serveRsyslog(
  options: RsyslogOptions,
  input: string,
  usualPort: number,
  global: Words,
  driver: Words,
): Promise<Server> {
  const addresses = addressesOf(options);
  const quoted = (words: Words): string =>
    Object.entries(words)
      .map(([key, value]) => `${key}="${value}"`)
      .join(' ');
  return serve(options, {
    transport: options.transport,
    usualPort,
    sockets: addresses.length,
    prepare: (folder, port) => {
      const config = join(folder, 'rsyslog.conf');
      const fields =
        '%syslogfacility-text% %syslogseverity-text% %hostname% %programname% [%timereported:::date-rfc3339%]';
      writeFileSync(
        config,
        lines(
          `global(${quoted({ workDirectory: folder, 'net.enableDNS': 'off', ...global })})`,
          `module(load="${input}" ${quoted(driver)})`,
          `template(name="taken" type="string" string="taken ${fields}%msg:::sp-if-no-1st-sp%%msg%\\n")`,
          ...addresses.map((address) => `input(type="${input}" ${quoted({ address, port: String(port) })})`),
          'action(type="omfile" file="/dev/stdout" template="taken")',
        ),
      );
      // It opens /dev/stdout by its name, which works for a pipe and not for the socket that Node gives it. Its standard
      // error goes past cat: only so has it ended, its port free again, when all output has.
      return ['sh', '-c', 'rsyslogd "$@" | cat', 'sh', '-n', '-f', config, '-i', join(folder, 'rsyslogd.pid')];
    },
  });
}
