// Tests of the errno table. What real kernels and firewalls return stands in test/lab/errno.test.ts.
import { describe, expect, it } from 'vitest';
import { meaningOf } from '../../src/net/errno.js';

const context = { syscall: 'connect', atOnce: false, afterMs: 5 };

describe('an errno means', () => {
  it.each([
    ['ECONNREFUSED', {}, { kind: 'refused', signal: 'refused' }],
    ['EHOSTUNREACH', {}, { kind: 'refused', signal: 'host-unreachable' }],
    ['EHOSTUNREACH', { afterMs: 3060 }, { kind: 'refused', signal: 'no-neighbour' }],
    ['EHOSTUNREACH', { atOnce: true, afterMs: 0 }, { kind: 'refused', signal: 'no-route' }],
    ['ENETUNREACH', {}, { kind: 'refused', signal: 'net-unreachable' }],
    ['ENETUNREACH', { atOnce: true }, { kind: 'refused', signal: 'no-route' }],
    ['EINVAL', { atOnce: true }, { kind: 'refused', signal: 'no-route' }],
    ['ENOPROTOOPT', {}, { kind: 'refused', signal: 'protocol-unreachable' }],
    ['EACCES', {}, { kind: 'refused', signal: 'prohibited' }],
    ['EACCES', { atOnce: true }, { kind: 'refused', signal: 'local-firewall' }],
    ['EACCES', { syscall: 'bind' }, { kind: 'unable', reason: 'no-permission' }],
    ['EPERM', { syscall: 'send' }, { kind: 'refused', signal: 'local-firewall' }],
    ['EPERM', { syscall: 'socket' }, { kind: 'unable', reason: 'no-permission' }],
    ['ECONNRESET', { syscall: 'read' }, { kind: 'reset' }],
    ['EPIPE', { syscall: 'write' }, { kind: 'reset' }],
    ['ETIMEDOUT', {}, { kind: 'timeout' }],
    ['EADDRINUSE', { syscall: 'bind' }, { kind: 'unable', reason: 'address-in-use' }],
    ['EADDRNOTAVAIL', { syscall: 'bind' }, { kind: 'unable', reason: 'no-source' }],
    ['EADDRNOTAVAIL', {}, { kind: 'unable', reason: 'no-resources' }],
    ['EMFILE', {}, { kind: 'unable', reason: 'no-resources' }],
    ['EAFNOSUPPORT', { syscall: 'socket' }, { kind: 'unable', reason: 'no-family' }],
  ])('%s %j: %j', (code, change, meaning) => {
    expect(meaningOf(code, { ...context, ...change })).toEqual(meaning);
  });

  it('nothing where the table does not know it', () => {
    expect(meaningOf('EWHATEVER', context)).toBeUndefined();
    expect(meaningOf(undefined, context)).toBeUndefined();
  });
});
