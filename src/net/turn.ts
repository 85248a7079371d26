// Tells whether an error came from our own kernel at once, or was brought by a packet.
import process from 'node:process';

/**
 * Node hands on what a call itself failed with in process.nextTick, a few of them deep, and looks at sockets only when that
 * queue is empty. The phases of the event loop do not tell: a timer's callbacks run right before sockets are looked at, and
 * the next router answers within microseconds.
 */
const TICKS = 64;

let turn = 0;
let left = 0;

/** A number that is the same until whatever was begun before has had its own errors handed on, and grows then. */
export function currentTurn(): number {
  if (left === 0) process.nextTick(count);
  left = TICKS;
  return turn;
}

function count(): void {
  left -= 1;
  if (left === 0) turn += 1;
  else process.nextTick(count);
}
