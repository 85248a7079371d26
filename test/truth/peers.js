// Peers that take a connection and then misbehave, each on a port of its own. Runs on a server of the lab.
import { createServer } from 'node:net';

const ways = {
  9001: (socket) => socket.resume(),
  9002: (socket) => socket.resume().end(),
  9003: (socket) => socket.resetAndDestroy(),
  9004: (socket) => socket.once('data', () => socket.resetAndDestroy()),
};

const listening = Object.entries(ways).map(
  ([port, act]) =>
    new Promise((resolve) => {
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => undefined);
        socket.on('end', () => socket.end());
        act(socket);
      }).listen({ port: Number(port), host: '::' }, resolve);
    }),
);
await Promise.all(listening);
console.log('ready');
