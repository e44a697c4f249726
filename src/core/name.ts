const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffn;

/** Ten hex digits of a hash (64-bit FNV-1a, folded to 40 bits): enough to tell names apart, never a secret. */
export function tenHex(...parts: readonly string[]): string {
  let hash = OFFSET;
  for (const character of parts.join('\u0000')) {
    hash ^= BigInt(character.codePointAt(0) ?? 0);
    hash = BigInt.asUintN(64, hash * PRIME);
  }
  return ((hash ^ (hash >> 40n)) & MASK).toString(16).padStart(10, '0');
}

/** The one name that the passage of a ticket can have: a request sent twice, or late, makes it once. */
export function passageName(nodeName: string, holderUID: string, nodeUID: string, ticket: string): string {
  const stem = nodeName.slice(0, 40).replaceAll('.', '-').replace(/-+$/, '');
  return `${stem}-${tenHex(holderUID, nodeUID, ticket)}`;
}

/** The one name that the Job of an attempt can have; passage names are unique to their ticket. */
export function jobName(passage: { readonly name: string; readonly uid: string }, attempt: number): string {
  return `${jobStem(passage)}-${attempt}`;
}

/** The one name of the Job that prepares a node. */
export function prepareJobName(passage: { readonly name: string; readonly uid: string }): string {
  return `${jobStem(passage)}-prepare`;
}

/** Job names end up in labels of 63 characters; the names of holds, which people choose, may be longer. */
function jobStem({ name, uid }: { readonly name: string; readonly uid: string }): string {
  const plain = name.replaceAll('.', '-');
  return plain.length <= 52 ? plain : `${plain.slice(0, 40).replace(/-+$/, '')}-${tenHex(uid)}`;
}
