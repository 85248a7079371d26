// TCP: one connection to the target's address. No name is looked up here, no second address tried.
import type { Session } from './session.js';
import { SocketStream } from './stream.js';
import { openTcpSocket, packetTtl } from './watched.js';

/** Rejects with SocketFailed (the ledger says why) or Aborted. */
export function connectTcp(session: Session): Promise<SocketStream> {
  const { target } = session;
  const record = session.record('tcp');
  const socket = openTcpSocket(session, record);
  const owned = session.own(() => socket.destroy());
  const beganMs = session.elapsedMs();
  let atOnce = true;
  const source = session.options.source?.[target.family];
  session.say('connecting', `${target.address} port ${target.port}`);
  return session.wait((resolve, reject) => {
    socket.on('error', (error) => {
      const opening = record.state === 'opening';
      const failure = session.fail(record, error, opening && atOnce, beganMs);
      if (opening) reject(failure);
    });
    // connect(2) follows in this very tick, and its own error with the ticks after it. What the network says comes later, but
    // on a near network before the event loop has turned once.
    socket.once('connectionAttempt', () => {
      queueMicrotask(() => {
        atOnce = false;
      });
    });
    socket.once('close', () => {
      owned.release();
      if (record.state === 'open') record.state = 'closed';
    });
    socket.once('connect', () => {
      record.state = 'open';
      record.connectedMs = session.elapsedMs();
      if (socket.localAddress !== undefined) record.localAddress = socket.localAddress;
      session.say('connected', `from ${socket.localAddress ?? '?'} port ${socket.localPort ?? 0}`);
      session.see({ kind: 'alive', address: target.address, by: 'handshake', ...packetTtl(socket, 'handshake') });
      resolve(new SocketStream(socket, session, record));
    });
    socket.setNoDelay(true);
    socket.connect({
      host: target.address,
      port: target.port,
      family: target.family,
      autoSelectFamily: false,
      ...(source === undefined ? {} : { localAddress: source }),
      ...(target.sourcePort === undefined ? {} : { localPort: target.sourcePort }),
    });
  });
}
