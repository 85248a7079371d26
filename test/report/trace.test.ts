// Tests of the page and the JSON of a traced flow: each way that a path can end, beside each that its control can.
import { describe, expect, it } from 'vitest';
import type { FoundPath, PathEnd } from '../../src/contract/look.js';
import { traceJson, traceReached, traceView, type Trace } from '../../src/report/trace.js';

const style = { width: 80, colour: false } as const;
const tool = {
  name: 'linecheck',
  version: '0.1.0',
  node: '24.0.0',
  platform: 'linux',
  tier: 2,
  can: ['errno'],
} as const;

const pathTo = (end: PathEnd, more: Partial<FoundPath> = {}): FoundPath => ({
  hops: [{ hop: 1, address: '192.0.2.1', rttMs: 0.42 }, { hop: 2, address: '192.0.2.254', rttMs: 3.1 }, { hop: 3 }],
  reached: end.kind === 'reached',
  end,
  last: { hop: 2, address: '192.0.2.254' },
  cut: false,
  sent: 5,
  ...more,
});

const traceOf = (flow: FoundPath, control?: FoundPath): Trace => ({
  host: 'fmc.example.net',
  address: '198.51.100.11',
  family: 4,
  carrier: 'tcp',
  flow: { port: 8305, path: flow },
  ...(control === undefined ? {} : { control: { port: 1023, path: control } }),
});

const silent: PathEnd = { kind: 'silent' };
const accepts: PathEnd = { kind: 'reached', by: 'handshake' };
const resets: PathEnd = { kind: 'reached', by: 'reset', ttl: 61 };
const rejects: PathEnd = {
  ...{ kind: 'rejected', from: '192.0.2.254', type: 3, code: 13, signal: 'prohibited', ttl: 63, hop: 2 },
} as const;
const local: PathEnd = { kind: 'local', signal: 'local-firewall' };

/** The page with each run of white space as one space, so that line ends do not matter. */
const page = (trace: Trace): string => traceView([trace], style).replace(/\s+/g, ' ');

describe('a traced flow', () => {
  it('shows its hops, those that are silent too, and fits its screen', () => {
    const text = traceView([traceOf(pathTo(silent), pathTo(resets))], style);
    expect(text.split('\n').slice(0, 4)).toEqual([
      'fmc.example.net:8305/tcp (198.51.100.11)',
      '   1  192.0.2.1    0.4 ms',
      '   2  192.0.2.254  3.1 ms',
      '   3  *',
    ]);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each<readonly [string, FoundPath, string]>([
    ['accepted', pathTo(accepts), 'at the host, which accepts the connection.'],
    ['refused', pathTo(resets), 'nothing listens there; its packet came with TTL 61.'],
    [
      'rejected',
      pathTo(rejects),
      'at 192.0.2.254 (hop 2), which rejects it: administratively prohibited, ICMP type 3 code 13.',
    ],
    ['lost', pathTo(silent), 'at or after hop 2, 192.0.2.254: nothing came back from farther.'],
    ['lost, its search cut short', pathTo(silent, { cut: true }), 'The search was cut short'],
    ['kept', pathTo(local), 'on this machine, which lets nothing leave'],
  ])('that is %s says where', (_what, flow, words) => {
    expect(page(traceOf(flow))).toContain(words);
  });

  it('that nobody says anything about ends before the first router that would', () => {
    const nothing: FoundPath = { hops: [{ hop: 1 }], reached: false, end: silent, cut: false, sent: 1 };
    expect(page(traceOf(nothing))).toContain('before the first router that would say so');
  });

  it.each<readonly [string, PathEnd, PathEnd, string]>([
    ['lost where its control gets through', silent, resets, 'what stops the flow stops it by its port'],
    ['lost where its control is lost', silent, silent, 'ends there too'],
    ['taken where its control is taken too', accepts, accepts, 'something accepts connections in the host’s name'],
    ['taken where its control is rejected', accepts, rejects, 'is rejected by 192.0.2.254'],
    ['taken where its control is lost', accepts, silent, 'as behind a filter that passes only what it knows'],
  ])('that is %s says what that means', (_what, flow, control, words) => {
    expect(page(traceOf(pathTo(flow), pathTo(control))).replaceAll("'", '’')).toContain(words);
  });

  it('is reached when something took it, and not when it was refused', () => {
    expect(traceReached(traceOf(pathTo(accepts)))).toBe(true);
    expect(traceReached(traceOf(pathTo({ kind: 'reached', by: 'reply' })))).toBe(true);
    for (const end of [resets, silent, rejects, local]) expect(traceReached(traceOf(pathTo(end)))).toBe(false);
  });

  it('is whole in its JSON', () => {
    const traces = [traceOf(pathTo(rejects), pathTo(resets))];
    expect(JSON.parse(traceJson(tool, traces))).toEqual({ schema: 'linecheck/trace/v1', tool, traces });
  });
});
