// What a site may say, and each mistake in one at its place.
import { describe, expect, it } from 'vitest';
import { parseSite } from '../../src/plan/site.js';
import { linesOf, siteOf, warningsOf } from './fakes.js';

/** `text` begins in line 2. */
const parse = (text: string): ReturnType<typeof parseSite> =>
  parseSite({ file: 's.yaml', text: `linecheck: site/v1\n${text}\n` });
const problems = (text: string): readonly string[] => linesOf(parse(text));

describe('a mistake in a site', () => {
  it.each([
    ['an unknown key', 'hots: {}', 's.yaml:2:1: unknown key "hots"; did you mean "hosts"?'],
    ['a wrong type', 'login: maybe', 's.yaml:2:8: login is "maybe", expected true or false'],
    ['a name that YAML reads as a number', 'name: 12', 's.yaml:2:7: name is 12, expected text'],
    [
      'a role that is no id',
      'here: Manager',
      's.yaml:2:7: here is "Manager", expected lower-case letters, digits and single hyphens, or PROFILE/ID',
    ],
    ['a family that is none', 'family: 5', 's.yaml:2:9: family is 5, expected 4, 6 or any'],
    [
      'a source that is no address',
      'source: 10.2.0',
      's.yaml:2:9: source "10.2.0" is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "10.2.0.0"?',
    ],
    [
      'an address of two numbers',
      'hosts: {device: 127.1}',
      's.yaml:2:17: device is 127.1, expected an address or a host name, or a map of keys, or a list',
    ],
    [
      'the same in quotes',
      'hosts: {device: "127.1"}',
      's.yaml:2:17: the host "127.1" is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?',
    ],
    [
      'a hexadecimal address',
      'hosts: {device: 0x7f.1}',
      's.yaml:2:17: the host "0x7f.1" is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?',
    ],
    [
      'an address with a NUL',
      'hosts: {device: "192.0.2.1\\0"}',
      's.yaml:2:17: the host "192.0.2.1\\u0000" contains a control character',
    ],
    [
      'a network',
      'hosts:\n  device:\n    - 192.0.2.1\n    - 192.0.2.0/24',
      's.yaml:5:7: the host "192.0.2.0/24" is a network or a path, not one host; did you mean "192.0.2.0"?',
    ],
    [
      'a role without a value',
      'hosts:\n  device:',
      's.yaml:3:3: device is empty, expected an address or a host name, or a map of keys, or a list',
    ],
    [
      'a role with an empty list',
      'hosts: {device: []}',
      's.yaml:2:17: device is an empty list, expected at least one entry',
    ],
    [
      'none among hosts',
      'hosts: {device: [192.0.2.1, none]}',
      's.yaml:2:29: "none" stands among hosts, expected none, by itself, for a role that is deliberately empty',
    ],
    [
      'a host that is nothing',
      'hosts: {device: [{addresses: any}]}',
      's.yaml:2:18: the host has neither "address" nor "name", expected one of them',
    ],
    [
      'a host that is two',
      'hosts: {device: {address: 192.0.2.1, name: a.example}}',
      's.yaml:2:17: the host has both "address" and "name", expected one of them',
    ],
    [
      'a name as an address',
      'hosts: {device: {address: a.example}}',
      's.yaml:2:27: "a.example" is a host name; write it as "name", not as "address"',
    ],
    [
      'an address as a name',
      'hosts: {device: {name: 192.0.2.1}}',
      's.yaml:2:24: "192.0.2.1" is an address; write it as "address", not as "name"',
    ],
    [
      'any of one address',
      'hosts: {device: {address: 192.0.2.1, addresses: any}}',
      's.yaml:2:49: "addresses: any" with an address, expected a name, which may have several addresses',
    ],
    [
      'port 0 of a host',
      'hosts: {device: {address: 192.0.2.1, flows: {web: {port: 0}}}}',
      's.yaml:2:58: port is 0, expected a port from 1 to 65535, or a range "900-902"',
    ],
    [
      'port 70000 of a flow',
      'flows: {web: {port: 70000}}',
      's.yaml:2:21: port is 70000, expected a port from 1 to 65535, or a range "900-902"',
    ],
    [
      'a range upside down',
      'flows: {web: {port: 902-900}}',
      's.yaml:2:21: port is "902-900": the range is upside down; did you mean "900-902"?',
    ],
    ['an unknown key of a flow', 'flows: {web: {prot: 1}}', 's.yaml:2:15: unknown key "prot"; did you mean "port"?'],
    [
      'another expectation',
      'flows: {web: {expect: closed}}',
      's.yaml:2:23: expect is "closed", expected one of open, blocked',
    ],
    [
      'a broadcast to a name',
      'flows: {web: {broadcast-to: lan}}',
      's.yaml:2:29: broadcast-to is "lan", expected an IPv4 broadcast address such as 192.0.2.255',
    ],
    [
      'a flow that is no id',
      'flows: {"a/b/c": {}}',
      's.yaml:2:9: the key "a/b/c", expected lower-case letters, digits and single hyphens, or PROFILE/ID',
    ],
    [
      'a secret written out',
      'secrets: {radius: hunter2}',
      's.yaml:2:19: radius is text, expected {env: NAME} or {file: PATH}; a secret itself never stands here',
    ],
    [
      'a secret in place of a variable',
      'secrets: {radius: {env: hunter 2}}',
      's.yaml:2:25: env is text, expected the name of an environment variable',
    ],
    [
      'a secret from nowhere',
      'secrets: {radius: {}}',
      's.yaml:2:19: the secret "radius" has neither "env" nor "file", expected one of them',
    ],
    [
      'a secret from two places',
      'secrets: {radius: {env: A, file: b}}',
      's.yaml:2:19: the secret "radius" has both "env" and "file", expected one of them',
    ],
    [
      'a proxy with a password',
      'proxy: http://u:hunter2@proxy.example.net',
      's.yaml:2:8: proxy is text, expected environment, or http://HOST:PORT',
    ],
    ['a key twice', 'name: a\nname: b', 's.yaml:3:1: the key "name" stands twice in one map; the first is in line 2'],
    [
      'the wrong format',
      'linecheck: profile/v1',
      's.yaml:2:1: the key "linecheck" stands twice in one map; the first is in line 1',
    ],
  ])('%s', (_what, text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  it('all mistakes are told at once, in the order of the lines', () => {
    expect(problems('family: 5\nhosts: {device: 10.0.0.0/8}\nfeatures: []\nloggin: true')).toEqual([
      's.yaml:2:9: family is 5, expected 4, 6 or any',
      's.yaml:3:17: the host "10.0.0.0/8" is a network or a path, not one host; did you mean "10.0.0.0"?',
      's.yaml:4:11: features is an empty list, expected at least one entry',
      's.yaml:5:1: unknown key "loggin"; did you mean "login"?',
    ]);
  });
});

describe('a site', () => {
  it('may write one or a list of everything', () => {
    const site = siteOf(`name: branch-12
profiles: [acme-box, ./own.yaml]
here: acme-box/manager
source: eth0
family: 6
hosts:
  device: [192.0.2.1, "2001:DB8::0:1", {address: 192.0.2.2, flows: {web: {port: 8443, with: {issuer: x}}}}]
  ntp-server: {name: NTP.example.net, addresses: any}
  smtp-server: none
features: ldap
flows:
  acme-box/web: {expect: blocked, required: false, reach: path, port: 900-901}
accept-unproven: [one-way, "acme-box/*"]
secrets:
  radius: {env: RADIUS_SECRET}
  ca: {file: ca.pem}
login: true
proxy: http://192.0.2.3:3128
`);
    expect(site).toMatchObject({
      name: 'branch-12',
      profiles: [
        { kind: 'id', value: 'acme-box' },
        { kind: 'file', value: './own.yaml', place: { line: 3, column: 22 } },
      ],
      here: [{ value: 'acme-box/manager', place: { line: 4, column: 7 } }],
      source: { value: 'eth0' },
      family: 6,
      hosts: [
        {
          role: { value: 'device' },
          hosts: [
            { host: '192.0.2.1', family: 4, addresses: 'every', flows: [], place: { line: 8, column: 12 } },
            { host: '2001:db8::1', family: 6 },
            { host: '192.0.2.2', flows: [{ flow: { value: 'web' }, ports: { value: { first: 8443, last: 8443 } } }] },
          ],
        },
        { role: { value: 'ntp-server' }, hosts: [{ host: 'ntp.example.net', addresses: 'any' }] },
        { role: { value: 'smtp-server' }, hosts: 'none' },
      ],
      features: [{ value: 'ldap' }],
      flows: [
        {
          flow: { value: 'acme-box/web', place: { line: 13, column: 3 } },
          expect: 'blocked',
          required: false,
          reach: { value: 'path' },
          ports: { value: { first: 900, last: 901 } },
        },
      ],
      acceptUnproven: [{ value: 'one-way' }, { value: 'acme-box/*' }],
      login: true,
      proxy: { value: 'http://192.0.2.3:3128' },
    });
    expect([...site.secrets].map(([name, { value }]) => [name, value])).toEqual([
      ['radius', { env: 'RADIUS_SECRET' }],
      ['ca', { file: 'ca.pem' }],
    ]);
  });

  it('may be almost empty', () => {
    expect(siteOf('')).toMatchObject({ profiles: [], here: [], hosts: [], family: 'any', login: false });
  });

  it('warns of what stands twice', () => {
    const text = 'here: [manager, manager]\nhosts:\n  device: [A.example, 192.0.2.1, a.example]';
    expect(warningsOf(parse(text))).toEqual([
      's.yaml:2:17: "manager" stands twice under "here"',
      's.yaml:4:34: "a.example" stands twice in the role "device"',
    ]);
  });

  it('may name a host twice where its ports differ', () => {
    const text =
      'hosts: {device: [{address: 192.0.2.1, flows: {web: {port: 1}}}, {address: 192.0.2.1, flows: {web: {port: 2}}}]}';
    expect(warningsOf(parse(text))).toEqual([]);
    expect(problems(text)).toEqual([]);
  });
});
