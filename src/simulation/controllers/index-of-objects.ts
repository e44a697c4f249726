import type { Written } from '../etcd.ts';
import { type KubeObject, keyOf, type PodObject } from '../objects.ts';
import { controllerOf } from './pods.ts';

/** Where an object is stored. */
export type Place = { readonly resource: string; readonly key: string };

/** What controllers would otherwise search all objects for. */
export type Index = {
  /** Must hear of every write before any controller does. */
  hear(written: Written): void;
  clear(): void;
  podsOn(node: string): Iterable<PodObject>;
  podsIn(namespace: string): Iterable<PodObject>;
  /** By the UID of the controller. */
  podsOf(uid: string): Iterable<PodObject>;
  /** Whatever names this UID as one of its owners. */
  dependents(uid: string): readonly Place[];
  /** Where the object of a UID is, if there is one. */
  find(uid: string): Place | undefined;
};

type Shelves<T> = Map<string, Map<string, T>>;

/** Keeps the index of a cluster. Its order is that of the writes, so it is the same for the same seed. */
export function index(): Index {
  const byNode: Shelves<PodObject> = new Map();
  const byNamespace: Shelves<PodObject> = new Map();
  const byController: Shelves<PodObject> = new Map();
  const byOwner: Shelves<Place> = new Map();
  const byUID = new Map<string, Place>();
  const shelvesOfPods: readonly [Shelves<PodObject>, (pod: PodObject) => string | undefined][] = [
    [byNode, (pod) => pod.spec.nodeName],
    [byNamespace, (pod) => pod.metadata.namespace],
    [byController, (pod) => controllerOf(pod)?.uid],
  ];
  const hear = ({ resource, key, before, after }: Written) => {
    const place = { resource, key };
    if (before !== undefined && after === undefined) byUID.delete(before.metadata.uid);
    if (after !== undefined && after.metadata.uid !== before?.metadata.uid) byUID.set(after.metadata.uid, place);
    if (before?.metadata.ownerReferences !== after?.metadata.ownerReferences) {
      const id = `${resource} ${key}`;
      for (const uid of owners(before)) take(byOwner, uid, id);
      for (const uid of owners(after)) put(byOwner, uid, id, place);
    }
    if (resource !== 'pods') return;
    for (const [shelves, shelfOf] of shelvesOfPods) {
      const [from, to] = [before, after].map((pod) => (pod === undefined ? undefined : shelfOf(pod as PodObject)));
      if (from !== undefined && from !== to) take(shelves, from, key);
      if (to !== undefined) put(shelves, to, key, after as PodObject);
    }
  };
  return {
    hear,
    clear: () => {
      for (const each of [byNode, byNamespace, byController, byOwner, byUID]) each.clear();
    },
    podsOn: (node) => byNode.get(node)?.values() ?? [],
    podsIn: (namespace) => byNamespace.get(namespace)?.values() ?? [],
    podsOf: (uid) => byController.get(uid)?.values() ?? [],
    dependents: (uid) => [...(byOwner.get(uid)?.values() ?? [])],
    find: (uid) => byUID.get(uid),
  };
}

/** As if it had just been created: how a controller that starts hears of what is there already. */
export function found(resource: string, object: KubeObject): Written {
  return { revision: 0, resource, key: keyOf(object), before: undefined, after: object, last: object, by: '' };
}

function owners(object: KubeObject | undefined): readonly string[] {
  return object?.metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
}

function put<T>(shelves: Shelves<T>, shelf: string, id: string, value: T): void {
  let there = shelves.get(shelf);
  if (there === undefined) {
    there = new Map();
    shelves.set(shelf, there);
  }
  there.set(id, value);
}

function take<T>(shelves: Shelves<T>, shelf: string, id: string): void {
  const there = shelves.get(shelf);
  there?.delete(id);
  if (there?.size === 0) shelves.delete(shelf);
}
