import { request } from 'node:http';

/** What a watch told so far. */
export type WatchedLines = {
  readonly lines: readonly { readonly type: string; readonly object: Readonly<Record<string, unknown>> }[];
  close(): void;
};

/** Opens a watch as the administrator and reads it line by line. */
export function watchLines(url: string, headers: Readonly<Record<string, string>> = {}): Promise<WatchedLines> {
  return new Promise((resolve) => {
    const lines: { type: string; object: Record<string, unknown> }[] = [];
    const asking = request(url, { headers: { authorization: 'Bearer secret', ...headers } }, (answer) => {
      let rest = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) lines.push(JSON.parse(part));
      });
      answer.on('error', () => {});
      resolve({ lines, close: () => asking.destroy() });
    });
    asking.on('error', () => {});
    asking.end();
  });
}

const MOST_TURNS = 100_000;

/** Waits until something holds, turn after turn of the loop: what is waited for is on its way through a socket. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it never came to hold');
}
