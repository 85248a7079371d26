// How a flow is asked: its probe, the merged options, the depth. Options are judged by the probe's own schema, and what
// is wrong with one is told at the place where it was written.
import type { Identity, Place, Reach } from '../contract/flow.js';
import type { Carrier, Probe, Traits } from '../contract/probe.js';
import type { Path } from './document.js';
import { checked, jsonSchemaOf, secretPaths, stringsAt, type JsonSchema } from './issues.js';
import { nearest, oneOf, suggestion } from './nearest.js';
import { mergeOptions, type Options } from './options.js';
import { quoted, type Problems } from './problem.js';
import type { Flow } from './profile.js';
import type { FlowOverride } from './site.js';

export interface Asking {
  readonly options: Readonly<Record<string, unknown>>;
  readonly identity?: Identity;
  readonly traits: Traits;
  readonly reach: Reach;
}

export interface ProbeShelf {
  readonly probes: ReadonlyMap<string, Probe>;
  /** Names of probes that exist, loaded or not. */
  readonly names: readonly string[];
  /** Names of the site's secrets. */
  readonly secrets: readonly string[];
}

/** Judges how flows are asked; remembers each probe's schema. */
export class Asker {
  readonly #shelf: ProbeShelf;
  readonly #problems: Problems;
  readonly #schemas = new Map<Probe, JsonSchema>();

  constructor(shelf: ProbeShelf, problems: Problems) {
    this.#shelf = shelf;
    this.#problems = problems;
  }

  /** Undefined where something is wrong; the problem is then known. */
  asking(flow: Flow, layers: readonly FlowOverride[]): Asking | undefined {
    const probe = this.#probeOf(flow);
    if (probe === undefined) return undefined;
    const merged = mergeOptions(flow.options, ...layers.map(({ options }) => options));
    const options = this.#options(flow, probe, merged);
    if (options === undefined) return undefined;
    const { traits } = probe.bind(flow.carrier, options);
    const reach = layers.findLast((layer) => layer.reach !== undefined)?.reach ?? flow.reach;
    if (reach !== undefined && reach.value !== 'path' && !traits.depths.includes(reach.value)) {
      this.#problems.add(() => ({
        place: reach.place ?? flow.place,
        what: `the probe ${quoted(probe.name)} cannot reach ${quoted(reach.value)} here`,
        expected: oneOf(['path', ...traits.depths]),
      }));
      return undefined;
    }
    const identity = identityOf(options);
    return {
      options,
      ...(identity === undefined ? {} : { identity }),
      traits,
      reach: reach?.value ?? traits.defaultDepth,
    };
  }

  #probeOf(flow: Flow): Probe | undefined {
    const { value: name } = flow.probe;
    const place = flow.probe.place ?? flow.place;
    const probe = this.#shelf.probes.get(name);
    if (probe === undefined) {
      this.#problems.add(() => {
        const { hint, expected } = suggestion(name, this.#shelf.names);
        const what = `no probe ${quoted(name)}${hint}`;
        return { place, what, ...(expected === undefined ? {} : { expected }) };
      });
      return undefined;
    }
    if (!probe.carriers.some((carrier) => carrierName(carrier) === carrierName(flow.carrier))) {
      this.#problems.add(() => ({
        place,
        what: `the probe ${quoted(name)} does not go over ${carrierName(flow.carrier)}`,
        expected: oneOf(probe.carriers.map(carrierName)),
      }));
      return undefined;
    }
    return probe;
  }

  #options(flow: Flow, probe: Probe, merged: Options): Readonly<Record<string, unknown>> | undefined {
    const place = ([name, ...within]: Path, part: 'key' | 'value'): Place => {
      const option = typeof name === 'string' ? merged.get(name) : undefined;
      return option?.place(part, within) ?? flow.probe.place ?? flow.place;
    };
    const value: Record<string, unknown> = { __proto__: null };
    for (const [name, option] of merged) value[name] = option.value;
    const schema = this.#schemaOf(probe);
    const secret = secretPaths(schema);
    const hidden = (path: Path): boolean => secret.some(([name]) => name === path[0]);
    const top = `"with" of the probe ${quoted(probe.name)}`;
    const options = checked(probe.options, { value, place, top, hidden }, this.#problems);
    if (options === undefined) return undefined;
    if (!this.#secretsExist(options, secret, place)) return undefined;
    return typeof options === 'object' && options !== null ? { ...options } : {};
  }

  #secretsExist(
    options: unknown,
    secret: ReturnType<typeof secretPaths>,
    place: (path: Path, part: 'value') => Place,
  ): boolean {
    const missing = secret
      .flatMap((path) => stringsAt(options, path))
      .filter(({ text }) => !this.#shelf.secrets.includes(text));
    for (const { path, text } of missing) {
      this.#problems.add(() => {
        // Not repeated: somebody may have written the secret itself.
        const near = nearest(text, this.#shelf.secrets);
        return {
          place: place(path, 'value'),
          what: `${quoted(String(path[0]))} names a secret that the site does not have${near === undefined ? '' : `; did you mean ${quoted(near)}?`}`,
          ...(near === undefined ? { expected: 'the name of one under "secrets:"' } : {}),
        };
      });
    }
    return missing.length === 0;
  }

  #schemaOf(probe: Probe): JsonSchema {
    const known = this.#schemas.get(probe);
    if (known !== undefined) return known;
    const schema = jsonSchemaOf(probe.options);
    this.#schemas.set(probe, schema);
    return schema;
  }
}

/** `tcp`, `udp`, `icmp`, `ip-47`. */
export function carrierName(carrier: Carrier): string {
  return typeof carrier === 'string' ? carrier : `ip-${carrier.ipProtocol}`;
}

/** What a TLS session must show, where the options say so; the judge compares. */
function identityOf(options: Readonly<Record<string, unknown>>): Identity | undefined {
  const { pin, issuer, ca } = options;
  const identity: Identity = {
    ...(typeof pin === 'string' ? { pin } : {}),
    ...(typeof issuer === 'string' ? { issuer } : {}),
    ...(typeof ca === 'string' ? { ca } : {}),
  };
  return Object.keys(identity).length === 0 ? undefined : identity;
}
