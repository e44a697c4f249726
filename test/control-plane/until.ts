/**
 * How long a condition may take, and what it is called when it does not come true. Without `everyMs` the pauses grow: most
 * conditions come true soon or after seconds, and every question costs the control plane something.
 */
export type UntilOptions = { readonly what: string; readonly seconds?: number; readonly everyMs?: number };

const FIRST_MS = 25;
const LAST_MS = 250;
const GROWTH = 1.5;

/** Asks again and again until the answer is neither undefined nor false, and returns it; throws at the deadline. */
export async function until<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { what, seconds = 60, everyMs }: UntilOptions,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (let ms = everyMs ?? FIRST_MS; ; ms = everyMs ?? Math.min(LAST_MS, ms * GROWTH)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(ms);
  }
}

/** Real time that passes; for the harness, which plays slow machines. Tests wait with `until`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
