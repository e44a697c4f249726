import type { FakeNode } from '../control-plane/nodes.ts';
import { daemonSet, deployment, nodes, pdb, profile, statefulSet } from './shop.ts';

type Spec = Readonly<Record<string, unknown>>;

/** Namespaces in each of which the API server answers evictions in a way of its own. */
export const ODD_NAMESPACES = ['denied', 'unanswered', 'forbidden', 'limited', 'garbled', 'leaving'] as const;
/** The finalizer of a pod that something keeps after its end. */
export const FINALIZER = 'test.drydock.dev/backup';
/** Only nodes with this label are upgraded. */
const ODD = { odd: '' };
const SPARES = ['spare-1', 'spare-2'];

/** The three nodes that are drained. */
export const oddNodes: readonly FakeNode[] = nodes(3).map((node) => ({ ...node, labels: ODD }));
/** Where their pods can go. Made after the shop runs, so that every pod begins where it is wanted. */
export const spareNodes: readonly FakeNode[] = SPARES.map((name) => ({ name }));
/** The upgrade of these nodes, all at once. */
export const allAtOnce = { nodes: { selector: { matchLabels: ODD } }, rollout: { maxUnavailable: 3 } };

/** A profile with every rule that there is. */
export const oddProfile = profile({
  prePull: false,
  drain: {
    emptyDir: 'Block',
    rules: [
      { podSelector: { matchLabels: { app: 'pet' } }, behavior: 'Skip' },
      { podSelector: { matchLabels: { app: 'batch' } }, behavior: 'WaitForCompletion' },
      {
        podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['old-agent', 'loner', 'buffer'] }] },
        behavior: 'Evict',
      },
      { podSelector: { matchLabels: { app: 'db' } }, behavior: 'Evict', tier: 1 },
      { podSelector: { matchLabels: { app: 'cache' } }, behavior: 'Evict', tier: 2 },
    ],
  },
});

type Odd = {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly budget?: Spec;
  readonly pod?: Spec;
};

/** A Deployment of one pod that begins on a node and can go to the spare ones only. */
function odd(app: string, node: string, { namespace = 'shop', labels, annotations, budget, pod }: Odd = {}) {
  const values = [node, ...SPARES];
  const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] }];
  const template = {
    metadata: { labels: { app, ...labels }, annotations },
    spec: {
      terminationGracePeriodSeconds: 1,
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      },
      containers: [{ name: app, image: `shop/${app}` }],
      ...pod,
    },
  };
  const spec = { replicas: 1, selector: { matchLabels: { app } }, template };
  const made = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: app, namespace }, spec };
  return [made, ...pdb(app, budget)];
}

/** A pod that nobody would make again. */
export function bare(name: string, annotations: Readonly<Record<string, string>> = {}, finalizers: string[] = []) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: name }, annotations, finalizers },
    spec: {
      nodeName: 'worker-1',
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name, image: `shop/${name}` }],
    },
  };
}

/** A Job whose pod runs until a test lets it end. */
function work(app: string, node: string, budget?: Spec): readonly unknown[] {
  const template = {
    metadata: { labels: { app }, annotations: { 'test.drydock.dev/complete-after': 'never' } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      nodeSelector: { 'kubernetes.io/hostname': node },
      containers: [{ name: app, image: `shop/${app}` }],
    },
  };
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: app, namespace: 'shop' }, spec: { template } };
  return [job, ...pdb(app, budget)];
}

/** A second budget over the pods of an app. */
function secondBudget(app: string, name: string): unknown {
  const spec = { maxUnavailable: 1, selector: { matchLabels: { app } } };
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, namespace: 'shop' }, spec };
}

/** Its only other pod finds no node, so the budget allows nothing until it does. */
function twin(app: string): unknown {
  const pod = { affinity: {}, nodeSelector: { 'kubernetes.io/hostname': 'nowhere' } };
  const [made] = odd(app, 'worker-2', { pod }) as readonly { readonly metadata: object }[];
  return { ...made, metadata: { name: `${app}-twin`, namespace: 'shop' } };
}

const EMPTY_DIR = { volumes: [{ name: 'scratch', emptyDir: {} }] };
const TOLERANT = {
  affinity: {},
  nodeSelector: { 'kubernetes.io/hostname': 'worker-1' },
  tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }],
};
const CRASHING = { 'test.drydock.dev/crash-loop': 'true' };
const STUCK = { 'test.drydock.dev/stuck': 'true' };

/** Gone after a second: quicker, and the disruption controller may take the successor of that name for the pod that left. */
const SLOW_END = { 'test.drydock.dev/terminate-after': '1' };

/** What runs on all three nodes. */
const everywhere = [
  ...deployment('web', 9, { maxUnavailable: 1 }),
  ...statefulSet('db', 3, { maxUnavailable: 1 }, SLOW_END),
  ...deployment('cache', 3),
  ...daemonSet('log-agent'),
  ...daemonSet('old-agent'),
];

/** What is odd by itself, on the first node. */
const byItself = [
  // It passes any budget: upstream, canIgnorePDB in eviction.go.
  ...odd('slow', 'worker-1', { annotations: { 'test.drydock.dev/ready-after': '3600' }, budget: { minAvailable: 1 } }),
  ...odd('scratch', 'worker-1', { pod: EMPTY_DIR }),
  ...odd('buffer', 'worker-1', { pod: EMPTY_DIR }),
  ...odd('tolerant', 'worker-1', { pod: TOLERANT }),
  ...work('batch', 'worker-1'),
  ...['finished', 'bare', 'loner', 'pet'].map((name) => bare(name)),
  bare('stuck', STUCK),
  bare('held', STUCK, [FINALIZER]),
];

/** What its budgets make odd, on the second node. */
const byBudgets = [
  ...odd('orders', 'worker-2', { budget: { maxUnavailable: 0 } }),
  ...odd('cart', 'worker-2', { budget: { minAvailable: 1 } }),
  twin('cart'),
  // A Job has no scale, so the disruption controller cannot say of how many pods one may be missing.
  ...work('report', 'worker-2', { maxUnavailable: 1 }),
  ...odd('pg', 'worker-2', { labels: { 'cnpg.io/cluster': 'pg' }, budget: { minAvailable: 1 } }),
  ...odd('search', 'worker-2', { budget: { maxUnavailable: 1 } }),
  secondBudget('search', 'search-too'),
  ...odd('crashing', 'worker-2', { annotations: CRASHING, budget: { minAvailable: 1 } }),
  ...odd('flapping', 'worker-2', {
    annotations: CRASHING,
    budget: { minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  }),
];

/** What the API server's answers make odd, on the third node. */
const byAnswers = ODD_NAMESPACES.flatMap((namespace) => odd(`in-${namespace}`, 'worker-3', { namespace }));

/** Everything that runs. */
export const oddShop: readonly unknown[] = [...everywhere, ...byItself, ...byBudgets, ...byAnswers];

/** What is said of a pod that stays. */
export type Said = {
  readonly app: string;
  readonly nodeName: string;
  readonly reason: string;
  readonly owner?: string;
  readonly budgets?: readonly string[];
  readonly advice: string;
};

const deployed = (app: string) => ({ app, owner: `Deployment/${app}` });

/** What is said at once. */
export const SAID: readonly Said[] = [
  ...[
    { app: 'bare', reason: 'Unmanaged', advice: 'drain.unmanaged: Evict' },
    { ...deployed('scratch'), reason: 'EmptyDir', advice: 'drain.emptyDir: Evict' },
    { ...deployed('tolerant'), reason: 'ComesBack', advice: 'take the toleration' },
    { app: 'batch', owner: 'Job/batch', reason: 'WaitingForCompletion', advice: '' },
  ].map((said) => ({ ...said, nodeName: 'worker-1' })),
  ...[
    { ...deployed('orders'), reason: 'BudgetNeverAllows', advice: 'let shop/orders allow one' },
    { ...deployed('cart'), reason: 'BudgetExhausted', advice: 'healthy elsewhere' },
    { app: 'report', owner: 'Job/report', reason: 'BudgetFailed', advice: 'Mend shop/report' },
    { ...deployed('pg'), reason: 'HeldByOperator', advice: 'the cluster that CloudNativePG runs there' },
    {
      ...deployed('search'),
      reason: 'TooManyBudgets',
      budgets: ['shop/search', 'shop/search-too'],
      advice: 'Change the selector of one of shop/search and shop/search-too',
    },
    { ...deployed('crashing'), reason: 'UnhealthyPod', advice: 'AlwaysAllow on shop/crashing' },
  ].map((said) => ({ budgets: [`shop/${said.app}`], ...said, nodeName: 'worker-2' })),
  ...[
    { ...deployed('in-denied'), reason: 'WebhookDenied', advice: 'lets the next eviction pass' },
    { ...deployed('in-leaving'), reason: 'WebhookDenied', advice: 'lets the next eviction pass' },
    { ...deployed('in-unanswered'), reason: 'WebhookFailed', advice: 'See whether its pods run' },
    { ...deployed('in-forbidden'), reason: 'Refused', advice: 'Ask whoever runs the admission policy' },
    { ...deployed('in-limited'), reason: 'RateLimited', advice: '' },
    { ...deployed('in-garbled'), reason: 'Unavailable', advice: '' },
  ].map((said) => ({ ...said, nodeName: 'worker-3' })),
];

/** What is said a minute after the end of a pod that is not gone. */
export const SAID_LATER: readonly Said[] = [
  { app: 'held', nodeName: 'worker-1', reason: 'HeldByFinalizers', advice: 'the controller behind the finalizer' },
  { app: 'stuck', nodeName: 'worker-1', reason: 'StuckTerminating', advice: 'kubelet and the container runtime' },
];

/**
 * Whom Drydock asks again and again on purpose: who shuts his budget for good and webhooks learn of the drain by the question,
 * and of what was refused for another reason nothing else would tell that it passes now.
 */
export const ASKED_AGAIN: readonly string[] = [
  'orders',
  'pg',
  'search',
  ...ODD_NAMESPACES.map((namespace) => `in-${namespace}`),
];
