// A web server over TLS for linecheck and nmap alike, on every IPv4 address of this machine. Prints its port; ends with its
// standard input.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:https';

// Built, and not there yet when this file is type-checked.
/** @type {string} */
const certificate = '../dist/src/peer/certificate.js';
const { selfSigned } = await import(certificate);
const server = createServer(selfSigned('bench.invalid', randomBytes(16), Date.now()), (_, response) => {
  // A name that nmap knows: a server that it does not know it asks every question it has.
  response.setHeader('Server', 'nginx');
  response.end('A measurement.\n');
});
server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on a port has an address');
  console.log(address.port);
});
process.stdin.resume().once('end', () => process.exit(0));
