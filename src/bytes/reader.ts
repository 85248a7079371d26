// A bounds-checked cursor over bytes that a stranger sent. Network byte order. Pure.
import { ProtocolError } from './errors.js';

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** What is being read, for the error: `NTP packet`. */
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Moves past `size` bytes and returns where they began; throws ProtocolError where they are not there. */
  #take(size: number): number {
    if (size < 0 || size > this.remaining) {
      throw new ProtocolError(
        `${this.#what} ends early: ${String(size)} bytes wanted at ${String(this.#offset)}, ${String(this.remaining)} left`,
      );
    }
    const at = this.#offset;
    this.#offset += size;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** A view, not a copy. */
  bytes(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  skip(size: number): void {
    this.#take(size);
  }

  /** Latin-1, so that no byte is lost. */
  latin1(size: number): string {
    return Buffer.from(this.bytes(size)).toString('latin1');
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }
}
