import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROBE = join(import.meta.dirname, 'probe.cjs');

/** How a process was at one moment. */
export type Vitals = {
  readonly rss: number;
  /** What is in the heap of JavaScript, garbage that nobody has collected yet included. */
  readonly heapUsed: number;
  readonly cpuMs: number;
  /** The longest time for which its event loop did not turn since it was last asked. */
  readonly stallMs: number;
};

/** A process that tells how it is; it cannot outlive this one. */
export type Measured = {
  /** `rest`: from now on the event loop is not watched, which itself costs time. */
  ask(what?: 'go on' | 'rest'): Promise<Vitals>;
  /** The last line that it wrote. */
  said(): string;
  alive(): boolean;
  end(): Promise<void>;
};

/** Starts Node with these arguments, and the probe before them. */
export function measure(
  args: readonly string[],
  { log, env = {} }: { readonly log: string; readonly env?: Readonly<Record<string, string | undefined>> },
): Measured {
  const out = openSync(log, 'w');
  const child = spawn(process.execPath, ['--require', PROBE, ...args], {
    stdio: ['ignore', out, out, 'ipc'],
    env: { PATH: process.env['PATH'], ...env },
  });
  closeSync(out);
  const written = () => readFileSync(log, 'utf8').trimEnd();
  const waiting: { readonly resolve: (vitals: Vitals) => void; readonly reject: (error: Error) => void }[] = [];
  let alive = true;
  child.on('message', (vitals) => waiting.shift()?.resolve(vitals as Vitals));
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      alive = false;
      for (const { reject } of waiting.splice(0)) reject(new Error(`a measured process has ended:\n${written()}`));
      resolve();
    });
  });
  return {
    ask: (what = 'go on') =>
      new Promise((resolve, reject) => {
        if (!alive) return reject(new Error(`a measured process has ended:\n${written()}`));
        waiting.push({ resolve, reject });
        child.send(what);
      }),
    said: () => written().split('\n').at(-1) ?? '',
    alive: () => alive,
    end: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}
