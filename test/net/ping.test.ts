// What ping's words mean, as iputils, busybox and inetutils write them; and what the kit makes of a ping that is not there.
import { describe, expect, it } from 'vitest';
import { pingTextOf } from '../../src/net/ping.js';

const banner = 'PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n';
const tail = '\n\n--- 192.0.2.1 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time 0ms\n';
const at4 = (text: string): ReturnType<typeof pingTextOf> => pingTextOf(text, '192.0.2.1', 4);
const at6 = (text: string): ReturnType<typeof pingTextOf> => pingTextOf(text, '2001:db8::1', 6);

describe('a reply', () => {
  it.each([
    // iputils 20221126, busybox 1.35, inetutils 2.4.
    ['64 bytes from 192.0.2.1: icmp_seq=1 ttl=62 time=0.057 ms', { bytes: 64, ttl: 62, roundTripMs: 0.057 }],
    ['64 bytes from 192.0.2.1: seq=0 ttl=62 time=0.118 ms', { bytes: 64, ttl: 62, roundTripMs: 0.118 }],
    ['64 bytes from 192.0.2.1: icmp_seq=0 ttl=62 time=12 ms', { bytes: 64, ttl: 62, roundTripMs: 12 }],
  ])('is read: %s', (line, expected) => {
    expect(at4(`${banner}${line}${tail}`)).toEqual({ kind: 'reply', ...expected });
  });

  it('over IPv6 is read, however the address is written', () => {
    expect(at6('64 bytes from 2001:DB8:0::1: icmp_seq=1 ttl=61 time=1.5 ms')).toMatchObject({ kind: 'reply', ttl: 61 });
    const linkLocal = '64 bytes from fe80::1%eth0: icmp_seq=1 ttl=64 time=1.5 ms';
    expect(pingTextOf(linkLocal, 'fe80::1%eth0', 6)).toMatchObject({ kind: 'reply' });
  });

  it.each([
    '64 bytes from 192.0.2.2: icmp_seq=1 ttl=62 time=0.057 ms',
    '64 bytes from 192.0.2.1: icmp_seq=1 ttl=62 time=0.057 ms (DUP!)',
    '64 bytes from 192.0.2.1: icmp_seq=1 ttl=62 time=0.057 ms (different address)',
    '40 bytes from 192.0.2.1: icmp_seq=1 ttl=62 (truncated)',
    '64 bytes from host.example.net (192.0.2.1): icmp_seq=1 ttl=62 time=0.057 ms',
    'x 64 bytes from 192.0.2.1: icmp_seq=1 ttl=62 time=0.057 ms',
    '64 bytes from :::::: icmp_seq=1 ttl=62 time=0.057 ms',
    '',
  ])('is not: %s', (line) => {
    expect(at4(`${banner}${line}${tail}`)).toEqual({ kind: 'nothing' });
  });
});

describe('an error', () => {
  it.each([
    ['Destination Net Unreachable', 3, 0],
    ['Destination Host Unreachable', 3, 1],
    ['Destination Protocol Unreachable', 3, 2],
    ['Destination Port Unreachable', 3, 3],
    ['Destination Net Prohibited', 3, 9],
    ['Destination Host Prohibited', 3, 10],
    ['Packet filtered', 3, 13],
    ['Time to live exceeded', 11, 0],
  ])('%s is %i/%i', (words, type, code) => {
    expect(at4(`${banner}From 198.51.100.7 icmp_seq=1 ${words}${tail}`)).toEqual({
      kind: 'error',
      from: '198.51.100.7',
      type,
      code,
    });
  });

  it.each([
    ['Destination unreachable: No route', 1, 0],
    ['Destination unreachable: Administratively prohibited', 1, 1],
    ['Destination unreachable: Address unreachable', 1, 3],
    ['Destination unreachable: Port unreachable', 1, 4],
    ['Time exceeded: Hop limit', 3, 0],
  ])('of IPv6, %s, is %i/%i', (words, type, code) => {
    expect(at6(`From 2001:db8::7 icmp_seq=1 ${words}${tail}`)).toEqual({
      kind: 'error',
      from: '2001:db8::7',
      type,
      code,
    });
  });

  it('in other words is nothing', () => {
    expect(at4('From 198.51.100.7 icmp_seq=1 Dest Unreachable, Bad Code: 77')).toEqual({ kind: 'nothing' });
    expect(at6('From 198.51.100.7 icmp_seq=1 Destination Host Unreachable')).toEqual({ kind: 'nothing' });
  });
});

describe('what this machine itself says', () => {
  it.each([
    ['ping: connect: Network is unreachable', { kind: 'local', signal: 'no-route' }],
    ['ping: sendmsg: Operation not permitted', { kind: 'local', signal: 'local-firewall' }],
    ['ping: socktype: SOCK_RAW\nping: socket: Operation not permitted', { kind: 'no-permission' }],
    ['ping: permission denied (are you root?)', { kind: 'no-permission' }],
    ['ping: invalid argument', { kind: 'nothing' }],
  ])('%s', (text, expected) => {
    expect(at4(text)).toEqual(expected);
  });
});
