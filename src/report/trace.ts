// Where a flow ends: its path hop by hop, and beside it that of a control, a port of the same host that must be shut.
import type { Family } from '../contract/flow.js';
import type { FoundPath, PathEnd } from '../contract/look.js';
import type { RefusalSignal } from '../contract/outcome.js';
import type { Tool } from '../contract/report.js';
import { pretty } from './json.js';
import { definitions, paragraph } from './layout.js';
import type { Style } from './style.js';
import { duration, endpoint } from './words.js';

export interface TracedPort {
  readonly port: number;
  readonly path: FoundPath;
}

/** One address of the host that was named. */
export interface Trace {
  readonly host: string;
  readonly address: string;
  readonly family: Family;
  readonly carrier: 'tcp' | 'udp';
  readonly flow: TracedPort;
  /** Over TCP always: a shut TCP port is refused at once, without a limit. */
  readonly control?: TracedPort;
}

/** The flow's own packets got there, and something took them. */
export function traceReached({ flow }: Trace): boolean {
  const { end } = flow.path;
  return end.kind === 'reached' && (end.by === 'handshake' || end.by === 'reply');
}

export function traceJson(tool: Tool, traces: readonly Trace[]): string {
  return pretty({ schema: 'linecheck/trace/v1', tool, traces });
}

export function traceView(traces: readonly Trace[], style: Style): string {
  return `${traces.map((trace) => view(trace, style).join('\n')).join('\n\n')}\n`;
}

function view(trace: Trace, style: Style): string[] {
  const { host, address, carrier, flow, control } = trace;
  const to = { host, address, port: flow.port };
  return [
    ...paragraph({ text: endpoint(to, carrier), tone: 'strong' }, style),
    ...hopLines(flow.path),
    ...(control === undefined
      ? []
      : [
          ...paragraph({ text: `${control.port}/tcp of the same host, which must be shut`, tone: 'strong' }, style),
          ...hopLines(control.path),
        ]),
    ...definitions(
      [
        [{ text: 'Ends', tone: traceReached(trace) ? 'good' : 'bad' }, endWords(flow.path)],
        ...(control === undefined ? [] : [['Control', controlWords(flow.path, control)] as const]),
      ],
      style,
    ),
  ];
}

/** In columns, which a paragraph has not; addresses come from the kernel and hold nothing that a terminal minds. */
function hopLines({ hops }: FoundPath): string[] {
  const width = Math.max(1, ...hops.map(({ address }) => address?.length ?? 1));
  return hops.map(({ hop, address = '*', rttMs }) => {
    const time = rttMs === undefined ? '' : `  ${duration(rttMs)}`;
    return `${String(hop).padStart(4)}  ${address.padEnd(width)}${time}`.trimEnd();
  });
}

const REFUSED: Readonly<Record<RefusalSignal, string>> = {
  refused: 'nothing listens there',
  reset: 'a reset',
  'port-unreachable': 'port unreachable',
  'host-unreachable': 'host unreachable',
  'net-unreachable': 'network unreachable',
  'protocol-unreachable': 'protocol unreachable',
  prohibited: 'administratively prohibited',
  'no-neighbour': 'nobody has that address on the last link',
  'no-route': 'no route',
  'local-firewall': 'a filter of its own',
};

const REACHED: Readonly<Record<Extract<PathEnd, { kind: 'reached' }>['by'], string>> = {
  handshake: 'at the host, which accepts the connection',
  reply: 'at the host, which answers',
  reset: 'at the host, or at somebody who resets connections in its name: nothing listens there',
  'port-unreachable': 'at the host, or at somebody who says so in its name: nothing listens there',
};

function endWords({ end, last, cut }: FoundPath): string {
  const early = cut ? ' The search was cut short: there may be more hops.' : '';
  switch (end.kind) {
    case 'reached':
      return `${REACHED[end.by]}${end.ttl === undefined ? '' : `; its packet came with TTL ${end.ttl}`}.`;
    case 'rejected': {
      const hop = end.hop === undefined ? '' : ` (hop ${end.hop})`;
      return `at ${end.from}${hop}, which rejects it: ${REFUSED[end.signal]}, ICMP type ${end.type} code ${end.code}.`;
    }
    case 'local':
      return `on this machine, which lets nothing leave: ${REFUSED[end.signal]}.`;
    case 'silent':
      return last === undefined
        ? `before the first router that would say so: nothing came back.${early}`
        : `at or after hop ${last.hop}, ${last.address}: nothing came back from farther.${early}`;
  }
}

/** What the difference between the two says. */
function controlWords(flow: FoundPath, { port, path }: TracedPort): string {
  const host = `TCP ${port}`;
  switch (path.end.kind) {
    case 'reached':
      if (path.end.by === 'handshake') {
        return `${host} accepts, though nobody should listen there: something accepts connections in the host's name.`;
      }
      return flow.end.kind === 'silent'
        ? `${host} gets there and is refused, so the host is up and what stops the flow stops it by its port.`
        : `${host} gets there and is refused: the host is up.`;
    case 'rejected':
      return `${host} is rejected by ${path.end.from}: ${REFUSED[path.end.signal]}.`;
    case 'local':
      return `${host} does not leave this machine either.`;
    case 'silent':
      return flow.end.kind === 'silent' && path.last?.hop === flow.last?.hop
        ? `${host} ends there too: the host may be down, or what stands there drops all that it does not know.`
        : `${host} gets no answer, as behind a filter that passes only what it knows.`;
  }
}
