// Echoes on every TCP and UDP port whose numbers stand, as a JSON list, on standard input; says "ready" when all listen.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { json } from 'node:stream/consumers';

const ports = await json(process.stdin);
await Promise.all(
  ports.flatMap((port) => {
    const tcp = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
    const udp = createSocket('udp6');
    udp.on('message', (bytes, from) => udp.send(bytes, from.port, from.address));
    tcp.listen(port, '::');
    udp.bind(port, '::');
    return [once(tcp, 'listening'), once(udp, 'listening')];
  }),
);
console.log('ready');
