// Tells whether an error came from our own kernel at once: before the event loop could take a packet in.

let turn = 0;
let armed = false;

/** The number of the present turn of the event loop; it grows once whatever was pending has been looked at. */
export function currentTurn(): number {
  if (!armed) {
    armed = true;
    setImmediate(() => {
      armed = false;
      turn += 1;
    });
  }
  return turn;
}
