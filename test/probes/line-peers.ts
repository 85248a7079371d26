// Peers of line protocols: one reply to each line that comes, made up or captured. They know no protocol.
import type { Socket } from 'node:net';
import { tcpPeer, type Peer } from './scenes.js';

export interface Talker extends Peer {
  /** The lines that came, without their ends. */
  readonly heard: string[];
}

/** Says `greeting`, then one of `replies` to each line, and leaves after the last. */
export async function talker(greeting: string, ...replies: readonly string[]): Promise<Talker> {
  const heard: string[] = [];
  const peer = await tcpPeer((socket: Socket) => {
    const left = [...replies];
    let unread = '';
    socket.write(greeting);
    socket.on('data', (chunk: Buffer) => {
      const lines = (unread + chunk.toString('latin1')).split('\r\n');
      unread = lines.pop() ?? '';
      for (const line of lines) {
        heard.push(line);
        const reply = left.shift();
        if (reply !== undefined) socket.write(reply);
        if (left.length === 0) socket.end();
      }
    });
  });
  return { ...peer, heard };
}

/** A captured conversation, cut into replies where a line begins with a code and a space. */
export function replaying(capture: Uint8Array): Promise<Talker> {
  const lines =
    Buffer.from(capture)
      .toString('latin1')
      .match(/[^\n]*\n/g) ?? [];
  const replies: string[] = [''];
  for (const line of lines) {
    replies.push((replies.pop() ?? '') + line);
    if (/^\d\d\d /.test(line)) replies.push('');
  }
  const [greeting = '', ...rest] = replies.filter((reply) => reply !== '');
  return talker(greeting, ...rest);
}
