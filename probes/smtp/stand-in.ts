// The smallest SMTP server: it greets, offers STARTTLS and completes it, and says goodbye. It takes no mail.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';
import { encodeCommand } from './packet.js';

const LF = Uint8Array.of(0x0a);
/** RFC 5321 §4.5.3.1.4. */
const MAX_COMMAND = 512;
/** A client of this server has four things to say. */
const MAX_COMMANDS = 16;
const SMTPS = 465;
const NAME = 'stand-in.linecheck.invalid';

/** @param implicit TLS from the start (RFC 8314) */
export async function serve(accepted: Stream, stage: Stage, implicit: boolean): Promise<void> {
  let stream = implicit ? await stage.secure(accepted) : accepted;
  let secured = implicit;
  const say = (...lines: readonly string[]): Promise<void> =>
    stream.write(Buffer.concat(lines.map((line) => encodeCommand(line))));
  try {
    await say(`220 ${NAME} ESMTP linecheck stand-in, no mail is taken here`);
    for (let count = 0; count < MAX_COMMANDS; count += 1) {
      const line = Buffer.from(await stream.readUntil(LF, MAX_COMMAND)).toString('latin1');
      const [verb = ''] = line.trim().toUpperCase().split(' ');
      if (verb === 'EHLO') await say(...(secured ? [`250 ${NAME}`] : [`250-${NAME}`, '250 STARTTLS']));
      else if (verb === 'HELO') await say(`250 ${NAME}`);
      else if (verb === 'STARTTLS' && !secured) {
        await say('220 begin');
        stream = await stage.secure(stream);
        secured = true;
      } else if (verb === 'QUIT') {
        await say(`221 ${NAME} goodbye`);
        return;
      } else await say('502 not here');
    }
    await say(`421 ${NAME} too much talk`);
  } catch (error) {
    // A client that leaves without a word has its answer too.
    if (!(error instanceof EndOfStream)) throw error;
  }
}

export const standIn: StandIn = {
  carrier: 'tcp',
  session: (stream, stage) => serve(stream, stage, stream.local.port === SMTPS),
};
