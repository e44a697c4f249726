import { findResource, type Resource } from './resources.ts';

/** What a path names. */
export type Route = {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query: URLSearchParams;
};

type Named = Omit<Route, 'query'>;

const MOST_REMEMBERED = 5_000;
const READ = new Map<string, Named | undefined>();

/** Reads a path of the API; undefined where nothing is served. */
export function routeOf(path: string): Route | undefined {
  const [before = '', ...query] = path.split('?');
  const named = READ.has(before) ? READ.get(before) : remembered(before);
  return named === undefined ? undefined : { ...named, query: new URLSearchParams(query.join('?')) };
}

/** The same few paths are asked for all the time. */
function remembered(path: string): Named | undefined {
  if (READ.size >= MOST_REMEMBERED) READ.clear();
  const named = namedBy(path);
  READ.set(path, named);
  return named;
}

function namedBy(path: string): Named | undefined {
  const url = new URL(path, 'http://model');
  const parts = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const [root, ...below] = parts;
  const [group, version, ...rest] = root === 'api' ? ['', ...below] : root === 'apis' ? below : [];
  if (group === undefined || version === undefined) return undefined;
  const inNamespace = rest[0] === 'namespaces' && rest.length >= 3 && !OF_NAMESPACES.includes(rest[2] ?? '');
  const [plural, name, subresource, ...more] = inNamespace ? rest.slice(2) : rest;
  const resource = plural === undefined ? undefined : findResource(group, version, plural);
  if (resource === undefined || more.length > 0 || (inNamespace && !resource.namespaced)) return undefined;
  return {
    resource,
    ...(inNamespace ? { namespace: rest[1] as string } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** What stands below a namespace and is its own, no resource within it. */
const OF_NAMESPACES = ['status', 'finalize'];
