// The fuzz properties of decoders: whatever comes, a value or a ProtocolError. Whole probes: conformance.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/bytes/errors.js';

/** How many inputs each property takes: `LINECHECK_FUZZ=1000000`. `LINECHECK_FUZZ_SEED` repeats a run. */
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

/** Random bytes, and samples with bits flipped, fields overwritten, parts cut out, doubled and spliced. */
export function hostileBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const random = fc.uint8Array({ maxLength: 400 });
  if (samples.length === 0) return random;
  const sample = fc.constantFrom(...samples);
  const edit = fc.record({
    how: fc.constantFrom('flip', 'ones', 'zeros', 'cut', 'double', 'insert', 'truncate', 'splice'),
    at: fc.nat(100_000),
    size: fc.nat(16),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    other: sample,
  });
  const mutated = fc.tuple(sample, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([start, edits]) => {
    let bytes = Uint8Array.from(start);
    for (const { how, at, size, bytes: given, other } of edits) {
      const place = bytes.length === 0 ? 0 : at % bytes.length;
      const before = bytes.subarray(0, place);
      const after = bytes.subarray(place);
      const rest = after.subarray(size);
      if (how === 'flip')
        bytes = Uint8Array.from([...before, ...after.map((byte, i) => (i === 0 ? byte ^ (1 << (size % 8)) : byte))]);
      else if (how === 'ones')
        bytes = Uint8Array.from([...before, ...after.map((byte, i) => (i < size % 5 ? 0xff : byte))]);
      else if (how === 'zeros')
        bytes = Uint8Array.from([...before, ...after.map((byte, i) => (i < size % 5 ? 0 : byte))]);
      else if (how === 'cut') bytes = Uint8Array.from([...before, ...rest]);
      else if (how === 'double') bytes = Uint8Array.from([...before, ...after.subarray(0, size), ...after]);
      else if (how === 'insert') bytes = Uint8Array.from([...before, ...given, ...after]);
      else if (how === 'truncate') bytes = Uint8Array.from(before);
      else bytes = Uint8Array.from([...before, ...other.subarray(Math.min(place, other.length))]);
    }
    return bytes;
  });
  return fc.oneof({ weight: 1, arbitrary: random }, { weight: 3, arbitrary: mutated });
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

      it('reads or refuses random and mutated bytes', { timeout: 30_000 + fuzzRuns }, () => {
        const property = fc.property(hostileBytes(decoder.samples), (bytes) => {
          tryOn(decoder, bytes);
        });
        // On failure fast-check prints the seed and the smallest input that fails.
        fc.assert(property, { numRuns: fuzzRuns, seed: fuzzSeed });
      });
    });
  });
}
