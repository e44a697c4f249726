/** How a field is read: a text, a number, a yes or no, an instant, a quantity-like IntOrString, a map of texts, or a message. */
export type Field = {
  readonly name: string;
  readonly as: 'text' | 'integer' | 'boolean' | 'time' | 'intOrString' | 'words' | Message;
  readonly many?: true;
};

/** The fields of a message by their numbers. */
export type Message = { readonly [number: number]: Field };

const text = (name: string): Field => ({ name, as: 'text' });
const texts = (name: string): Field => ({ name, as: 'text', many: true });
const integer = (name: string): Field => ({ name, as: 'integer' });
const boolean = (name: string): Field => ({ name, as: 'boolean' });
const time = (name: string): Field => ({ name, as: 'time' });
const words = (name: string): Field => ({ name, as: 'words' });
const one = (name: string, as: Message): Field => ({ name, as });
const all = (name: string, as: Message): Field => ({ name, as, many: true });

/** apimachinery pkg/apis/meta/v1/generated.proto, without managedFields. */
const META: Message = {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  5: text('uid'),
  6: text('resourceVersion'),
  7: integer('generation'),
  8: time('creationTimestamp'),
  9: time('deletionTimestamp'),
  10: integer('deletionGracePeriodSeconds'),
  11: words('labels'),
  12: words('annotations'),
  14: texts('finalizers'),
};

const DELETE_OPTIONS: Message = {
  1: integer('gracePeriodSeconds'),
  2: one('preconditions', { 1: text('uid'), 2: text('resourceVersion') }),
  3: boolean('orphanDependents'),
  4: text('propagationPolicy'),
  5: texts('dryRun'),
};

const SELECTOR: Message = {
  1: words('matchLabels'),
  2: all('matchExpressions', { 1: text('key'), 2: text('operator'), 3: texts('values') }),
};

const CONTAINER: Message = {
  1: text('name'),
  2: text('image'),
  3: texts('command'),
  4: texts('args'),
  5: text('workingDir'),
  6: all('ports', { 1: text('name'), 2: integer('hostPort'), 3: integer('containerPort'), 4: text('protocol') }),
  7: all('env', { 1: text('name'), 2: text('value') }),
  14: text('imagePullPolicy'),
};

/** What `kubectl create` fills in of a pod; what else a pod may have is refused by its number. */
const POD_TEMPLATE: Message = {
  1: one('metadata', META),
  2: one('spec', {
    2: all('containers', CONTAINER),
    3: text('restartPolicy'),
    4: integer('terminationGracePeriodSeconds'),
    6: text('dnsPolicy'),
    7: words('nodeSelector'),
    8: text('serviceAccountName'),
    10: text('nodeName'),
    19: text('schedulerName'),
  }),
};

const RESOURCE_ATTRIBUTES: Message = {
  1: text('namespace'),
  2: text('verb'),
  3: text('group'),
  4: text('version'),
  5: text('resource'),
  6: text('subresource'),
  7: text('name'),
};

/** What may come as protobuf: the bodies that kubectl sends so, each by its kind. */
export const MESSAGES: { readonly [kind: string]: Message } = {
  'v1/Namespace': { 1: one('metadata', META), 2: one('spec', { 1: texts('finalizers') }) },
  'v1/ServiceAccount': { 1: one('metadata', META) },
  'v1/ConfigMap': { 1: one('metadata', META), 2: words('data') },
  'v1/DeleteOptions': DELETE_OPTIONS,
  'meta.k8s.io/v1/DeleteOptions': DELETE_OPTIONS,
  'policy/v1/Eviction': { 1: one('metadata', META), 2: one('deleteOptions', DELETE_OPTIONS) },
  'policy/v1/DeleteOptions': DELETE_OPTIONS,
  'policy/v1/PodDisruptionBudget': {
    1: one('metadata', META),
    2: one('spec', {
      1: { name: 'minAvailable', as: 'intOrString' },
      2: one('selector', SELECTOR),
      3: { name: 'maxUnavailable', as: 'intOrString' },
      4: text('unhealthyPodEvictionPolicy'),
    }),
  },
  'apps/v1/Deployment': {
    1: one('metadata', META),
    2: one('spec', { 1: integer('replicas'), 2: one('selector', SELECTOR), 3: one('template', POD_TEMPLATE) }),
  },
  'batch/v1/Job': {
    1: one('metadata', META),
    2: one('spec', {
      1: integer('parallelism'),
      2: integer('completions'),
      3: integer('activeDeadlineSeconds'),
      6: one('template', POD_TEMPLATE),
      7: integer('backoffLimit'),
      8: integer('ttlSecondsAfterFinished'),
    }),
  },
  'scheduling.k8s.io/v1/PriorityClass': {
    1: one('metadata', META),
    2: integer('value'),
    3: boolean('globalDefault'),
    4: text('description'),
    5: text('preemptionPolicy'),
  },
  'authentication.k8s.io/v1/TokenRequest': {
    1: one('metadata', META),
    2: one('spec', { 1: texts('audiences'), 4: integer('expirationSeconds') }),
  },
  'authentication.k8s.io/v1/SelfSubjectReview': { 1: one('metadata', META) },
  'authorization.k8s.io/v1/SelfSubjectAccessReview': {
    1: one('metadata', META),
    2: one('spec', {
      1: one('resourceAttributes', RESOURCE_ATTRIBUTES),
      2: one('nonResourceAttributes', { 1: text('path'), 2: text('verb') }),
    }),
  },
};
