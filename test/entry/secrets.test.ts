// Secrets: none of them in any output, whatever a run does with them and whoever sends them back.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { selfSigned } from '../../src/peer/certificate.js';
import { linecheck, placeOf, readFrom, scratchFolder } from './linecheck.js';
import type { Ended } from './linecheck.js';
import { closePeersAfterwards, shutPort, tcpPeer, tlsPeer } from './peers.js';
import { reportIn, verdictsOf } from './reading.js';

const scratch = scratchFolder();
closePeersAfterwards();

const identity = selfSigned('client.example.net', randomBytes(8), Date.now());
const ca = selfSigned('ca.example.net', randomBytes(8), Date.now()).cert;
const PASSPHRASE = 'correct "horse"\\battery';
const IN_JSON = JSON.stringify(PASSPHRASE).slice(1, -1);

/** Every way in which one of the secrets would be one: whole, by line, as hex and base64. */
const forms = [identity.key, identity.cert, ca, PASSPHRASE].flatMap((secret) => {
  const bytes = Buffer.from(secret);
  const lines = secret.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  return [...lines, bytes.toString('hex'), bytes.toString('base64'), JSON.stringify(secret).slice(1, -1)];
});

function expectNoSecret(...texts: readonly string[]): void {
  for (const text of texts) {
    expect(text).not.toBe('');
    for (const form of forms) expect(text.includes(form), `${form} in\n${text}`).toBe(false);
  }
}

it('a check says none of the secrets that it uses, from a file or the environment', async () => {
  // An unfriendly server sends back what it was never shown.
  const wicked = `HTTP/1.1 200 OK\r\nServer: ${PASSPHRASE}\r\n\r\n${identity.key}`;
  const [channel, banner] = await Promise.all([
    tlsPeer(wicked),
    tcpPeer((socket) => socket.end(`welcome ${PASSPHRASE} and ${identity.key}`)),
  ]);
  const shown = { 'client-cert': 'client', 'client-key': 'client-key', ca: 'site-ca' };
  const cwd = placeOf(
    scratch,
    [
      { id: 'channel', tcp: channel.port, probe: 'tls', with: shown },
      { id: 'web', tcp: channel.port, probe: 'https', with: shown },
      { id: 'banner', tcp: banner.port, probe: 'tcp', with: { 'expect-text': 'never' } },
      { id: 'shell', tcp: banner.port, probe: 'ssh' },
      { id: 'gone', tcp: await shutPort(), probe: 'tls', with: { ca: 'phrase' } },
    ],
    {
      secrets: {
        client: { file: 'client.pem' },
        'client-key': { env: 'CLIENT_KEY' },
        'site-ca': { file: './ca.pem' },
        phrase: { env: 'PHRASE' },
      },
    },
  );
  writeFileSync(path.join(cwd, 'client.pem'), identity.cert);
  writeFileSync(path.join(cwd, 'ca.pem'), ca);
  const env = { CLIENT_KEY: identity.key, PHRASE: PASSPHRASE };
  const run = (...flags: readonly string[]): Promise<Ended> =>
    linecheck(['check', path.join(path.basename(cwd), 'site.yaml'), ...flags], { cwd: scratch, env });
  const out = path.join(cwd, 'events.ndjson');
  const [table, json, plan] = await Promise.all([
    run('--format', 'table', '--format', `ndjson:${out}`),
    run('--format', 'json'),
    linecheck(['plan', 'site.yaml', '--format', 'json'], { cwd, env }),
  ]);
  expect([table.stderr, json.stderr, plan.stderr]).toEqual(['', '', '']);
  expect(channel.shown).toEqual(Array.from({ length: 4 }, () => 'CN=client.example.net'));
  expect(verdictsOf(await reportIn(json.stdout))).toMatchObject({ banner: 'wrong-service stranger' });
  // Struck out, not left out.
  expect(json.stdout).toContain('[secret]');
  expectNoSecret(table.stdout, json.stdout, plan.stdout, readFrom(cwd, 'events.ndjson'));
});

it('a probe asked by hand says none either, --verbose included', async () => {
  const { port, shown } = await tlsPeer(`HTTP/1.1 200 OK\r\nServer: ${PASSPHRASE}\r\n\r\n`);
  const folder = placeOf(scratch, []);
  const pem = path.join(folder, 'client.pem');
  writeFileSync(pem, `${identity.cert}${identity.key}`);
  const options = ['--with', 'client-cert=client', '--secret', `client=file:${pem}`, '--with', 'ca=it'];
  const args = ['probe', 'https', `127.0.0.1:${port}`, ...options, '--secret', 'it=env:SITE_CA'];
  const env = { SITE_CA: ca };
  const ends = await Promise.all([
    linecheck([...args, '--verbose'], { env }),
    linecheck([...args, '--verbose', '--format', 'json'], { env }),
  ]);
  expect(shown).toEqual(['CN=client.example.net', 'CN=client.example.net']);
  for (const { stdout, stderr } of ends) {
    expect(stderr).toBe('');
    // What the server says of itself is no secret that this probe was given.
    expectNoSecret(stdout.replaceAll(PASSPHRASE, '').replaceAll(IN_JSON, ''));
  }
});
