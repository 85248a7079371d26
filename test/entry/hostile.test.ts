// Peers that answer garbage, flood, trickle, close, reset or never answer: an outcome in time, memory bounded.
import path from 'node:path';
import { expect, it } from 'vitest';
import { injected, linecheck, placeOf, readFrom, scratchFolder } from './linecheck.js';
import type { Flow } from './linecheck.js';
import { closePeersAfterwards, datagramMisdeeds, misdeeds, tcpPeer, tlsPeer, udpPeer } from './peers.js';
import { reportIn, verdictsOf } from './reading.js';

const scratch = scratchFolder();
closePeersAfterwards();

const MEBIBYTE = 1024;

/** Writes the process's peak resident memory, in KiB, into $PEAK as it ends. */
const PEAK = `
import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)));
`;

/** How a service is wrong that does this. Two bytes a second make no line, and no expected text; five make a TLS record's header. */
const STREAM_VERDICTS = {
  garbage: 'stranger',
  flood: 'stranger',
  trickle: 'silent',
  'close-at-once': 'closed',
  'reset-at-once': 'reset',
  mute: 'silent',
};

it('hostile peers get a verdict each, in valid JSON, with bounded memory and no hang', async () => {
  const flows: Flow[] = [];
  for (const [deed, serve] of Object.entries(misdeeds)) {
    const { port } = await tcpPeer(serve);
    for (const probe of ['ssh', 'tls', 'https']) flows.push({ id: `${probe}-${deed}`, tcp: port, probe });
    flows.push({ id: `tcp-${deed}`, tcp: port, probe: 'tcp', with: { 'expect-text': 'welcome' } });
  }
  for (const [deed, serve] of Object.entries(datagramMisdeeds)) {
    const { port } = await udpPeer(serve);
    flows.push({ id: `ntp-${deed}`, udp: port, probe: 'ntp' });
    flows.push({ id: `udp-${deed}`, udp: port, probe: 'udp', with: { 'expect-text': 'welcome' } });
  }
  const cwd = placeOf(scratch, flows);
  const args = ['check', 'site.yaml', '--format', 'json', '--timeout', '6s', '--diagnose', 'off'];
  const env = { ...injected(scratch, 'peak', PEAK), PEAK: path.join(cwd, 'peak') };
  const { code, signal, stdout, stderr } = await linecheck(args, { cwd, env });
  expect({ code, signal, stderr }).toEqual({ code: 1, signal: null, stderr: '' });

  const report = await reportIn(stdout);
  const expected: Record<string, string> = {
    'ntp-mute': 'blocked dropped',
    'udp-mute': 'unproven silence',
  };
  for (const probe of ['ssh', 'tls', 'https', 'tcp']) {
    for (const [deed, how] of Object.entries(STREAM_VERDICTS)) expected[`${probe}-${deed}`] = `wrong-service ${how}`;
  }
  for (const probe of ['tls', 'https']) expected[`${probe}-trickle`] = 'wrong-service stranger';
  for (const probe of ['ntp', 'udp']) {
    for (const deed of ['garbage', 'flood', 'one-byte']) expected[`${probe}-${deed}`] = 'wrong-service stranger';
  }
  expect(verdictsOf(report)).toEqual(expected);
  for (const { durationMs, summary } of report.checks) {
    expect(summary.length).toBeLessThan(1000);
    expect(durationMs).toBeLessThan(10_000);
  }
  expect(Number(readFrom(cwd, 'peak')) / MEBIBYTE, 'MiB resident at most').toBeLessThan(150);
});

it.each([
  ['leaves as soon as the TLS handshake is over', '', true],
  ['answers before it is asked, and leaves', 'HTTP/1.1 200 OK\r\n\r\n', false],
])('a server that %s is no reason to wait, or to spin', async (_what, text, destroyed) => {
  const { port, shown } = await tlsPeer(text, { destroyed });
  const { code, stdout } = await linecheck(['probe', 'https', `127.0.0.1:${port}`, '--format', 'json']);
  const [check] = (await reportIn(stdout)).checks;
  expect(shown).toHaveLength(1);
  expect(['wrong-service', 'open']).toContain(check?.verdict);
  expect(code).toBe(check?.verdict === 'open' ? 0 : 1);
});
