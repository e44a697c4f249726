/** How long a condition may take, and what it is called when it does not come true. */
export type UntilOptions = { readonly what: string; readonly seconds?: number; readonly everyMs?: number };

/** Asks again and again until the answer is neither undefined nor false, and returns it; throws at the deadline. */
export async function until<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { what, seconds = 30, everyMs = 50 }: UntilOptions,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(everyMs);
  }
}

/** Real time that passes; for the harness, which plays slow machines. Tests wait with `until`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
