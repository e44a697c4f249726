import { cpus, loadavg } from 'node:os';

/** The middle of some numbers; of an even count the lower of the two in the middle. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** The least number that at least this share of all does not exceed; not a number where there are none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Rows as plain text in columns, the first to the left and the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  return all.map((row) => `  ${line(row).trimEnd()}`).join('\n');
}

/** One figure of several runs. */
export type Figure<Run> = readonly [name: string, of: (run: Run) => number, unit?: string, digits?: number];

/** A row of a table for each figure: its name, its median with its unit, and every run. */
export function rowsOf<Run>(runs: readonly Run[], figures: readonly Figure<Run>[]): readonly (readonly string[])[] {
  return figures.map(([name, of, unit = '', digits = 0]) => {
    const [middle, ...each] = [median(runs.map(of)), ...runs.map(of)].map((number) => number.toFixed(digits));
    return [name, `${middle}${unit === '' ? '' : ` ${unit}`}`, each.join(' · ')];
  });
}

/** What a figure was measured on, and beside what. */
export function surroundings(): string {
  const [cpu] = cpus();
  const [minute = 0, five = 0] = loadavg();
  return `Node ${process.version}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, load ${minute.toFixed(2)} over the last minute, ${five.toFixed(2)} over five`;
}
