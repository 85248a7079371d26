// What both sides of a measurement connect to, in a process of its own: accepts on every IPv4 address, says nothing,
// and lets the other side end. Prints its port; ends with its standard input.
import { createServer } from 'node:net';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.resume();
});
server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on a port has an address');
  console.log(address.port);
});
process.stdin.resume().once('end', () => process.exit(0));
