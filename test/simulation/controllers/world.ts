import { startControllers } from '../../../src/simulation/controllers/controllers.ts';
import type { Delays } from '../../../src/simulation/controllers/delays.ts';
import { type FakeNode, fakeNode } from '../../../src/simulation/controllers/fake-node.ts';
import { dice } from '../../../src/simulation/dice.ts';
import { Etcd, type Written } from '../../../src/simulation/etcd.ts';
import type {
  BudgetObject,
  JobObject,
  KubeObject,
  NodeObject,
  PodObject,
  PodTemplate,
} from '../../../src/simulation/objects.ts';
import { type Draft, Registry } from '../../../src/simulation/registry.ts';
import { Timeline } from '../../../src/simulation/timeline.ts';

const START = Date.parse('2026-03-02T08:00:00Z');

/** A small cluster with controllers and without an API in front of it. */
export type World = ReturnType<typeof world>;

export function world(seed = 1, options: Partial<Delays> = {}) {
  const chance = dice(seed);
  const timeline = new Timeline(START);
  const etcd = new Etcd();
  const registry = new Registry({ etcd, now: () => timeline.now(), dice: chance.fork('registry') });
  const written: Written[] = [];
  etcd.subscribe((each) => written.push(each));
  for (const name of ['default', 'kube-system', 'drydock-jobs']) create('namespaces', { metadata: { name } });
  const controllers = startControllers({ registry, timeline, dice: chance, options });
  const machines = chance.fork('machines');

  function create(id: string, draft: Omit<Draft, 'apiVersion' | 'kind'>): KubeObject {
    const made = registry.create(id, { apiVersion: '', kind: '', ...draft }, { by: 'test' });
    if (!made.ok) throw new Error(made.failure.message);
    return made.value;
  }
  function run(seconds: number): void {
    const end = timeline.now() + seconds * 1000;
    for (let next = timeline.next(); next !== undefined && next <= end; next = timeline.next()) timeline.step();
    timeline.pass(end);
  }
  /** Until it holds; the seconds that it took. */
  function until(holds: () => boolean, seconds = 600): number {
    const start = timeline.now();
    while (!holds()) {
      if (timeline.now() - start > seconds * 1000 || !timeline.step()) throw new Error(`never: ${String(holds)}`);
    }
    return (timeline.now() - start) / 1000;
  }
  return {
    ...controllers,
    timeline,
    etcd,
    registry,
    written,
    create,
    run,
    until,
    node: (name: string, more: Partial<FakeNode> = {}) =>
      create('nodes', fakeNode({ name, kubeletVersion: 'v1.35.0', ...more }, machines)),
    change: <T extends KubeObject>(id: string, key: string, change: (before: T) => T) =>
      registry.write<T>(id, key, 'test', change),
    remove: (id: string, key: string, propagationPolicy = 'Background') =>
      registry.remove(id, key, { propagationPolicy }, { by: 'test' }),
    pods: (part = '') => registry.list<PodObject>('pods').filter(({ metadata }) => metadata.name.startsWith(part)),
    pod: (name: string, namespace = 'default') => registry.get<PodObject>('pods', `${namespace}/${name}`),
    nodeOf: (name: string) => registry.get<NodeObject>('nodes', name) as NodeObject,
    job: (name: string) => registry.get<JobObject>('jobs.batch', `default/${name}`) as JobObject,
    budget: (name: string) =>
      registry.get<BudgetObject>('poddisruptionbudgets.policy', `default/${name}`) as BudgetObject,
  };
}

/** A template whose pods have one container and the label app. */
export function template(app: string, more: Partial<PodObject['spec']> = {}, annotations = {}): PodTemplate {
  return {
    metadata: { labels: { app }, annotations },
    spec: { containers: [{ name: 'main', image: `${app}:1` }], ...more },
  };
}

/** What a workload of so many pods is made of. */
export function workload(name: string, replicas: number, of: PodTemplate = template(name), more = {}) {
  return {
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: of, ...more },
  };
}

/** A Job with one pod, unless more is said. */
export function job(name: string, more: object = {}, annotations = {}) {
  const of = template(name, { restartPolicy: 'Never' }, annotations);
  return { metadata: { name, namespace: 'default' }, spec: { template: of, ...more } };
}

export function isReady({ status, metadata }: PodObject): boolean {
  const ready = status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready === true && metadata.deletionTimestamp === undefined;
}
