// The fuzz properties of decoders: whatever comes, a value or a ProtocolError. Whole probes: conformance.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/bytes/errors.js';

/**
 * How many inputs each property takes, those of decoders and those that a whole probe is asked with: `LINECHECK_FUZZ=1000000`
 * sets both. `LINECHECK_FUZZ_SEED` repeats a run.
 */
const decoderRuns = Number(process.env['LINECHECK_FUZZ'] ?? 20_000);
export const fuzzRuns = Number(process.env['LINECHECK_FUZZ'] ?? 1000);
export const fuzzSeed =
  process.env['LINECHECK_FUZZ_SEED'] === undefined ? Date.now() | 0 : Number(process.env['LINECHECK_FUZZ_SEED']);

export interface Decoder {
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Well-formed inputs, at least one from outside. They are mutated, and every prefix of them is tried. */
  readonly samples: readonly Uint8Array[];
}

/** How a decoder's export is named; only these are looked for. */
export const DECODER_NAME = /^(?:parse|decode|read)[A-Z]/;

/** Marsaglia's xorshift32: numbers below `limit`, the same ones for the same seed. */
function dice(seed: number): (limit: number) => number {
  let state = seed | 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const MOST_RANDOM = 400;
const HOW = ['flip', 'ones', 'zeros', 'cut', 'double', 'insert', 'truncate', 'splice'] as const;

function randomBytes(roll: (limit: number) => number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => roll(256));
}

function edited(bytes: Uint8Array, samples: readonly Uint8Array[], roll: (limit: number) => number): Uint8Array {
  const place = bytes.length === 0 ? 0 : roll(bytes.length);
  const size = roll(17);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const overwritten = (count: number, value: (byte: number) => number): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    for (let at = place; at < Math.min(copy.length, place + count); at += 1) copy[at] = value(copy[at] ?? 0);
    return copy;
  };
  switch (HOW[roll(HOW.length)]) {
    case 'flip':
      return overwritten(1, (byte) => byte ^ (1 << roll(8)));
    case 'ones':
      return overwritten(size % 5, () => 0xff);
    case 'zeros':
      return overwritten(size % 5, () => 0);
    case 'cut':
      return Buffer.concat([before, after.subarray(size)]);
    case 'double':
      return Buffer.concat([before, after.subarray(0, size), after]);
    case 'insert':
      return Buffer.concat([before, randomBytes(roll, 1 + roll(8)), after]);
    case 'splice': {
      const other = samples[roll(samples.length)] ?? new Uint8Array(0);
      return Buffer.concat([before, other.subarray(Math.min(place, other.length))]);
    }
    default:
      return before;
  }
}

/** Random bytes, or a sample with bits flipped, fields overwritten, parts cut out, doubled and spliced: of this seed. */
function hostileOf(seed: number, samples: readonly Uint8Array[]): Uint8Array {
  const roll = dice(seed);
  if (samples.length === 0 || roll(4) === 0) return randomBytes(roll, roll(MOST_RANDOM + 1));
  let bytes: Uint8Array = Uint8Array.from(samples[roll(samples.length)] ?? []);
  for (let edits = 1 + roll(4); edits > 0; edits -= 1) bytes = edited(bytes, samples, roll);
  return Uint8Array.from(bytes);
}

/** One number makes each input: drawn byte by byte, tens of thousands would take minutes. */
export function hostileBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  // A smaller number makes no smaller input.
  return fc.noShrink(fc.integer()).map((seed) => hostileOf(seed, samples));
}

/** A decoded value that is larger than this was not made from its input. */
const GROWTH = 64;

/** Throws where the decoder does anything else than return a value or throw a ProtocolError. */
function tryOn({ decode }: Decoder, bytes: Uint8Array): void {
  const before = Buffer.from(bytes).toString('hex');
  try {
    const value = decode(bytes);
    const size = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)).length;
    if (size > GROWTH * (bytes.length + 64)) throw new Error(`${bytes.length} bytes became ${size} characters`);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    if (!/^[\x20-\x7e…]{1,300}$/.test(error.message)) {
      throw new Error(`a message that is empty, long or not printable: ${JSON.stringify(error.message)}`, {
        cause: error,
      });
    }
  }
  if (Buffer.from(bytes).toString('hex') !== before) throw new Error('the decoder changed its input');
}

/** One property for each decoder that `packet`, a packet.ts as a module, exports; one that is missing here fails. */
export function describeDecoders(
  packet: Readonly<Record<string, unknown>>,
  decoders: Readonly<Record<string, Decoder>>,
): void {
  describe('the decoders', () => {
    it('all have a fuzz property', () => {
      const exported = Object.keys(packet).filter(
        (name) => DECODER_NAME.test(name) && typeof packet[name] === 'function',
      );
      expect(Object.keys(decoders).sort()).toEqual(exported.sort());
      expect(exported.length).toBeGreaterThan(0);
    });

    describe.each(Object.entries(decoders))('%s', (_, decoder) => {
      it('reads its samples', () => {
        expect(decoder.samples.length).toBeGreaterThan(0);
        for (const sample of decoder.samples) expect(decoder.decode(sample)).toBeDefined();
      });

      it('reads or refuses every prefix of them', () => {
        for (const sample of decoder.samples) {
          for (let size = 0; size <= sample.length; size += 1) tryOn(decoder, sample.subarray(0, size));
        }
      });

      it('reads or refuses random and mutated bytes', { timeout: 60_000 + decoderRuns }, () => {
        const property = fc.property(hostileBytes(decoder.samples), (bytes) => {
          tryOn(decoder, bytes);
        });
        // On failure fast-check prints the seed and the input.
        fc.assert(property, { numRuns: decoderRuns, seed: fuzzSeed });
      });
    });
  });
}
