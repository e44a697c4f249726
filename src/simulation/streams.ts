import type { ServerResponse } from 'node:http';

/**
 * Writes piece by piece, no faster than they are read; nothing more is made for one who has gone. Bytes, here and below: of
 * a text that is not ASCII Node 26 reckons an answer full by its bytes and the socket by its characters (_http_outgoing.js,
 * `write_`), and when they disagree the answer waits for a 'drain' that never comes.
 */
export function pour(response: ServerResponse, pieces: Iterable<string>): void {
  const iterator = pieces[Symbol.iterator]();
  const goOn = () => {
    while (!response.destroyed) {
      const next = iterator.next();
      if (next.done) {
        response.end();
        return;
      }
      if (response.write(Buffer.from(next.value))) continue;
      response.once('drain', goOn);
      return;
    }
  };
  goOn();
}

/** So many events may wait for a watcher that does not read, as many as a large cluster has in a burst. */
const MOST_WAITING = 20_000;
/** So many lines go together into one write. */
const AT_ONCE = 100;

/** The lines of one watch. Whoever reads too slowly is cut off, as an API server does, and lists again. */
export class Lines {
  readonly #response: ServerResponse;
  readonly #most: number;
  #waiting: string[] = [];
  /** How many of those that wait are what the watch began with. */
  #past = 0;
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
    this.#past = this.#waiting.length;
    this.#write();
  }

  tell(line: string): void {
    if (this.#response.destroyed || this.#ended) return;
    this.#waiting.push(line);
    if (!this.#begun) return;
    if (this.#waiting.length - this.#past > this.#most) {
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
    while (this.#waiting.length > 0 && !this.#isFull) {
      const lines = this.#waiting.splice(0, AT_ONCE);
      this.#past = Math.max(0, this.#past - lines.length);
      this.#isFull = !this.#response.write(Buffer.from(lines.join('')));
    }
    if (this.#ended && this.#waiting.length === 0) this.#response.end();
  }
}
