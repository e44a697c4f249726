import type { NodeObject, PodSpec, Requirement, Taint, Toleration } from '../objects.ts';

/** The taint that a cordoned node has. */
export const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Whether one of the tolerations covers a taint (ToleratesTaint of component-helpers). */
export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return tolerations?.some((toleration) => covers(toleration, taint)) ?? false;
}

/** The tolerations that cover a taint. */
export function covering(tolerations: readonly Toleration[] | undefined, taint: Taint): readonly Toleration[] {
  return (tolerations ?? []).filter((toleration) => covers(toleration, taint));
}

function covers({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  if (key !== undefined && key !== '' && key !== taint.key) return false;
  return operator === 'Exists' || (value ?? '') === (taint.value ?? '');
}

/** The node that a pod is made for, if its affinity names exactly one, as DaemonSets and Jobs on one node write it. */
export function onlyNode({ affinity }: PodSpec): string | undefined {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const [field, ...more] = terms?.length === 1 ? (terms[0]?.matchFields ?? []) : [];
  const isName = field?.key === 'metadata.name' && field.operator === 'In' && more.length === 0;
  return isName && field.values?.length === 1 ? field.values[0] : undefined;
}

/** Whether a node is one that a pod asks for: nodeSelector and required node affinity. */
export function isWanted(spec: PodSpec, { metadata }: NodeObject): boolean {
  const labels = metadata.labels ?? {};
  for (const name in spec.nodeSelector) if (labels[name] !== spec.nodeSelector[name]) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return true;
  return required.nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    // A term that asks for nothing selects nothing.
    if (matchExpressions.length + matchFields.length === 0) return false;
    const hasName = (each: Requirement) => each.key === 'metadata.name' && meets(each, metadata.name);
    return matchExpressions.every((each) => meets(each, labels[each.key])) && matchFields.every(hasName);
  });
}

function meets({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const READ = new Map<string, number>();

/** The number that a quantity such as 250m or 32Gi stands for. */
export function quantity(text: string | undefined): number {
  if (text === undefined) return 0;
  const known = READ.get(text);
  if (known !== undefined) return known;
  const [, number, suffix = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(String(text)) ?? [];
  const factor = SUFFIXES[suffix];
  if (number === undefined || factor === undefined) throw new Error(`impossible: the quantity ${text}`);
  const value = Number(number) * factor;
  READ.set(text, value);
  return value;
}

/** What a pod takes of a node. */
export type Needs = { readonly cpu: number; readonly memory: number };

const NEEDS = new WeakMap<PodSpec['containers'], Needs>();

/** The sum of the requests of its containers; init containers and overhead are not known. */
export function needs({ containers }: PodSpec): Needs {
  const known = NEEDS.get(containers);
  if (known !== undefined) return known;
  const sum = (name: string) =>
    containers.reduce((all, { resources }) => all + quantity(resources?.requests?.[name]), 0);
  const made = { cpu: sum('cpu'), memory: sum('memory') };
  NEEDS.set(containers, made);
  return made;
}
