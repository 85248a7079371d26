// The smallest FTP server: it greets, lists AUTH TLS as its one feature and completes it, and lets nobody in.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';
import { encodeCommand } from '../smtp/packet.js';

const LF = Uint8Array.of(0x0a);
const MAX_COMMAND = 512;
/** A client of this server has four things to say. */
const MAX_COMMANDS = 16;
const FTPS = 990;

/** @param implicit TLS from the start */
export async function serve(accepted: Stream, stage: Stage, implicit: boolean): Promise<void> {
  let stream = implicit ? await stage.secure(accepted) : accepted;
  let secured = implicit;
  const say = (...lines: readonly string[]): Promise<void> =>
    stream.write(Buffer.concat(lines.map((line) => encodeCommand(line))));
  try {
    await say('220 linecheck stand-in, nobody can log in here');
    for (let count = 0; count < MAX_COMMANDS; count += 1) {
      const line = Buffer.from(await stream.readUntil(LF, MAX_COMMAND))
        .toString('latin1')
        .trim()
        .toUpperCase();
      if (line === 'FEAT') await say('211-Features:', ' AUTH TLS', '211 End');
      else if (line === 'SYST') await say('215 UNIX Type: L8');
      else if (line === 'AUTH TLS' && !secured) {
        await say('234 begin');
        stream = await stage.secure(stream);
        secured = true;
      } else if (line === 'QUIT') {
        await say('221 goodbye');
        return;
      } else await say('530 nobody can log in here');
    }
    await say('421 too much talk');
  } catch (error) {
    // A client that leaves without a word has its answer too.
    if (!(error instanceof EndOfStream)) throw error;
  }
}

export const standIn: StandIn = {
  carrier: 'tcp',
  session: (stream, stage) => serve(stream, stage, stream.local.port === FTPS),
};
