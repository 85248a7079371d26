// Options of a probe as files give them: merged by precedence, each remembering where it was written.
import type { Place } from '../contract/flow.js';
import type { Path, YamlFile } from './document.js';
import { entriesOf } from './words.js';

export interface Option {
  readonly value: unknown;
  /** Of the key, or of what stands below it at a path within the value. */
  place(part: 'key' | 'value', within?: Path): Place;
}

export type Options = ReadonlyMap<string, Option>;

/** The options that stand in `file` as the map at `path`. */
export function optionsAt(file: YamlFile, path: Path, options: unknown): Options {
  return new Map(
    entriesOf(options).map(([name, value]) => [
      name,
      { value, place: (part, within = []) => file.place([...path, name, ...within], part) },
    ]),
  );
}

/** Later ones go before earlier ones, key by key. */
export function mergeOptions(...layers: readonly Options[]): Options {
  return new Map(layers.flatMap((layer) => [...layer]));
}
