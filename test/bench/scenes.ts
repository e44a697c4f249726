import { policy, profile, upgrade } from '../end-to-end/shop.ts';

/** One scenario of the bench. */
export type Scene = {
  readonly name: string;
  readonly nodes: number;
  readonly podsPerNode: number;
  readonly apps: number;
  /** How many nodes may be out at once. */
  readonly most: number;
  readonly maxUnavailable: number | string;
  /** From a replacement that is bound until it is ready. */
  readonly readySeconds: number;
  readonly jobSeconds: number;
};

/** How long the containers of a pod take to end, and to start: the same in all scenarios. */
export const GRACE_SECONDS = 2;
export const START_SECONDS = 1;
const APPS_PER_NAMESPACE = 20;

type Kind = Pick<Scene, 'maxUnavailable' | 'readySeconds'> & { readonly share: number };

const KINDS: { readonly [name: string]: Kind } = {
  A: { share: 0.05, maxUnavailable: '10%', readySeconds: 12 },
  B: { share: 0.1, maxUnavailable: 1, readySeconds: 12 },
  C: { share: 0.2, maxUnavailable: 1, readySeconds: 5 },
  D: { share: 0.05, maxUnavailable: 1, readySeconds: 60 },
  E: { share: 0.1, maxUnavailable: '10%', readySeconds: 60 },
};

/** The names of the scenarios. */
export const SCENES = Object.keys(KINDS);

/** A scenario over so many nodes: 30 pods a node, 2.1 apps a node, each with its budget, a job of 180 s. */
export function scene(name: string, nodes: number, jobSeconds = 180): Scene {
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(`impossible: there is no scenario ${name}`);
  const { share, ...others } = kind;
  const most = Math.max(1, Math.floor(nodes * share));
  return { name, nodes, podsPerNode: 30, apps: Math.ceil(nodes * 2.1), most, jobSeconds, ...others };
}

/** What a scenario says in words. */
export function told({ name, most, nodes, maxUnavailable, readySeconds }: Scene): string {
  return `${name}: ${most} of ${nodes} nodes out at once, budgets maxUnavailable ${maxUnavailable}, pods ready in ${readySeconds} s`;
}

/** How many replicas each app has, so that all together make the pods of the scenario. */
export function replicasOf({ nodes, podsPerNode, apps }: Scene): readonly number[] {
  const pods = nodes * podsPerNode;
  const least = Math.floor(pods / apps);
  return Array.from({ length: apps }, (_, index) => least + (index < pods - least * apps ? 1 : 0));
}

/** How many disruptions a budget allows while all its pods are healthy; a share is rounded up, as Kubernetes does it. */
export function allowed(maxUnavailable: number | string, replicas: number): number {
  if (typeof maxUnavailable === 'number') return maxUnavailable;
  return Math.ceil((Number.parseInt(maxUnavailable, 10) * replicas) / 100);
}

/** The namespaces that a scenario needs. */
export function namespacesOf({ apps }: Scene): readonly string[] {
  const teams = Array.from({ length: Math.ceil(apps / APPS_PER_NAMESPACE) }, (_, index) => `team-${index}`);
  return ['default', 'kube-system', 'drydock-system', 'drydock-jobs', ...teams];
}

/** An object with the path at which it is created. */
export type Posted = { readonly path: string; readonly object: unknown };

/** The apps of a scenario with their budgets. */
export function appsOf(given: Scene): readonly Posted[] {
  const { maxUnavailable, readySeconds } = given;
  const annotations = {
    'test.drydock.dev/ready-after': String(readySeconds - START_SECONDS),
    'test.drydock.dev/terminate-after': String(GRACE_SECONDS),
  };
  return replicasOf(given).flatMap((replicas, index) => {
    const [app, namespace] = [`app-${index}`, `team-${Math.floor(index / APPS_PER_NAMESPACE)}`];
    const metadata = { name: app, namespace };
    const selector = { matchLabels: { app } };
    const template = {
      metadata: { labels: { app }, annotations },
      spec: { containers: [{ name: app, image: `shop/${app}` }] },
    };
    return [
      {
        path: `/apis/apps/v1/namespaces/${namespace}/deployments`,
        object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas, selector, template } },
      },
      {
        path: `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`,
        object: {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata,
          spec: { maxUnavailable, selector },
        },
      },
    ];
  });
}

const API = '/apis/drydock.dev/v1alpha1';

/** What stands before a rollout: a policy without a limit of its own, a profile without pre-pull and time of being Ready. */
export function rules(): readonly Posted[] {
  return [
    { path: `${API}/maintenancepolicies`, object: policy({ maxUnavailable: '100%' }) },
    { path: `${API}/maintenanceprofiles`, object: profile({ prePull: false, readySeconds: 0 }) },
  ];
}

/** The rollout of all nodes. */
export function upgradeOf({ most }: Pick<Scene, 'most'>): Posted {
  return { path: `${API}/clusterupgrades`, object: upgrade({ rollout: { maxUnavailable: most } }) };
}
