// What this machine has for linecheck, what it lacks, what that costs and how to get it. A page and its JSON.
import type { Tool } from '../contract/report.js';
import { pretty } from './json.js';
import { definitions, paragraph } from './layout.js';
import type { Style, Tone } from './style.js';
import { listed } from './words.js';

export interface Finding {
  /** What was looked at: `koffi`. */
  readonly what: string;
  /** `lacking`: linecheck works, and sees or does less. `broken`: it cannot work. */
  readonly state: 'good' | 'lacking' | 'broken';
  /** What was found. */
  readonly found: string;
  /** What goes without it; absent where nothing lacks. */
  readonly costs?: string;
  /** How to get it. */
  readonly remedy?: string;
}

const TIERS: Readonly<Record<Tool['tier'], string>> = {
  1: 'Tier 1: errors of the system alone. It says that something refuses or drops a flow, and not who.',
  2: 'Tier 2: the kernel also tells who refuses, and paths can be searched.',
  3: 'Tier 3: the kernel tells who refuses, paths can be searched, and raw sockets show pings, GRE, ESP and the TTL of resets.',
};

export function doctorJson(tool: Tool, findings: readonly Finding[]): string {
  return pretty({ schema: 'linecheck/doctor/v1', tool, findings });
}

export function doctorView(tool: Tool, findings: readonly Finding[], style: Style): string {
  const lacking = findings.filter(({ state }) => state !== 'good');
  const tones: Readonly<Record<Finding['state'], Tone>> = { good: 'good', lacking: 'doubt', broken: 'bad' };
  const words: Readonly<Record<Finding['state'], string>> = { good: 'good', lacking: 'lacks', broken: 'broken' };
  const about = ({ state, found, costs, what }: Finding): readonly [{ text: string; tone: Tone }, string] => [
    { text: words[state], tone: tones[state] },
    `${what}: ${found}.${costs === undefined ? '' : ` ${costs}`}`,
  ];
  const remedies = lacking.flatMap(({ what, remedy }) => (remedy === undefined ? [] : [[what, remedy] as const]));
  const sections = [
    [
      ...paragraph({ text: `linecheck ${tool.version} on Node ${tool.node}, ${tool.platform}`, tone: 'strong' }, style),
      ...paragraph(`${TIERS[tool.tier]} It can see: ${listed(tool.can)}.`, style),
    ],
    definitions(findings.map(about), style),
    remedies.length === 0
      ? paragraph('Nothing is missing.', style)
      : [
          ...paragraph({ text: 'How to get what is missing', tone: 'strong' }, style),
          ...definitions(remedies, style, 2),
        ],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
