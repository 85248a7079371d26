// The smallest PPTP server: it begins a control connection with whom speaks its version and ends it. It takes no calls.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { StandIn, Stream } from '../../src/contract/probe.js';
import { START_RESULT, VERSION, encodeMessage, nextMessage } from './packet.js';

export const standIn: StandIn = {
  carrier: 'tcp',
  async session(stream: Stream): Promise<void> {
    try {
      const request = await nextMessage(stream);
      if (request.kind !== 'start-request') return;
      const speaks = request.version >> 8 === VERSION >> 8;
      await stream.write(
        encodeMessage({
          kind: 'start-reply',
          version: VERSION,
          result: speaks ? START_RESULT.successful : START_RESULT.versionNotSupported,
          error: 0,
          framing: 3,
          bearer: 3,
          maxChannels: 0,
          firmware: 1,
          hostName: 'linecheck stand-in',
          vendor: 'linecheck stand-in',
        }),
      );
      if (!speaks) return;
      // Whatever else comes would be a call.
      const next = await nextMessage(stream);
      if (next.kind === 'stop-request') await stream.write(encodeMessage({ kind: 'stop-reply', result: 1, error: 0 }));
    } catch (error) {
      // A client that leaves without a word has its answer too.
      if (!(error instanceof EndOfStream)) throw error;
    }
  },
};
