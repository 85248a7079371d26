// What of a KVM.net device a network sees, as far as its document says it: it answers discovery on UDP 3080 and 3081, always
// from 3080, and takes TCP connections on 900 to 902. Besides, ports of no public protocol: one that takes connections (TCP
// 8989), one that takes datagrams and never answers (UDP 10000). Says "ready" when all listen.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const ready = [];
for (const type of ['udp4', 'udp6']) {
  const open = (port) => {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    ready.push(once(socket, 'listening'));
    return socket.bind(port);
  };
  const answering = open(3080);
  const answer = (_question, from) => answering.send('a device of the lab', from.port, from.address);
  answering.on('message', answer);
  open(3081).on('message', answer);
  open(10000).on('message', () => undefined);
}
for (const port of [900, 901, 902, 8989]) {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
  server.listen(port, '::');
  ready.push(once(server, 'listening'));
}
await Promise.all(ready);
console.log('ready');
