// Tests of the stage: its certificate, read by somebody else, and its ports.
import { X509Certificate } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as listen from '../../src/net/listen.js';
import { selfSigned } from '../../src/peer/certificate.js';
import { openStandIn, STAND_IN_NAME } from '../../src/peer/stage.js';
import { clock } from '../net/kit.js';
import { requireServer } from '../lab/requirements.js';

const net = { ...listen, random: (size: number) => randomBytes(size) };

describe('the certificate of a stage', () => {
  const nowMs = Date.UTC(2026, 5, 1);
  const { cert, key } = selfSigned(STAND_IN_NAME, randomBytes(16), nowMs);

  it('is valid around now, names only the stand-in, and is signed by its own key', () => {
    const x509 = new X509Certificate(cert);
    expect(x509.subject).toBe(`CN=${STAND_IN_NAME}`);
    expect(x509.subjectAltName).toBe(`DNS:${STAND_IN_NAME}`);
    expect(x509.verify(x509.publicKey)).toBe(true);
    expect(Date.parse(x509.validFrom)).toBeLessThan(nowMs);
    expect(Date.parse(x509.validTo)).toBeGreaterThan(nowMs);
    expect(key).toContain('BEGIN PRIVATE KEY');
  });

  it('is one that openssl accepts and verifies', (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const { stdout, status } = spawnSync('openssl', ['x509', '-noout', '-text', '-serial'], {
      input: cert,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toContain('Version: 3 (0x2)');
    expect(stdout).toContain('NIST CURVE: P-256');
  });
});

describe('a stage', () => {
  it('frees its port when it closes, with a connection still open', async () => {
    const standIn = { carrier: 'tcp', session: () => new Promise<void>(() => undefined) } as const;
    const opened = await openStandIn(standIn, { address: '127.0.0.1', port: 0 }, net, clock);
    const { connect } = await import('node:net');
    const socket = connect(opened.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => undefined);
    await opened.close();
    const again = await openStandIn(standIn, { address: '127.0.0.1', port: opened.port }, net, clock);
    expect(again.port).toBe(opened.port);
    await again.close();
    socket.destroy();
  });

  it.each(['tcp', 'udp'] as const)('says why a %s port cannot be had', async (carrier) => {
    const at = { address: '127.0.0.1', port: 0 };
    const first = await openStandIn({ carrier }, at, net, clock);
    await expect(openStandIn({ carrier }, { ...at, port: first.port }, net, clock)).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await first.close();
  });
});
