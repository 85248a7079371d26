// Pages about probes: what each asks, what its answer and its silence prove, and which options it takes.
import type { Depth, Probe, Traits } from '../contract/probe.js';
import { definitions, paragraph, type Part } from './layout.js';
import type { Style } from './style.js';
import { carrierWord, count, listed, size } from './words.js';

export type ProbeHead = Pick<Probe, 'name' | 'summary' | 'carriers' | 'defaultPort'>;

/** What a probe is on one carrier, with its default options. */
export interface ProbeCarrier {
  readonly carrier: Probe['carriers'][number];
  readonly traits: Traits;
}

export function probeList(probes: readonly ProbeHead[], style: Style): string {
  const rows = probes.map((probe): readonly [Part, string] => [
    strong(probe.name),
    `${probe.summary} [${carriersOf(probe)}]`,
  ]);
  return `${definitions(rows, style).join('\n')}\n`;
}

function strong(text: string): Part {
  return { text, tone: 'strong' };
}

function carriersOf({ carriers, defaultPort }: ProbeHead): string {
  const words = carriers.map((carrier) => carrierWord(carrier));
  return defaultPort === undefined ? words.join(', ') : `${words.join(', ')} ${defaultPort}`;
}

const depths: Readonly<Record<Depth, string>> = {
  port: 'something accepts on the port',
  secure: 'a secure channel stands',
  protocol: 'the protocol answers',
  service: 'the service serves us',
};

const silences: Readonly<Record<Traits['silence'], string>> = {
  conclusive: 'a healthy peer always answers, so silence is a failure',
  ambiguous: 'a healthy peer may ignore a stranger, so silence proves nothing',
  'by-design': 'the protocol has no answer, so only a receipt at the far end proves anything',
};

/** `options`: the JSON Schema of the probe's options. */
export function probePage(
  probe: ProbeHead,
  carriers: readonly ProbeCarrier[],
  options: Readonly<Record<string, unknown>>,
  style: Style,
): string {
  const several = carriers.length > 1;
  const sections = [
    [
      ...paragraph(strong(probe.name), style),
      ...definitions(
        [
          ['Asks', probe.summary],
          ['Carrier', probe.carriers.map((carrier) => carrierWord(carrier)).join(', ')],
          ['Port', probe.defaultPort === undefined ? 'no default' : `${probe.defaultPort} unless another is given`],
          ...(several ? [] : carriers.flatMap(carrierRows)),
        ],
        style,
      ),
    ],
    ...(several ? carriers : []).map((each) => [
      ...paragraph(strong(`Over ${carrierWord(each.carrier)}`), style),
      ...definitions(carrierRows(each), style),
    ]),
    optionLines(options, style),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function carrierRows({ traits }: ProbeCarrier): (readonly [string, string])[] {
  const sends = traits.sends.map(({ what, packets, bytes }) => `${what} (${count(packets, 'packet')}, ${size(bytes)})`);
  const proves = traits.depths.map((depth) => {
    const usual = depth === traits.defaultDepth ? ', what a flow asks for unless it says otherwise' : '';
    return `${depth} (${depths[depth]}${usual})`;
  });
  return [
    ['Sends', sends.length === 0 ? 'nothing of its own' : sends.join('; ')],
    ['Proves', proves.join('; ')],
    ['Silence', `${traits.silence}: ${silences[traits.silence]}`],
    ['Needs', traits.needs ?? 'no privileges'],
  ];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function optionLines(schema: Readonly<Record<string, unknown>>, style: Style): string[] {
  const properties = Object.entries(record(schema['properties']));
  if (properties.length === 0) return paragraph('It takes no options.', style);
  const required = list(schema['required']);
  const rows = properties.map(([name, value]): readonly [Part, string] => {
    const option = record(value);
    const standing =
      option['default'] !== undefined
        ? `; default ${JSON.stringify(option['default'])}`
        : required.includes(name)
          ? '; required'
          : '';
    const { description } = option;
    return [
      strong(name),
      `${typeof description === 'string' ? `${description} ` : ''}(${typeWords(option)}${standing})`,
    ];
  });
  return [...paragraph(strong('Options'), style), ...definitions(rows, style, 2)];
}

/** A JSON Schema as a person would say it. */
function typeWords(schema: Readonly<Record<string, unknown>>): string {
  if (schema['linecheck'] === 'secret') return 'name of a secret';
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']);
  const values = list(schema['enum']);
  if (values.length > 0) return listed(values.map(String), 'or');
  const choices = [...list(schema['anyOf']), ...list(schema['oneOf'])];
  if (choices.length > 0) return listed([...new Set(choices.map((each) => typeWords(record(each))))], 'or');
  const { type } = schema;
  if (type === 'array') return `list of ${typeWords(record(schema['items']))}`;
  if (type === 'object') return 'map';
  if (type === 'integer' || type === 'number') return numberWords(schema);
  return typeof type === 'string' ? type : 'any';
}

function numberWords({ type, minimum, maximum }: Readonly<Record<string, unknown>>): string {
  const word = type === 'integer' ? 'integer' : 'number';
  // What z.int() writes where nobody gave a bound.
  const low = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (low !== undefined && high !== undefined) return `${word} from ${low} to ${high}`;
  if (low !== undefined) return `${word} from ${low}`;
  return high === undefined ? word : `${word} up to ${high}`;
}
