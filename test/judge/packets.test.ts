// The small pure parts below the rules: distances, addresses, ICMP words, quotations.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, network, sameAddress } from '../../src/judge/address.js';
import { fit, hopsAway } from '../../src/judge/distance.js';
import { icmpName, meaningOf } from '../../src/judge/icmp.js';
import { endWords, quoted, seconds } from '../../src/judge/wording.js';

describe('distance', () => {
  it.each([
    [64, 0],
    [62, 2],
    [63, 1],
    [128, 0],
    [126, 2],
    [255, 0],
    [253, 2],
    [1, 63],
  ])('takes TTL %i for %i hops', (ttl, hops) => {
    expect(hopsAway(ttl)).toBe(hops);
  });

  it.each([
    [62, [2], 'fits'],
    [254, [2], 'nearer'],
    [61, [2], 'farther'],
    [62, [1, 3], 'nearer'],
    [63, [1, 3], 'fits'],
    [undefined, [2], 'unknown'],
    [62, [], 'unknown'],
  ] as const)('a TTL of %s against %j is %s', (ttl, hops, expected) => {
    expect(fit(ttl, hops)).toBe(expected);
  });
});

describe('an address', () => {
  it('is one though written with a zone, mapped or in capitals', () => {
    expect(canonical('FE80::1%eth0')).toBe('fe80::1');
    expect(sameAddress('::ffff:192.0.2.1', '192.0.2.1')).toBe(true);
    expect(sameAddress('192.0.2.1', '192.0.2.11')).toBe(false);
    expect(sameAddress(undefined, undefined)).toBe(false);
  });

  it.each([
    ['192.0.2.1', '192.0.2.200', true],
    ['192.0.2.1', '192.0.20.1', false],
    ['2001:db8::1', '2001:db8:0:0:5::9', true],
    ['2001:db8:0:1::1', '2001:db8::1', false],
    ['::1', '192.0.2.1', false],
  ])('%s and %s in one network: %s', (a, b, expected) => {
    expect(network(a) === network(b)).toBe(expected);
  });
});

describe('an ICMP error', () => {
  it('means the same under its two families and never by the number alone', () => {
    expect(meaningOf({ from: '192.0.2.1', type: 3, code: 13 })).toBe('prohibited');
    expect(meaningOf({ from: '2001:db8::1', type: 1, code: 1 })).toBe('prohibited');
    expect(meaningOf({ from: '2001:db8::1', type: 3, code: 0 })).toBeUndefined();
    expect(meaningOf({ from: '192.0.2.1', type: 3, code: 4 })).toBeUndefined();
    expect(meaningOf({ from: '192.0.2.1', type: 11, code: 0 })).toBeUndefined();
    expect(meaningOf({ from: '2001:db8::1', type: 4, code: 1 })).toBe('protocol');
    expect(meaningOf({ from: '2001:db8::1', type: 2, code: 0 })).toBeUndefined();
  });

  it('is named with type and code', () => {
    expect(icmpName({ from: '192.0.2.1', type: 3, code: 10 })).toBe('ICMP administratively prohibited (3/10)');
    expect(icmpName({ from: '2001:db8::1', type: 1, code: 4 })).toBe('ICMPv6 port unreachable (1/4)');
  });
});

describe('a quotation', () => {
  it('is one printable line of bounded length, whatever a stranger sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const told = quoted(text);
        expect(told).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(Array.from(told).length).toBeLessThanOrEqual(80);
      }),
    );
  });
});

describe('wording', () => {
  it('tells times as people do', () => {
    expect([0.4, 999, 1000, 2140, 59_600].map(seconds)).toEqual(['0 ms', '999 ms', '1 s', '2.1 s', '60 s']);
  });

  it('names an end by name and address where it has both', () => {
    expect(endWords({ role: 'ntp', host: 'ntp.example.net', address: '192.0.2.7' })).toBe(
      'ntp.example.net (192.0.2.7)',
    );
    expect(endWords({ role: 'ntp', host: '192.0.2.7', address: '192.0.2.7' })).toBe('192.0.2.7');
    expect(endWords({ role: 'ntp' })).toBe('role ntp');
  });
});
