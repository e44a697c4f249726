import type { KubeObject, PodObject } from '../../src/simulation/objects.ts';
import { collectionOf } from './collections.ts';
import { fateOf } from './fates.ts';
import { FINALIZER } from './odd-apps.ts';
import type { OddHappening } from './odd-happenings.ts';
import { openingsOf } from './scenario.ts';
import { PASSAGES, type Passage, phaseOf } from './truth.ts';
import type { World } from './world.ts';

const API = '/apis/drydock.dev/v1alpha1';
const PROFILES = 'maintenanceprofiles.drydock.dev';
const LEAST_DEADLINE_SECONDS = 300;
const PLURALS = {
  profile: 'maintenanceprofiles',
  upgrade: 'clusterupgrades',
  policy: 'maintenancepolicies',
} as const;

/** What people do now and then. What is not there any more cannot be changed. */
export function happenOddly(world: World, what: OddHappening): void {
  const patch = (path: string, body: unknown) => world.ask('PATCH', path, body, true);
  switch (what.do) {
    case 'annotate':
      patch(`/api/v1/nodes/${what.node}`, { metadata: { annotations: what.annotations } });
      return;
    case 'release':
      for (const passage of world.server.registry.list<Passage>(PASSAGES)) {
        if (passage.spec.nodeName === what.node && phaseOf(passage) === 'Lost') releasePassage(world, passage);
      }
      return;
    case 'profile':
    case 'upgrade':
    case 'policy':
      patch(`${API}/${PLURALS[what.do]}/${what.of}`, { spec: what.spec });
      return;
    case 'window': {
      const { daily, onClose } = what;
      world.changeWindow(daily);
      patch(`${API}/maintenancewindows/${daily.name}`, { spec: { openings: openingsOf(daily), onClose } });
      return;
    }
    case 'deleteNamespace':
      world.ask('DELETE', `/api/v1/namespaces/${what.namespace}`, {}, true);
      return;
    case 'make':
      for (const object of what.objects) world.ask('POST', collectionOf(object), object, true);
      return;
    case 'finalize':
      takeFinalizersOff(world);
      return;
    case 'holdBy': {
      const { profileName } = what;
      const named = profileName === undefined ? {} : { profileName };
      const spec = { nodeName: what.node, hold: true, reason: 'replace a fan', ...named };
      world.ask('POST', `${API}/nodemaintenances`, { metadata: { name: what.name }, spec }, true);
      return;
    }
    case 'unholdBy':
      world.ask('DELETE', `${API}/nodemaintenances/${what.name}`, {}, true);
  }
}

/** A person says that a node is not waited for. */
export function releasePassage(world: World, { metadata, spec }: Passage): void {
  const annotations = { 'drydock.dev/release': spec.nodeName };
  world.ask('PATCH', `${API}/nodemaintenances/${metadata.name}`, { metadata: { annotations } }, true);
}

function takeFinalizersOff(world: World): void {
  for (const { metadata } of world.server.registry.list('pods')) {
    if (!metadata.finalizers?.includes(FINALIZER)) continue;
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
    world.ask('PATCH', path, { metadata: { finalizers: null } });
  }
}

/** Once faults are over: whatever in profiles, pods and nodes only a person can mend is mended. */
export function mend(world: World): void {
  const { registry } = world.server;
  takeFinalizersOff(world);
  world.ask('PATCH', `${API}/maintenancepolicies/cluster`, { spec: { paused: false } });
  for (const { metadata } of registry.list('nodes')) {
    if (metadata.annotations?.['drydock.dev/hold'] === undefined) continue;
    const annotations = { 'drydock.dev/hold': null };
    world.ask('PATCH', `/api/v1/nodes/${metadata.name}`, { metadata: { annotations } });
  }
  for (const profile of registry.list(PROFILES)) mendProfile(world, profile);
  for (const { metadata } of registry.list('poddisruptionbudgets.policy')) {
    if (metadata.name !== 'twice-too') continue;
    world.ask('DELETE', '/apis/policy/v1/namespaces/shop/poddisruptionbudgets/twice-too', {});
  }
}

function mendProfile(world: World, { metadata, spec }: KubeObject): void {
  const { drain } = spec as { readonly drain: Readonly<Record<string, unknown>> };
  const { deadlineSeconds, emptyDir, unmanaged } = drain;
  const isLong = (deadlineSeconds as number) >= LEAST_DEADLINE_SECONDS;
  if (isLong && emptyDir === 'Evict' && unmanaged === 'Evict') return;
  const kind = { emptyDir: 'Evict', unmanaged: 'Evict' };
  const longer = isLong ? kind : { ...kind, deadlineSeconds: LEAST_DEADLINE_SECONDS };
  world.ask('PATCH', `${API}/maintenanceprofiles/${metadata.name}`, { spec: { drain: longer } });
}

/** The pods of nodes that are drained now which a profile leaves to people: of older plans, and of holds without a profile. */
export function leftToPeople(world: World): readonly PodObject[] {
  const { registry } = world.server;
  const draining = registry.list<Passage>(PASSAGES).filter((passage) => phaseOf(passage) === 'Draining');
  return draining.flatMap((passage) => {
    const { plan } = passage.status;
    const pods = registry.list<PodObject>('pods').filter(({ spec }) => spec.nodeName === passage.spec.nodeName);
    if (plan === undefined) return [];
    return pods.filter((pod) => {
      const { as, why } = fateOf(pod, { drain: plan.drain, registry, passage });
      return as === 'kept' && why !== 'WaitForCompletion' && pod.metadata.deletionTimestamp === undefined;
    });
  });
}

/** Deletes what only a person may. */
export function deletePods(world: World): void {
  for (const { metadata } of leftToPeople(world)) {
    world.ask('DELETE', `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, {}, true);
  }
}
