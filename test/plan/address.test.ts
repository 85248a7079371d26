// Which hosts are taken, how they are written afterwards, and what is said of the others.
import { describe, expect, it } from 'vitest';
import { parseHost, sourceProblem } from '../../src/plan/address.js';

const why = (text: string): string => {
  const host = parseHost(text);
  return host.ok ? `taken as ${host.host}` : host.why;
};

describe('a host', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', 4],
    ['2001:DB8:0:0::1', '2001:db8::1', 6],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1', 6],
    ['fe80::1%eth0', 'fe80::1%eth0', 6],
  ])('%s is the address %s', (text, host, family) => {
    expect(parseHost(text)).toEqual({ ok: true, kind: 'address', host, family });
  });

  it.each([
    ['ntp.example.net', 'ntp.example.net'],
    ['NTP.Example.net.', 'ntp.example.net.'],
    ['localhost', 'localhost'],
    ['my_host', 'my_host'],
    ['4.example', '4.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('%s is the name %s', (text, host) => {
    expect(parseHost(text)).toEqual({ ok: true, kind: 'name', host });
  });

  it.each([
    ['', 'is empty'],
    ['127.1', 'is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?'],
    ['0x7f.1', 'is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?'],
    ['2130706433', 'is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?'],
    ['010.0.0.1', 'is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "10.0.0.1"?'],
    ['192.0.2.256', 'is not an IPv4 address of four decimal numbers from 0 to 255'],
    ['192.0.2', 'is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "192.0.0.2"?'],
    ['web.0x1', 'is not an IPv4 address of four decimal numbers from 0 to 255'],
    ['192.0.2.1.', 'is not an IPv4 address of four decimal numbers from 0 to 255'],
    ['0.0.0.0', 'means every address of this machine, not one host'],
    ['::', 'means every address of this machine, not one host'],
    ['255.255.255.255', 'is a broadcast or multicast address, not one host'],
    ['224.0.0.1', 'is a broadcast or multicast address, not one host'],
    ['ff02::1', 'is a multicast address, not one host'],
    ['192.0.2.1\u0000', 'contains a control character'],
    ['a b', 'contains a space'],
    [' 192.0.2.1 ', 'contains a space; did you mean "192.0.2.1"?'],
    ['192.0.2.0/24', 'is a network or a path, not one host; did you mean "192.0.2.0"?'],
    ['https://web.example.net/x', 'is a URL, not a host; did you mean "web.example.net"?'],
    ['root@web.example.net', 'names a user, not a host; did you mean "web.example.net"?'],
    [
      'web.example.net:443',
      'has a port or an incomplete IPv6 address; a port belongs under "flows"; did you mean "web.example.net"?',
    ],
    ['[2001:db8::1]:443', 'has brackets; a port belongs under "flows"; did you mean "2001:db8::1"?'],
    ['::ffff:192.0.2.1', 'is an IPv4 address in IPv6 form; did you mean "192.0.2.1"?'],
    ['2001:db8::1%eth0', 'has a zone, which only link-local addresses have; did you mean "2001:db8::1"?'],
    ['fe80::1%', 'has a zone that is no interface name'],
    ['2001:db8:::1', 'is not an IPv6 address'],
    ['12:34:56:78:9a:bc', 'is not an IPv6 address'],
    ['bücher.example', 'is not ASCII; did you mean "xn--bcher-kva.example"?'],
    ['-a.example', 'is neither an address nor a valid host name'],
    ['a..example', 'is neither an address nor a valid host name'],
    ['*.example.net', 'is neither an address nor a valid host name'],
    [`${'a'.repeat(64)}.example`, 'is neither an address nor a valid host name'],
  ])('%j %s', (text, expected) => {
    expect(why(text)).toBe(expected);
  });

  it('has at most 253 characters, a last dot not counted', () => {
    expect(why('a.'.repeat(127))).toBe(`taken as ${'a.'.repeat(127)}`);
    expect(why(`${'a.'.repeat(127)}a`)).toBe('is longer than the 253 characters of a host name');
  });
});

describe('a source', () => {
  it.each(['192.0.2.1', '2001:db8::1', 'fe80::1%eth0', 'eth0', 'br-lan', 'Ethernet 2', 'enp3s0.100'])(
    'may be %s',
    (text) => {
      expect(sourceProblem(text)).toBeUndefined();
    },
  );
  it.each(['127.1', '192.0.2.300', '0x7f.1', 'fe80::zz', '', ' eth0', 'eth0\u0000', 'a/b'])('may not be %j', (text) => {
    expect(sourceProblem(text)).toMatch(/^(is|contains) /);
  });
});
