import { same } from './equal.ts';
import { badRequest, type Did, did, refused } from './failure.ts';

type Json = Readonly<Record<string, unknown>>;

/** The content types of patches that the model understands. */
export const MERGE = 'application/merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

type Operation = { readonly op: string; readonly path: string; readonly from?: string; readonly value?: unknown };

/** RFC 6902. A test that fails, or a path that is not there, refuses the whole. */
export function jsonPatch(target: unknown, patch: unknown): Did<unknown> {
  if (!Array.isArray(patch)) return badRequest('a JSON patch is a list of operations');
  let whole: Did<unknown> = did(structuredClone(target));
  for (const operation of patch as readonly Operation[]) {
    if (!whole.ok) return whole;
    whole = operated(whole.value, operation);
  }
  return whole;
}

function operated(target: unknown, { op, path, from, value }: Operation): Did<unknown> {
  switch (op) {
    case 'add':
    case 'replace':
    case 'remove':
      return changed(target, pointer(path), op, value);
    case 'test': {
      const found = find(target, pointer(path));
      return same(found ?? null, value ?? null) ? did(target) : inapplicable();
    }
    case 'copy':
    case 'move': {
      const found = find(target, pointer(from ?? ''));
      if (found === undefined) return inapplicable();
      const without = op === 'move' ? changed(target, pointer(from ?? ''), 'remove', undefined) : did(target);
      return without.ok ? changed(without.value, pointer(path), 'add', structuredClone(found)) : without;
    }
    default:
      return badRequest(`Unexpected kind: ${op}`);
  }
}

/** What the API server answers to a JSON patch that cannot be applied: never why. */
function inapplicable(): Did<never> {
  return refused(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

function pointer(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function find(target: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, part) => (at === null || at === undefined ? undefined : (at as Json)[part]), target);
}

function changed(
  target: unknown,
  path: readonly string[],
  op: 'add' | 'replace' | 'remove',
  value: unknown,
): Did<unknown> {
  const [part, ...rest] = path;
  if (part === undefined) return op === 'remove' ? badRequest('the whole object cannot be removed') : did(value);
  if (Array.isArray(target)) {
    const at = part === '-' ? target.length : Number(part);
    if (!Number.isInteger(at) || at < 0 || at > target.length) return inapplicable();
    if (rest.length > 0) {
      const below = changed(target[at], rest, op, value);
      return below.ok ? did(target.with(at, below.value)) : below;
    }
    if (op !== 'add' && at >= target.length) return inapplicable();
    return did(target.toSpliced(at, op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value])));
  }
  if (!isObject(target)) return inapplicable();
  if (rest.length > 0) {
    if (target[part] === undefined) return inapplicable();
    const below = changed(target[part], rest, op, value);
    return below.ok ? did({ ...target, [part]: below.value }) : below;
  }
  // Of the library that the API server uses: what replaces a field that is not there adds it.
  if (op === 'remove' && target[part] === undefined) return inapplicable();
  if (op !== 'remove') return did({ ...target, [part]: value });
  const { [part]: _, ...kept } = target;
  return did(kept);
}

/** By what the items of a list are told apart, where a list is merged and not replaced (patchMergeKey of k8s.io/api). */
export const MERGE_KEYS: { readonly [field: string]: string } = {
  conditions: 'type',
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  addresses: 'type',
  ownerReferences: 'uid',
  imagePullSecrets: 'name',
  topologySpreadConstraints: 'topologyKey',
};

/** Kubernetes' own merge: lists whose items have a key are merged item by item; `$patch` replaces or deletes. */
export function strategicPatch(target: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch)) return strategicList(Array.isArray(target) ? target : [], patch, field);
  if (!isObject(patch)) return patch;
  if (patch['$patch'] === 'replace') return without(patch);
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  const retained = patch['$retainKeys'] as readonly string[] | undefined;
  if (retained !== undefined) for (const key of Object.keys(merged)) if (!retained.includes(key)) delete merged[key];
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const of = key.slice(key.indexOf('/') + 1);
      const gone = value as readonly unknown[];
      merged[of] = ((merged[of] ?? []) as readonly unknown[]).filter((item) => !gone.includes(item));
    } else if (key.startsWith('$')) continue;
    else if (value === null) delete merged[key];
    else merged[key] = strategicPatch(merged[key], value, key);
  }
  return merged;
}

function strategicList(target: readonly unknown[], patch: readonly unknown[], field: string): readonly unknown[] {
  if (field === 'finalizers') return [...new Set([...target, ...patch])];
  const key = MERGE_KEYS[field];
  if (key === undefined) return patch;
  const merged = [...target];
  for (const item of patch as readonly Json[]) {
    const at = merged.findIndex((each) => (each as Json)[key] === item[key]);
    if (item['$patch'] === 'delete') {
      if (at >= 0) merged.splice(at, 1);
    } else if (at < 0) merged.push(without(item));
    else merged[at] = strategicPatch(merged[at], item);
  }
  return merged;
}

function without(patch: Json): Json {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')));
}
