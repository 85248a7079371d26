// Which proxy a site's word means for a scheme and a host.
import { describe, expect, it } from 'vitest';
import { proxiesOf, type Environment } from '../../src/plan/proxy.js';

const answers = (setting: string | undefined, environment: Environment = {}) => {
  const found = proxiesOf(setting, environment);
  if (!found.ok) throw new Error(found.problems.map(({ what }) => what).join('; '));
  return found.value;
};

it('is none where the site names none, whatever the environment says', () => {
  const environment = { http_proxy: 'http://192.0.2.1:3128', ALL_PROXY: 'nonsense' };
  expect(answers(undefined, environment)('http', 'www.example.net', 80)).toBeUndefined();
});

it.each([
  ['http://192.0.2.1:3128', { host: '192.0.2.1', port: 3128 }],
  ['http://proxy.example.net', { host: 'proxy.example.net', port: 80 }],
  ['http://[2001:DB8::1]:8080/', { host: '2001:db8::1', port: 8080 }],
])('is the one that the site writes, for every scheme and host: %s', (setting, proxy) => {
  const proxyFor = answers(setting, { no_proxy: '*' });
  expect(proxyFor('http', 'www.example.net', 80)).toEqual(proxy);
  expect(proxyFor('https', '198.51.100.1', 443)).toEqual(proxy);
});

describe('of the environment', () => {
  const environment: Environment = {
    http_proxy: 'proxy.example.net:3128',
    HTTPS_PROXY: 'http://user:secret@192.0.2.1:8080/',
    no_proxy: 'localhost, .lab.example other.example:8443,[2001:db8::1] 198.51.100.1',
  };
  const proxyFor = answers('environment', environment);

  it('is that of the scheme, without its password', () => {
    expect(proxyFor('http', 'www.example.net', 80)).toEqual({ host: 'proxy.example.net', port: 3128 });
    expect(proxyFor('https', 'www.example.net', 443)).toEqual({ host: '192.0.2.1', port: 8080 });
  });

  it.each<readonly [string, number, boolean]>([
    ['localhost', 80, true],
    ['www.lab.example', 80, true],
    ['WWW.LAB.EXAMPLE.', 80, true],
    ['lab.example', 80, true],
    ['notlab.example', 80, false],
    ['other.example', 8443, true],
    ['www.other.example', 8443, true],
    ['other.example', 443, false],
    ['2001:db8::1', 80, true],
    ['198.51.100.1', 443, true],
    ['198.51.100.10', 443, false],
  ])('spares %s port %i: %s', (host, port, spared) => {
    expect(proxyFor('http', host, port) === undefined).toBe(spared);
  });

  it('is none where nothing is set, or everything is spared', () => {
    expect(answers('environment')('https', 'www.example.net', 443)).toBeUndefined();
    expect(answers('environment', { http_proxy: '' })('http', 'www.example.net', 80)).toBeUndefined();
    const all = answers('environment', { https_proxy: '192.0.2.1:1', NO_PROXY: '*' });
    expect(all('https', 'www.example.net', 443)).toBeUndefined();
  });

  it('falls back to the one for all schemes, and lower case goes first', () => {
    const some = answers('environment', {
      all_proxy: '192.0.2.1:1',
      HTTP_PROXY: '192.0.2.2:2',
      http_proxy: '192.0.2.3:3',
    });
    expect(some('https', 'www.example.net', 443)).toEqual({ host: '192.0.2.1', port: 1 });
    expect(some('http', 'www.example.net', 80)).toEqual({ host: '192.0.2.3', port: 3 });
  });

  it.each([
    'socks5://user:secret@192.0.2.1:1080',
    'https://192.0.2.1:3128',
    'http://192.0.2.1:99999',
    'http://:3128',
    '127.1:80',
    'a b',
  ])('that cannot be used is told by its variable alone: %s', (value) => {
    expect(proxiesOf('environment', { https_proxy: value })).toEqual({
      ok: false,
      problems: [{ what: 'https_proxy names no proxy that linecheck can use', expected: 'http://HOST:PORT' }],
    });
  });
});
