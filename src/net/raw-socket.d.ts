// The part of the package raw-socket that raw.ts uses; it brings no types of its own.
declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events';

  /** `message`: a view of the one buffer that every message of this socket is read into, and its sender. */
  export interface Socket extends EventEmitter<{ message: [Buffer, string]; error: [Error]; close: [] }> {
    send(
      buffer: Buffer,
      offset: number,
      length: number,
      address: string,
      afterCallback: (error: Error | null, bytes: number) => void,
    ): this;
    setOption(level: number, option: number, value: number): void;
    close(): this;
  }

  export interface Library {
    /** `addressFamily`: 1 IPv4, 2 IPv6. Throws what strerror(3) says, without a code. */
    createSocket(options: { protocol: number; addressFamily: 1 | 2; bufferSize?: number }): Socket;
  }

  const library: Library;
  export default library;
}
