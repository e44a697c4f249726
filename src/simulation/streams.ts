import type { ServerResponse } from 'node:http';

/** Writes piece by piece, no faster than they are read; nothing more is made for one who has gone. */
export function pour(response: ServerResponse, pieces: Iterable<string>): void {
  const iterator = pieces[Symbol.iterator]();
  const goOn = () => {
    while (!response.destroyed) {
      const next = iterator.next();
      if (next.done) {
        response.end();
        return;
      }
      if (response.write(next.value)) continue;
      response.once('drain', goOn);
      return;
    }
  };
  goOn();
}

/** So many events may wait for a watcher that does not read, as many as a large cluster has in a burst. */
const MOST_WAITING = 20_000;

/** The lines of one watch. Whoever reads too slowly is cut off, as an API server does, and lists again. */
export class Lines {
  readonly #response: ServerResponse;
  readonly #most: number;
  #waiting: string[] = [];
  #isFull = false;
  #begun = false;
  #ended = false;

  constructor(response: ServerResponse, most = MOST_WAITING) {
    this.#response = response;
    this.#most = most;
    response.on('drain', () => {
      this.#isFull = false;
      this.#write();
    });
  }

  /** How many lines wait for the reader. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** What the watch began with has been told; only what comes after it counts as slow reading. */
  begun(): void {
    this.#begun = true;
    this.#write();
  }

  tell(line: string): void {
    if (this.#response.destroyed || this.#ended) return;
    this.#waiting.push(line);
    if (!this.#begun) return;
    if (this.#waiting.length > this.#most) {
      this.#waiting = [];
      this.#response.destroy();
    } else this.#write();
  }

  end(): void {
    this.#ended = true;
    this.#write();
  }

  #write(): void {
    if (this.#response.destroyed) {
      this.#waiting = [];
      return;
    }
    if (this.#isFull) return;
    let written = 0;
    while (written < this.#waiting.length && !this.#isFull) {
      this.#isFull = !this.#response.write(this.#waiting[written] as string);
      written += 1;
    }
    this.#waiting = written === this.#waiting.length ? [] : this.#waiting.slice(written);
    if (this.#ended && this.#waiting.length === 0) this.#response.end();
  }
}
