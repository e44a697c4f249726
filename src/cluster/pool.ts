type Words = Readonly<Record<string, string>>;

/** One copy of what thousands of objects repeat: names of nodes and namespaces, labels of replicas. */
export interface Pool {
  text(value: string): string;
  words(value: Words): Words;
}

const MOST = 100_000;

/** Makes a pool. It forgets everything when it is full, so that names which come and go never fill the memory. */
export function pool(): Pool {
  const texts = new Map<string, string>();
  const maps = new Map<string, Words>();
  return {
    text: (value) => kept(texts, value, value),
    words: (value) => kept(maps, JSON.stringify(value), value),
  };
}

function kept<V>(known: Map<string, V>, key: string, value: V): V {
  const earlier = known.get(key);
  if (earlier !== undefined) return earlier;
  if (known.size >= MOST) known.clear();
  known.set(key, value);
  return value;
}
