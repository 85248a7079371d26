// How wide and how coloured text may be, and the escape codes for it. Which of both a terminal gets is decided in entry/.

export interface Style {
  /** Columns. Nothing is printed wider. */
  readonly width: number;
  /** Without it there is not one escape code in the output. */
  readonly colour: boolean;
}

/** What a colour stands for; the words beside it always say the same. */
export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'bad' | 'doubt';

/** ECMA-48 §8.3.117 SGR: the codes that start and end each tone. */
const codes: Readonly<Record<Exclude<Tone, 'plain'>, readonly [number, number]>> = {
  strong: [1, 22],
  faint: [2, 22],
  good: [32, 39],
  bad: [31, 39],
  doubt: [33, 39],
};

export function paint(text: string, tone: Tone, style: Style): string {
  if (!style.colour || tone === 'plain' || text === '') return text;
  const [start, end] = codes[tone];
  return `\u001b[${start}m${text}\u001b[${end}m`;
}
