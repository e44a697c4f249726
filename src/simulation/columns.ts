import type { Column } from '../api/resource.ts';
import { since } from './human.ts';
import type { KubeObject, LabelSelector } from './objects.ts';
import { NAME, type TableColumn } from './table-column.ts';

type Loose = Readonly<Record<string, unknown>>;

/** What stands in an object under a path of plain names. */
export function at(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (found, part) => (found === null || found === undefined ? undefined : (found as Loose)[part]),
      object,
    );
}

const text = (value: unknown, otherwise = ''): string =>
  value === undefined || value === null ? otherwise : String(value);
const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
/** The members of a list, whatever else may stand in it: nobody checks what is stored of Kubernetes' own kinds. */
export function list(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}

function column(
  name: string,
  cell: TableColumn['cell'],
  more: Partial<Pick<TableColumn, 'type' | 'format' | 'wide'>> = {},
): TableColumn {
  return { name, type: 'string', description: name, cell, ...more };
}

const WIDE = { wide: true } as const;
const INTEGER = { type: 'integer' } as const;
const AGE = column('Age', ({ metadata }, now) => since(metadata.creationTimestamp, now));
const words = (name: string, path: string, otherwise = '') =>
  column(name, (object) => text(at(object, path), otherwise));
const number = (name: string, path: string) => column(name, (object) => count(at(object, path)), INTEGER);

function labels(value: unknown): string {
  const pairs = Object.entries((value ?? {}) as Loose).map(([key, of]) => `${key}=${text(of)}`);
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',');
}

/** As metav1.FormatLabelSelector writes it. */
function selector(value: unknown): string {
  const { matchLabels = {}, matchExpressions = [] } = (value ?? {}) as LabelSelector;
  const sets = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${[...values].sort().join(',')})`;
  });
  const all = [...Object.entries(matchLabels).map(([key, of]) => `${key}=${of}`), ...sets];
  return all.length === 0 ? '<none>' : all.sort().join(',');
}

function containers(path: string): readonly TableColumn[] {
  const all = (object: KubeObject, field: string) =>
    list(at(object, path))
      .map((each) => text(each[field]))
      .join(',');
  return [
    column('Containers', (object) => all(object, 'name'), WIDE),
    column('Images', (object) => all(object, 'image'), WIDE),
  ];
}

const TEMPLATE = containers('spec.template.spec.containers');
const SELECTOR = column('Selector', (object) => selector(at(object, 'spec.selector')), WIDE);
const READY = column(
  'Ready',
  (object) => `${count(at(object, 'status.readyReplicas'))}/${text(at(object, 'spec.replicas'), '1')}`,
);

function conditionOf(object: KubeObject, type: string): Loose | undefined {
  return list(at(object, 'status.conditions')).find((each) => each['type'] === type);
}

function nodeStatus(node: KubeObject): string {
  const ready = conditionOf(node, 'Ready');
  const first = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec.unschedulable') === true ? `${first},SchedulingDisabled` : first;
}

function nodeRoles({ metadata }: KubeObject): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith('node-role.kubernetes.io/')) return key.slice('node-role.kubernetes.io/'.length);
    return key === 'kubernetes.io/role' ? value : [];
  });
  const named = [...new Set(roles.filter((role) => role !== ''))].sort();
  return named.length === 0 ? '<none>' : named.join(',');
}

function address(node: KubeObject, type: string): string {
  return text(list(at(node, 'status.addresses')).find((each) => each['type'] === type)?.['address'], '<none>');
}

function kernel(node: KubeObject): string {
  const architecture = text(at(node, 'status.nodeInfo.architecture'));
  const version = text(at(node, 'status.nodeInfo.kernelVersion')) || '<unknown>';
  return architecture === '' ? version : `${version} (${architecture})`;
}

const NODES: readonly TableColumn[] = [
  NAME,
  column('Status', nodeStatus),
  column('Roles', nodeRoles),
  AGE,
  words('Version', 'status.nodeInfo.kubeletVersion'),
  column('Internal-IP', (node) => address(node, 'InternalIP'), WIDE),
  column('External-IP', (node) => address(node, 'ExternalIP'), WIDE),
  { ...words('OS-Image', 'status.nodeInfo.osImage', '<unknown>'), ...WIDE },
  column('Kernel-Version', kernel, WIDE),
  { ...words('Container-Runtime', 'status.nodeInfo.containerRuntimeVersion', '<unknown>'), ...WIDE },
];

function jobStatus(job: KubeObject): string {
  const has = (type: string) => conditionOf(job, type)?.['status'] === 'True';
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running';
}

function jobDuration(job: KubeObject, now: number): string {
  const [from, to] = [at(job, 'status.startTime'), at(job, 'status.completionTime')];
  if (typeof from !== 'string') return '';
  return since(from, typeof to === 'string' ? Date.parse(to) : now);
}

const JOBS: readonly TableColumn[] = [
  NAME,
  column('Status', jobStatus),
  column('Completions', (job) => `${count(at(job, 'status.succeeded'))}/${text(at(job, 'spec.completions'), '1')}`),
  column('Duration', jobDuration),
  AGE,
  ...TEMPLATE,
  SELECTOR,
];

function seen(event: KubeObject, which: 'first' | 'last', now: number): string {
  const first = text(at(event, 'firstTimestamp')) || at(event, 'eventTime');
  if (which === 'first') return since(first, now);
  return since(at(event, 'series.lastObservedTime') ?? (text(at(event, 'lastTimestamp')) || first), now);
}

function eventObject(event: KubeObject): string {
  const [kind, name] = [text(at(event, 'involvedObject.kind')).toLowerCase(), text(at(event, 'involvedObject.name'))];
  return name === '' ? kind : `${kind}/${name}`;
}

function eventSource(event: KubeObject): string {
  const component = text(at(event, 'source.component')) || text(at(event, 'reportingComponent'));
  const instance = text(at(event, 'source.host')) || text(at(event, 'reportingInstance'));
  return instance === '' ? component : `${component}, ${instance}`;
}

const EVENTS: readonly TableColumn[] = [
  column('Last Seen', (event, now) => seen(event, 'last', now)),
  words('Type', 'type'),
  words('Reason', 'reason'),
  column('Object', eventObject),
  { ...words('Subobject', 'involvedObject.fieldPath'), ...WIDE },
  column('Source', eventSource, WIDE),
  column('Message', (event) => text(at(event, 'message')).trim()),
  column('First Seen', (event, now) => seen(event, 'first', now), WIDE),
  column('Count', (event) => text(at(event, 'series.count') ?? at(event, 'count')) || '1', WIDE),
  { ...NAME, ...WIDE },
];

const BUDGETS: readonly TableColumn[] = [
  NAME,
  words('Min Available', 'spec.minAvailable', 'N/A'),
  words('Max Unavailable', 'spec.maxUnavailable', 'N/A'),
  number('Allowed Disruptions', 'status.disruptionsAllowed'),
  AGE,
];

const entries = (object: KubeObject, path: string) => Object.keys((at(object, path) ?? {}) as Loose).length;
const roleOf = (object: KubeObject) => `${text(at(object, 'roleRef.kind'))}/${text(at(object, 'roleRef.name'))}`;

/** The columns of Kubernetes' own kinds (kubernetes pkg/printers/internalversion/printers.go). */
export const COLUMNS: { readonly [resource: string]: readonly TableColumn[] } = {
  nodes: NODES,
  namespaces: [NAME, words('Status', 'status.phase'), AGE],
  events: EVENTS,
  configmaps: [NAME, column('Data', (each) => entries(each, 'data') + entries(each, 'binaryData'), INTEGER), AGE],
  secrets: [NAME, words('Type', 'type', 'Opaque'), column('Data', (each) => entries(each, 'data'), INTEGER), AGE],
  serviceaccounts: [NAME, AGE],
  'deployments.apps': [
    NAME,
    READY,
    number('Up-to-date', 'status.updatedReplicas'),
    number('Available', 'status.availableReplicas'),
    AGE,
    ...TEMPLATE,
    SELECTOR,
  ],
  'replicasets.apps': [
    NAME,
    number('Desired', 'spec.replicas'),
    number('Current', 'status.replicas'),
    number('Ready', 'status.readyReplicas'),
    AGE,
    ...TEMPLATE,
    SELECTOR,
  ],
  'statefulsets.apps': [NAME, READY, AGE, ...TEMPLATE],
  'daemonsets.apps': [
    NAME,
    number('Desired', 'status.desiredNumberScheduled'),
    number('Current', 'status.currentNumberScheduled'),
    number('Ready', 'status.numberReady'),
    number('Up-to-date', 'status.updatedNumberScheduled'),
    number('Available', 'status.numberAvailable'),
    column('Node Selector', (each) => labels(at(each, 'spec.template.spec.nodeSelector'))),
    AGE,
    ...TEMPLATE,
    SELECTOR,
  ],
  'jobs.batch': JOBS,
  'poddisruptionbudgets.policy': BUDGETS,
  'leases.coordination.k8s.io': [NAME, words('Holder', 'spec.holderIdentity'), AGE],
  'priorityclasses.scheduling.k8s.io': [
    NAME,
    number('Value', 'value'),
    column('Global-Default', (each) => at(each, 'globalDefault') === true, { type: 'boolean' }),
    AGE,
    { ...words('PreemptionPolicy', 'preemptionPolicy'), ...WIDE },
  ],
  'volumeattachments.storage.k8s.io': [
    NAME,
    words('Attacher', 'spec.attacher'),
    words('PV', 'spec.source.persistentVolumeName'),
    words('Node', 'spec.nodeName'),
    column('Attached', (each) => at(each, 'status.attached') === true, { type: 'boolean' }),
    AGE,
  ],
  'rolebindings.rbac.authorization.k8s.io': [NAME, column('Role', roleOf), AGE],
  'clusterrolebindings.rbac.authorization.k8s.io': [NAME, column('Role', roleOf), AGE],
};

/** What is shown of a kind that has no columns of its own. */
export const PLAIN: readonly TableColumn[] = [
  NAME,
  column('Created At', ({ metadata }) => metadata.creationTimestamp, { type: 'date' }),
];

/** The columns that a definition asks for (apiextensions-apiserver tableconvertor.go). */
export function definedColumns(columns: readonly Column[]): readonly TableColumn[] {
  return [NAME, ...columns.map(defined)];
}

function defined({ name, type, path, description, wide }: Column): TableColumn {
  return {
    name,
    type,
    description,
    ...(wide === undefined ? {} : { wide }),
    cell: (object, now) => {
      const value = jsonPath(object, path);
      if (value === undefined || value === null) return null;
      if (type === 'date') return typeof value === 'string' ? since(value, now) : null;
      if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null;
      if (type === 'boolean') return typeof value === 'boolean' ? value : null;
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
    },
  };
}

/** The JSONPath of our columns: names, and one filter that looks for a word. */
export function jsonPath(object: unknown, path: string): unknown {
  return (path.match(/\.[^.[\]]+|\[\?\(@\.\w+=="[^"]*"\)\]/g) ?? []).reduce<unknown>((found, part) => {
    if (found === undefined || found === null) return undefined;
    const [, field, word] = /^\[\?\(@\.(\w+)=="([^"]*)"\)\]$/.exec(part) ?? [];
    if (field === undefined) return (found as Loose)[part.slice(1)];
    return list(found).find((each) => each[field] === word);
  }, object);
}
