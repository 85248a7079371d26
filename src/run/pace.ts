// So many starts in one stretch of time, the others in the order they came. What is started is not known here.

/** Each stretch begins with the first start after the one before has ended. */
export class Pace {
  readonly #most: number;
  readonly #atEnd: (next: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #started = 0;

  /**
   * @param most starts in one stretch
   * @param atEnd calls back when the stretch that begins now has ended
   */
  constructor(most: number, atEnd: (next: () => void) => void) {
    this.#most = most;
    this.#atEnd = atEnd;
  }

  /** Resolves when the caller may start. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#started < this.#most) this.#start(resolve);
      else this.#waiting.push(resolve);
    });
  }

  /** Lets everyone go at once. */
  release(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  #start(go: () => void): void {
    if (this.#started === 0) this.#atEnd(() => this.#next());
    this.#started += 1;
    go();
  }

  // Only those whose turn it is are woken: each of hundreds that wait would look, and wait again.
  #next(): void {
    this.#started = 0;
    for (const go of this.#waiting.splice(0, this.#most)) this.#start(go);
  }
}
