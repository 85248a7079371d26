// Which proxy a site's `proxy:` means for a scheme and a host. Pure: the environment is given.
import { parseHost } from './address.js';
import { Problems, type Parsed } from './problem.js';

export interface Proxy {
  readonly host: string;
  readonly port: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type ProxyFor = (scheme: 'http' | 'https', host: string, port: number) => Proxy | undefined;

const EXPECTED = 'http://HOST:PORT';

/**
 * @param setting `environment` or `http://HOST:PORT`; undefined: no proxy, whatever the environment says
 * A name and password in a variable are not used: linecheck logs in nowhere without being told to.
 */
export function proxiesOf(setting: string | undefined, environment: Environment): Parsed<ProxyFor> {
  const problems = new Problems();
  const read = (text: string | undefined, whose: string): Proxy | undefined => {
    if (text === undefined || text === '') return undefined;
    const proxy = proxyOf(text);
    if (proxy === undefined) {
      // Not repeated: it may hold a password.
      problems.add(() => ({ what: `${whose} names no proxy that linecheck can use`, expected: EXPECTED }));
    }
    return proxy;
  };
  if (setting === undefined) return problems.finish(() => () => undefined);
  if (setting !== 'environment') {
    const proxy = read(setting, 'proxy');
    return problems.finish(() => () => proxy);
  }
  const variable = (...names: readonly string[]): Proxy | undefined => {
    const set = names.flatMap((name) => [name, name.toUpperCase()]).find((name) => (environment[name] ?? '') !== '');
    return set === undefined ? undefined : read(environment[set], set);
  };
  const proxies = { http: variable('http_proxy', 'all_proxy'), https: variable('https_proxy', 'all_proxy') };
  const spared = (environment['no_proxy'] ?? environment['NO_PROXY'] ?? '').split(/[\s,]+/).filter((one) => one !== '');
  return problems.finish(
    () => (scheme, host, port) => (spared.some((one) => spares(one, host, port)) ? undefined : proxies[scheme]),
  );
}

function proxyOf(text: string): Proxy | undefined {
  const found = /^(?:(http):\/\/)?(?:[^\s/?#@]*@)?(\[[^\]\s]+\]|[^\s/?#@:]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  if (found === null) return undefined;
  const [, , written = '', digits = '80'] = found;
  const host = parseHost(written.replace(/^\[|\]$/g, ''));
  const port = Number(digits);
  return host.ok && port >= 1 && port <= 65_535 ? { host: host.host, port } : undefined;
}

/** One entry of no_proxy: `*`, a host, a domain with or without a dot before it, each with a port or for all. */
function spares(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  const found = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(entry);
  const [, named = entry, only] = found ?? [];
  if (only !== undefined && Number(only) !== port) return false;
  const name = named.replace(/^\[|\]$/g, '').toLowerCase();
  const asked = host.toLowerCase().replace(/\.$/, '');
  const domain = name.replace(/^\./, '');
  if (asked === domain) return true;
  return parseHost(asked).ok && !/^[\d.]+$|:/.test(asked) && domain !== '' && asked.endsWith(`.${domain}`);
}
