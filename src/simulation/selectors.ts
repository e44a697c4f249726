import { badRequest, type Did, did } from './failure.ts';
import type { KubeObject, LabelSelector, NodeObject, PodObject, Requirement } from './objects.ts';

type Words = Readonly<Record<string, string>>;

/** Whether labels satisfy one requirement. A label that is absent is not In anything, and NotIn everything. */
export function satisfies(labels: Words, { key, operator, values = [] }: Requirement): boolean {
  // "constructor" is a key that a label may have, and one that every object answers to.
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Whether a selector selects labels: `{}` selects everything, an absent one nothing. */
export function selects(selector: LabelSelector | undefined, labels: Words = {}): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  for (const key in matchLabels) if (!Object.hasOwn(labels, key) || labels[key] !== matchLabels[key]) return false;
  return matchExpressions.every((requirement) => satisfies(labels, requirement));
}

const WORD = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const FORMS: readonly (readonly [RegExp, (match: RegExpExecArray) => Requirement])[] = [
  [
    new RegExp(`^(${WORD})\\s+(in|notin)\\s+\\(([^()]*)\\)$`),
    ([, key = '', operator, values = '']) => ({
      key,
      operator: operator === 'in' ? 'In' : 'NotIn',
      values: values.split(',').map((value) => value.trim()),
    }),
  ],
  [
    new RegExp(`^(${WORD})\\s*(==|=|!=)\\s*([-A-Za-z0-9_.]*)$`),
    ([, key = '', operator, value = '']) => ({
      key,
      operator: operator === '!=' ? 'NotIn' : 'In',
      values: [value],
    }),
  ],
  [new RegExp(`^!\\s*(${WORD})$`), ([, key = '']) => ({ key, operator: 'DoesNotExist' })],
  [new RegExp(`^(${WORD})$`), ([, key = '']) => ({ key, operator: 'Exists' })],
];

/** Reads a label selector as it stands in a query. */
export function parseLabels(text: string): Did<readonly Requirement[]> {
  const found: Requirement[] = [];
  for (const part of text.split(/,(?![^(]*\))/).map((each) => each.trim())) {
    if (part === '') continue;
    const read = FORMS.map(([form, make]) => {
      const match = form.exec(part);
      return match === null ? undefined : make(match);
    }).find((each) => each !== undefined);
    if (read === undefined) return badRequest(`unable to parse requirement: ${part}`);
    found.push(read);
  }
  return did(found);
}

type Field = (object: KubeObject) => string;

const OF_ALL: { readonly [field: string]: Field } = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
};

const OF: { readonly [resource: string]: { readonly [field: string]: Field } } = {
  pods: {
    'spec.nodeName': (pod) => (pod as PodObject).spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => (pod as PodObject).spec.restartPolicy ?? '',
    'status.phase': (pod) => (pod as PodObject).status.phase ?? '',
  },
  nodes: { 'spec.unschedulable': (node) => String((node as NodeObject).spec.unschedulable ?? false) },
  events: {
    ...Object.fromEntries(
      ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((field) => [
        `involvedObject.${field}`,
        (event: KubeObject) => involved(event, field),
      ]),
    ),
    reportingComponent: (event) => String((event as unknown as Words)['reportingComponent'] ?? ''),
    reason: (event) => String((event as unknown as Words)['reason'] ?? ''),
    type: (event) => String((event as unknown as Words)['type'] ?? ''),
  },
};

function involved(event: KubeObject, field: string): string {
  return (event as unknown as { readonly involvedObject?: Words }).involvedObject?.[field] ?? '';
}

/** Reads a field selector; only the fields that the API server knows for a resource may stand in it. */
export function parseFields(resource: string, text: string): Did<readonly ((object: KubeObject) => boolean)[]> {
  const checks: ((object: KubeObject) => boolean)[] = [];
  for (const part of text.split(',').filter((each) => each !== '')) {
    const [, field = '', operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
    if (operator === undefined) return badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const read = OF[resource]?.[field] ?? OF_ALL[field];
    if (read === undefined) return badRequest(`field label not supported: ${field}`);
    checks.push((object) => (read(object) === value) === (operator !== '!='));
  }
  return did(checks);
}

/** What a list or a watch is about: one namespace or all, and what its selectors let through. */
export function filterOf(
  resource: string,
  namespace: string | undefined,
  query: URLSearchParams,
): Did<(object: KubeObject) => boolean> {
  const labels = parseLabels(query.get('labelSelector') ?? '');
  if (!labels.ok) return labels;
  const fields = parseFields(resource, query.get('fieldSelector') ?? '');
  if (!fields.ok) return fields;
  return did(
    (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      labels.value.every((requirement) => satisfies(object.metadata.labels ?? {}, requirement)) &&
      fields.value.every((check) => check(object)),
  );
}
