import type { Written } from '../../src/simulation/etcd.ts';
import type { Request, Response } from '../../src/simulation/request.ts';
import { phaseOf } from './truth.ts';

/** Keeps the story of a run: every write, every request of Drydock that was refused, everything that befell it. */
export class Trace {
  readonly #lines: string[] = [];
  readonly #from: number;
  readonly #whole: boolean;
  #sum = 0;

  constructor(from: number, whole: boolean) {
    this.#from = from;
    this.#whole = whole;
  }

  /** One line, with its instant. */
  tell(now: number, text: string): void {
    const line = `${((now - this.#from) / 1000).toFixed(3).padStart(10)}  ${text}`;
    for (let at = 0; at < line.length; at += 1) this.#sum = (Math.imul(this.#sum, 31) + line.charCodeAt(at)) | 0;
    if (this.#whole) this.#lines.push(line);
  }

  written(now: number, { resource, key, before, after, by, revision }: Written): void {
    const what = before === undefined ? 'created' : after === undefined ? 'removed' : 'written';
    const [from, to] = [phaseOf(before), phaseOf(after)];
    const step = from !== to && to !== undefined ? ` ${from ?? ''} → ${to}` : '';
    this.tell(now, `#${revision} ${resource} ${key} ${what} by ${by}${step}`);
  }

  answered(now: number, { method, path, user }: Request, { status, body }: Response): void {
    if (status < 400) return;
    const { message = '' } = (body ?? {}) as { readonly message?: string };
    this.tell(now, `${method} ${path} by ${user}: ${status} ${message}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** One number for the whole story: two runs that have the same went the same way. */
  get digest(): string {
    return (this.#sum >>> 0).toString(16).padStart(8, '0');
  }
}
