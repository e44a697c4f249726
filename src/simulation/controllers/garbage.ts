import type { KubeObject } from '../objects.ts';
import type { Place } from './index-of-objects.ts';
import { isLeaving } from './pods.ts';
import type { Scene } from './scene.ts';

const BY = 'garbage-collector';
const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

/** What follows its owners, and owners that wait for what they own (pkg/controller/garbagecollector). */
export function startGarbage(scene: Scene): void {
  const { index } = scene;
  const queue = scene.react('garbage', (uid) => {
    const place = index.find(uid);
    const object = place === undefined ? undefined : scene.registry.get(place.resource, place.key);
    if (place === undefined || object === undefined) return undefined;
    if (isLeaving(object) && has(object, ORPHAN)) orphan(scene, place, object);
    else if (isLeaving(object) && has(object, FOREGROUND)) finish(scene, place, object, queue.touch);
    else if (!isLeaving(object)) follow(scene, place, object);
    return undefined;
  });
  scene.hear('all', ({ before, after, last }) => {
    const { uid, ownerReferences } = last.metadata;
    if (after === undefined) {
      for (const { resource, key } of index.dependents(uid)) {
        const dependent = scene.registry.get(resource, key);
        if (dependent !== undefined) queue.touch(dependent.metadata.uid);
      }
      // An owner may wait for it.
      for (const owner of ownerReferences ?? []) if (isWaiting(scene, owner.uid)) queue.touch(owner.uid);
      return;
    }
    if (isLeaving(after) && (has(after, FOREGROUND) || has(after, ORPHAN))) queue.touch(uid);
    if (ownerReferences === undefined || before?.metadata.ownerReferences === ownerReferences) return;
    for (const owner of [...(before?.metadata.ownerReferences ?? []), ...ownerReferences]) {
      if (isWaiting(scene, owner.uid)) queue.touch(owner.uid);
    }
    // An owner that is gone before its dependent comes is found out all the same.
    if (ownerReferences.some((owner) => index.find(owner.uid) === undefined)) queue.touch(uid);
  });
}

function has({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) ?? false;
}

function isWaiting({ registry, index }: Scene, uid: string): boolean {
  const place = index.find(uid);
  const owner = place === undefined ? undefined : registry.get(place.resource, place.key);
  return owner !== undefined && isLeaving(owner) && has(owner, FOREGROUND);
}

/** As attemptToDeleteItem: an object goes when no owner is left that means to stay. */
function follow(scene: Scene, { resource, key }: Place, object: KubeObject): void {
  const { registry, index } = scene;
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0) return;
  const waiting = owners.filter(({ uid }) => isWaiting(scene, uid));
  const solid = owners.filter((owner) => index.find(owner.uid) !== undefined && !waiting.includes(owner));
  if (solid.length > 0) {
    if (solid.length === owners.length) return;
    registry.write<KubeObject>(resource, key, BY, (before) => ({
      ...before,
      metadata: { ...before.metadata, ownerReferences: solid },
    }));
    return;
  }
  const isForeground = waiting.length > 0 && index.dependents(object.metadata.uid).length > 0;
  const propagationPolicy = has(object, ORPHAN)
    ? 'Orphan'
    : isForeground || has(object, FOREGROUND)
      ? 'Foreground'
      : 'Background';
  registry.remove(resource, key, { propagationPolicy, preconditions: { uid: object.metadata.uid } }, { by: BY });
}

/** As processDeletingDependentsItem: an owner goes when nothing is left that would block it. */
function finish(scene: Scene, place: Place, object: KubeObject, touch: (uid: string) => void): void {
  const { registry, index } = scene;
  const { uid } = object.metadata;
  let isBlocked = false;
  for (const { resource, key } of index.dependents(uid)) {
    const dependent = registry.get(resource, key);
    if (dependent === undefined) continue;
    if (!isLeaving(dependent)) touch(dependent.metadata.uid);
    isBlocked ||= dependent.metadata.ownerReferences?.some((one) => one.uid === uid && one.blockOwnerDeletion) ?? false;
  }
  if (!isBlocked) unfinalize(scene, place, FOREGROUND);
}

/** As orphanDependents: those that are owned lose the reference before the owner goes. */
function orphan(scene: Scene, place: Place, { metadata: { uid } }: KubeObject): void {
  for (const { resource, key } of scene.index.dependents(uid)) {
    scene.registry.write<KubeObject>(resource, key, BY, (before) => {
      const { ownerReferences = [], ...metadata } = before.metadata;
      const left = ownerReferences.filter((owner) => owner.uid !== uid);
      return { ...before, metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left } };
    });
  }
  unfinalize(scene, place, ORPHAN);
}

function unfinalize({ registry }: Scene, { resource, key }: Place, finalizer: string): void {
  registry.write<KubeObject>(resource, key, BY, (before) => {
    const { finalizers: all = [], ...metadata } = before.metadata;
    const finalizers = all.filter((each) => each !== finalizer);
    return { ...before, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } };
  });
}
