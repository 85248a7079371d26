// Asks targets with plain Node sockets, all at once, and says as JSON what each socket told. Runs on the tech host.
// Standard input: {timeoutMs, targets: [{transport, address, port}]}.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { json } from 'node:stream/consumers';
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';

/**
 * `code`: "open", "timeout" or the errno's name. `via`: what reported it. `beforeImmediate`: it was there before a
 * setImmediate that was scheduled right after the call.
 */
function watch(timeoutMs, begin) {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let isImmediatePast = false;
    let end = () => undefined;
    const settle = (code, via, syscall) => {
      clearTimeout(timer);
      end();
      resolve({ code, via, syscall, ms: performance.now() - startedAt, beforeImmediate: !isImmediatePast });
    };
    const timer = setTimeout(() => settle('timeout', 'timer'), timeoutMs);
    try {
      end = begin(settle);
    } catch (error) {
      settle(error.code, 'throw', error.syscall);
    }
    setImmediate(() => (isImmediatePast = true));
  });
}

function askTcp(target, timeoutMs) {
  return watch(timeoutMs, (settle) => {
    const socket = connect({ host: target.address, port: target.port });
    socket.on('error', (error) => settle(error.code, 'error', error.syscall));
    socket.on('connect', () => settle('open', 'connect'));
    return () => socket.destroy();
  });
}

function askUdp(target, timeoutMs) {
  return watch(timeoutMs, (settle) => {
    const socket = createSocket(target.address.includes(':') ? 'udp6' : 'udp4');
    let again;
    socket.on('error', (error) => settle(error.code, 'error', error.syscall));
    socket.on('message', () => settle('open', 'message'));
    socket.connect(target.port, target.address, (failure) => {
      if (failure) {
        settle(failure.code, 'connect', failure.syscall);
        return;
      }
      const send = () => socket.send('?', (error) => error && settle(error.code, 'send', error.syscall));
      again = setInterval(send, 1000);
      send();
    });
    return () => {
      clearInterval(again);
      socket.close();
    };
  });
}

const { targets, timeoutMs } = await json(process.stdin);
const answers = await Promise.all(
  targets.map((target) => (target.transport === 'tcp' ? askTcp : askUdp)(target, timeoutMs)),
);
console.log(JSON.stringify(answers));
