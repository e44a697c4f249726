/** An object as it came, of which nothing is believed. */
export type Raw = { readonly [key: string]: unknown };

const NOTHING: Raw = Object.freeze({});
const NONE: readonly unknown[] = Object.freeze([]);

/** What is an object, or an empty one: one odd field must never stop the reading of the rest. */
export function record(value: unknown): Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : NOTHING;
}

/** What is a list, or an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NONE;
}

/** What is a text, or an empty one. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What is a finite number, or 0. */
export function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** The instant that a text names, or 0. */
export function instant(value: unknown): number {
  const read = Date.parse(text(value));
  return Number.isNaN(read) ? 0 : read;
}

/** The strings of a map of strings; whatever else stands in it is left out. */
export function words(value: unknown): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, word] of Object.entries(record(value))) if (typeof word === 'string') kept[key] = word;
  return kept;
}

/** The condition of a type, or an empty object. */
export function condition(status: Raw, type: string): Raw {
  return record(list(status['conditions']).find((each) => record(each)['type'] === type));
}
