import type { Clock } from '../core/clock.ts';

type Due = { readonly at: number; readonly serial: number; readonly run: () => void; cancelled: boolean };

/**
 * Virtual time: it stands still while something happens and jumps to the next thing that is due. What is due at the same
 * instant happens in the order in which it was asked for, so a world without other chance always goes the same way.
 */
export class Timeline implements Clock {
  readonly #start: number;
  readonly #heap: Due[] = [];
  #now: number;
  #serial = 0;

  constructor(start: number) {
    this.#start = start;
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  after(milliseconds: number, run: () => void): () => void {
    const due: Due = { at: this.#now + Math.max(0, milliseconds), serial: this.#serial, run, cancelled: false };
    this.#serial += 1;
    this.#push(due);
    return () => {
      due.cancelled = true;
    };
  }

  /** When the next thing is due; undefined when nothing ever will be. */
  next(): number | undefined {
    while (this.#heap[0]?.cancelled) this.#pop();
    return this.#heap[0]?.at;
  }

  /** Does the next thing that is due; false when there is none. */
  step(): boolean {
    if (this.next() === undefined) return false;
    const due = this.#pop();
    this.#now = Math.max(this.#now, due.at);
    due.run();
    return true;
  }

  /** Lets time pass up to an instant at which nothing is due. */
  pass(until: number): void {
    const next = this.next();
    if (next !== undefined && next < until) throw new Error('impossible: something is due before');
    this.#now = Math.max(this.#now, until);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(due, heap[above] as Due)) break;
      heap[at] = heap[above] as Due;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): Due {
    const heap = this.#heap;
    const first = heap[0] as Due;
    const last = heap.pop() as Due;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && before(heap[right] as Due, heap[left] as Due) ? right : left;
      if (!before(heap[child] as Due, last)) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.serial < other.serial);
}
