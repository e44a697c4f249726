/** Where to listen. */
export type Address = { readonly host: string; readonly port: number };

/** Reads an address such as 0.0.0.0:8080, [::]:8080 or :8080; undefined if it is none. */
export function parseAddress(text: string): Address | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65_535) return undefined;
  return { host: found[1] ?? (found[2] || '0.0.0.0'), port };
}
