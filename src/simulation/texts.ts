const texts = new WeakMap<object, string>();

/** The JSON of an object that is never changed in place: made once, however many ask for it. */
export function textOf(object: unknown): string {
  if (typeof object !== 'object' || object === null) return JSON.stringify(object) ?? 'null';
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  texts.set(object, text);
  return text;
}

/** So many items go together into one piece of a list. */
const BATCH = 200;

/** The JSON of a list, piece by piece: a list of a large cluster is longer than one text may be. */
export function* listPieces(
  head: Readonly<Record<string, unknown>>,
  field: string,
  items: Iterable<unknown>,
  write: (item: unknown) => string = textOf,
): Generator<string> {
  let piece = `${JSON.stringify(head).slice(0, -1)},"${field}":[`;
  let count = 0;
  for (const item of items) {
    piece += count === 0 ? write(item) : `,${write(item)}`;
    count += 1;
    if (count % BATCH !== 0) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}]}\n`;
}
