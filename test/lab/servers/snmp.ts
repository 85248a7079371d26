// net-snmp's agent and its receiver of notifications, each with a configuration and a state of its own.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressesOf, bracketed, lines, serve, type Recipe, type Server, type ServerOptions } from '../servers.js';

/** `SHA-256` and `AES` are net-snmp's own words for them. */
export interface SnmpUser {
  readonly name: string;
  readonly auth?: { readonly how: string; readonly password: string };
  readonly priv?: { readonly how: string; readonly password: string };
}

export interface SnmpOptions extends ServerOptions {
  /** Default: none. */
  readonly communities?: readonly string[];
  readonly users?: readonly SnmpUser[];
  /** Further lines of configuration. */
  readonly extra?: readonly string[];
}

const created = ({ name, auth, priv }: SnmpUser): string =>
  [
    'createUser',
    name,
    ...(auth === undefined ? [] : [auth.how, `"${auth.password}"`]),
    ...(priv === undefined ? [] : [priv.how, `"${priv.password}"`]),
  ].join(' ');

const levelOf = ({ auth, priv }: SnmpUser): string =>
  priv !== undefined ? 'priv' : auth !== undefined ? 'auth' : 'noauth';

const transports = (options: ServerOptions, port: number): readonly string[] =>
  addressesOf(options).map((address) => `${address.includes(':') ? 'udp6' : 'udp'}:${bracketed(address)}:${port}`);

function recipe(
  options: SnmpOptions,
  usualPort: number,
  written: (port: number) => readonly string[],
  argv: (config: string, port: number) => readonly string[],
): Recipe {
  return {
    transport: 'udp',
    usualPort,
    sockets: addressesOf(options).length,
    prepare: (folder, port) => {
      const [config, state] = [join(folder, 'snmp.conf'), join(folder, 'state')];
      mkdirSync(state);
      chmodSync(state, 0o777);
      const users = (options.users ?? []).map(created);
      writeFileSync(config, lines(...users, ...written(port), ...(options.extra ?? [])));
      // Neither reads nor writes a configuration of this machine's: SNMPCONFPATH, and SNMP_PERSISTENT_DIR for its state.
      const env = ['env', `SNMPCONFPATH=${folder}`, `SNMP_PERSISTENT_DIR=${state}`, 'MIBS='];
      return [...env, ...argv(config, port)];
    },
  };
}

/** snmpd. Each community and user may read everything, nobody may write. */
export function snmpd(options: SnmpOptions = {}): Promise<Server> {
  return serve(
    options,
    recipe(
      options,
      161,
      () => [
        ...(options.communities ?? []).flatMap((name) => [`rocommunity ${name}`, `rocommunity6 ${name}`]),
        ...(options.users ?? []).map((user) => `rouser ${user.name} ${levelOf(user)}`),
      ],
      (config, port) => ['snmpd', '-f', '-Lo', '-C', '-c', config, ...transports(options, port)],
    ),
  );
}

/** snmptrapd. It writes what it takes to its output, numeric and a line each. */
export function snmptrapd(options: SnmpOptions = {}): Promise<Server> {
  return serve(
    options,
    recipe(
      options,
      162,
      () => [
        ...(options.communities ?? []).map((name) => `authCommunity log ${name}`),
        ...(options.users ?? []).map((user) => `authUser log ${user.name} ${levelOf(user)}`),
      ],
      (config, port) => ['snmptrapd', '-f', '-n', '-On', '-Lo', '-C', '-c', config, ...transports(options, port)],
    ),
  );
}

/** An agent of another make, see snmp-agent.js. Its sysUpTime is 123.45 s. */
export function scriptedAgent(user: { name: string; authPassword: string; privPassword: string }): Promise<Server> {
  const script = join(import.meta.dirname, '..', 'snmp-agent.js');
  return serve(
    {},
    {
      transport: 'udp',
      usualPort: 161,
      sockets: 1,
      prepare: (_, port) => [
        process.execPath,
        script,
        '127.0.0.1',
        String(port),
        user.name,
        user.authPassword,
        user.privPassword,
      ],
    },
  );
}
