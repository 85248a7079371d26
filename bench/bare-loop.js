// What linecheck is held against: net.connect to each address, so many at once, and nothing else.
// node bare-loop.js PORT CONCURRENCY ADDRESS...; prints the milliseconds that it took.
import { connect } from 'node:net';

const [port = '', concurrency = '', ...addresses] = process.argv.slice(2);
const began = process.hrtime.bigint();
let next = 0;
let open = 0;

function fill() {
  while (open < Number(concurrency) && next < addresses.length) {
    const host = addresses[next++] ?? '';
    open += 1;
    const socket = connect({ host, port: Number(port), autoSelectFamily: false });
    socket.once('connect', () => socket.end());
    socket.once('error', (error) => {
      throw error;
    });
    socket.resume();
    socket.once('close', () => {
      open -= 1;
      if (open === 0 && next === addresses.length) console.log(Number(process.hrtime.bigint() - began) / 1e6);
      else fill();
    });
  }
}

fill();
