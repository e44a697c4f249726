import type { PolicyStatus } from '../../src/api/maintenance-policy.ts';
import { nodeMaintenance } from '../../src/api/node-maintenance.ts';
import { type Answer, type Caches, type Change, type Cluster, keyOf } from '../../src/cluster/cluster.ts';
import { INDEXES, SEEN_KINDS } from '../../src/cluster/kinds.ts';
import { Store } from '../../src/cluster/store.ts';
import type { Outcome, Refusal } from '../../src/core/decision.ts';
import { type Changes, type Effect, type StatusWrite, type Telling, tainted } from '../../src/core/effect.ts';
import { PASSAGE_FINALIZER } from '../../src/core/node-pending.ts';
import type { Kind, NodeView, World } from '../../src/core/world.ts';
import { ledger } from '../support/build-own.ts';

type Views = { [K in Kind]?: readonly World[K][] };
type Any = World[Kind];
type Stored = Any & { readonly finalizers?: readonly string[]; readonly deletedAt?: number };

const NO_ANSWER: Refusal = { ok: false, why: 'unavailable', cause: 'Other', message: 'no answer', code: 0 };

function no(why: Refusal['why'], message: string = why): Refusal {
  return { ok: false, why, cause: 'Other', message, code: why === 'gone' ? 404 : 409 };
}

/**
 * A cluster of a few objects behind the port, only as true as the tests of the controllers need: it refuses by UID and
 * resourceVersion as an API server does, the cache of each kind can lag by itself, and it can be away. Nothing in it runs.
 */
export class SmallCluster implements Cluster {
  readonly caches: Caches;
  /** Everything that was asked of it, as one line each. */
  readonly asked: string[] = [];
  readonly told: Telling[] = [];
  readonly effects: Effect[] = [];
  readonly writes: StatusWrite[] = [];
  /** Whether it answers anything. */
  away = false;
  release = 'v1.36.4';
  /** Answers in its place, or waits before it does. */
  before: (about: string, effect?: Effect) => Promise<Refusal | undefined> | Refusal | undefined = () => undefined;
  /** Runs after a live read: the world goes on between two of them. */
  afterRead: (kind: Kind) => void = () => {};
  #version = 100;
  #changed: (change: Change) => void = () => {};
  readonly #stores: Record<Kind, Store<Any>>;
  readonly #live: Record<Kind, Map<string, Any>>;
  readonly #late = new Map<Kind, (() => void)[]>();

  constructor(views: Views = {}) {
    const stores = SEEN_KINDS.map((kind) => [kind, new Store<Any>(INDEXES[kind] as never)]);
    this.#stores = Object.fromEntries(stores) as Record<Kind, Store<Any>>;
    this.#live = Object.fromEntries(SEEN_KINDS.map((kind) => [kind, new Map()])) as unknown as Record<
      Kind,
      Map<string, Any>
    >;
    this.caches = this.#stores as unknown as Caches;
    for (const kind of SEEN_KINDS) for (const view of views[kind] ?? []) this.put(kind, view as never);
  }

  /** Somebody writes an object. */
  put<K extends Kind>(kind: K, view: World[K]): void {
    this.#version += 1;
    const stored = { ...view, resourceVersion: String(this.#version) };
    this.#live[kind].set(keyOf(view), stored);
    this.#publish(kind, { type: 'modified', view: stored });
  }

  /** Somebody changes a part of an object. */
  change<K extends Kind>(kind: K, key: string, over: Partial<World[K]>): void {
    this.put(kind, { ...this.live(kind, key), ...over } as World[K]);
  }

  remove(kind: Kind, key: string): void {
    const view = this.#live[kind].get(key);
    if (view === undefined) return;
    this.#live[kind].delete(key);
    this.#publish(kind, { type: 'deleted', view });
  }

  /** What the API server has. */
  live<K extends Kind>(kind: K, key: string): World[K] | undefined {
    return this.#live[kind].get(key) as World[K] | undefined;
  }

  /** All that the API server has of a kind. */
  all<K extends Kind>(kind: K): readonly World[K][] {
    return [...this.#live[kind].values()] as World[K][];
  }

  /** From now on the cache of a kind shows what it shows. */
  lag(kind: Kind): void {
    this.#late.set(kind, []);
  }

  catchUp(kind: Kind): void {
    const late = this.#late.get(kind) ?? [];
    this.#late.delete(kind);
    for (const apply of late) apply();
  }

  async watch(changed: (change: Change) => void): Promise<void> {
    this.#changed = changed;
    for (const kind of SEEN_KINDS) {
      for (const after of this.#stores[kind].all())
        changed({ kind, key: keyOf(after), before: undefined, after } as Change);
    }
  }

  async read<K extends Kind>(kind: K, key: string): Promise<Answer<World[K] | undefined>> {
    const refusal = await this.#ask(`read ${kind} ${key}`);
    const value = this.live(kind, key);
    if (refusal === undefined) this.afterRead(kind);
    return refusal ?? { ok: true, value };
  }

  async list<K extends Kind>(
    kind: K,
    where?: { readonly index: string; readonly value: string },
  ): Promise<Answer<readonly World[K][]>> {
    const refusal = await this.#ask(`list ${kind}`);
    const all = this.all(kind);
    if (refusal === undefined) this.afterRead(kind);
    const filed = where === undefined ? undefined : INDEXES[kind][where.index];
    return refusal ?? { ok: true, value: filed === undefined ? all : all.filter((v) => filed(v) === where?.value) };
  }

  async version(): Promise<Answer<string>> {
    return (await this.#ask('version')) ?? { ok: true, value: this.release };
  }

  async store(write: StatusWrite): Promise<Outcome> {
    const refusal = await this.#ask(`store ${write.of} ${write.name}`);
    if (refusal !== undefined) return refusal;
    const outcome = this.#write(write.of, write.name, write, { status: write.status });
    if (outcome.ok) this.writes.push(write);
    return outcome;
  }

  async perform(effect: Effect): Promise<Outcome> {
    const about = 'pod' in effect ? effect.pod : 'name' in effect ? effect.name : effect.as;
    const refusal = await this.#ask(`${effect.kind} ${about}`, effect);
    if (refusal !== undefined) return refusal;
    const outcome = this.#perform(effect);
    if (outcome.ok) this.effects.push(effect);
    return outcome;
  }

  tell(telling: Telling): void {
    this.told.push(telling);
  }

  async #ask(about: string, effect?: Effect): Promise<Refusal | undefined> {
    this.asked.push(about);
    return this.away ? NO_ANSWER : await this.before(about, effect);
  }

  #perform(effect: Effect): Outcome {
    switch (effect.kind) {
      case 'patchNode':
        return this.#patchNode(effect);
      case 'evict': {
        const key = `${effect.namespace}/${effect.pod}`;
        const pod = this.live('Pod', key);
        if (pod === undefined) return no('gone');
        if (pod.uid !== effect.uid) return no('conflict');
        this.remove('Pod', key);
        return { ok: true };
      }
      case 'tryEvict': {
        const pod = this.live('Pod', `${effect.namespace}/${effect.pod}`);
        return pod?.uid === effect.uid ? { ok: true } : no(pod === undefined ? 'gone' : 'conflict');
      }
      case 'createJob': {
        const { labels } = effect.manifest['metadata'] as { labels: Record<string, string> };
        const { suspend } = effect.manifest['spec'] as { suspend: boolean };
        const none = { createdAt: 0, deleting: false, started: false, released: false } as const;
        return this.#create('Job', effect.name, { ...none, labels, suspended: suspend });
      }
      case 'releaseJob':
        return this.#write('Job', effect.name, effect, { suspended: false, released: true });
      case 'deleteJob':
        return this.#delete('Job', effect);
      case 'createPassage': {
        const { labels, owner, spec } = effect;
        const status = nodeMaintenance.status.parse({});
        const made = { labels, spec, status, owners: [owner], finalizers: [PASSAGE_FINALIZER], annotations: {} };
        return this.#create('NodeMaintenance', effect.name, { ...made, readable: true, generation: 1, createdAt: 0 });
      }
      case 'deletePassage':
        return this.#delete('NodeMaintenance', effect);
      case 'createPolicy': {
        const { uid: _, ...fresh } = ledger(
          [],
          { finalizers: [] },
          {},
          { observedGeneration: undefined, nextTicket: 1 },
        );
        return this.#create('MaintenancePolicy', effect.name, fresh);
      }
      case 'setFinalizers':
        return this.#write(effect.of, effect.name, effect, { finalizers: effect.finalizers });
      case 'writeLedger':
        return this.#write('MaintenancePolicy', 'cluster', effect, { status: effect.status satisfies PolicyStatus });
    }
  }

  #patchNode({
    nodeName,
    resourceVersion,
    unschedulable,
    taints,
    labels,
    annotations,
  }: Extract<Effect, { kind: 'patchNode' }>) {
    const node = this.live('Node', nodeName);
    if (node === undefined) return no('gone');
    const over: Partial<NodeView> = {
      ...(unschedulable === undefined ? {} : { unschedulable }),
      ...(taints === undefined ? {} : { taints: tainted(taints) }),
      labels: patched(node.labels, labels),
      annotations: patched(node.annotations, annotations),
    };
    return this.#write('Node', nodeName, { uid: node.uid, resourceVersion }, over);
  }

  #create(kind: Kind, name: string, rest: object): Outcome {
    if (this.#live[kind].has(name)) return { ...no('conflict'), cause: 'Exists' };
    this.put(kind, { ...rest, name, uid: `uid-of-${name}-${this.#version}`, resourceVersion: '' } as never);
    return { ok: true };
  }

  #write(kind: Kind, name: string, at: { uid: string; resourceVersion: string }, over: object): Outcome {
    const there = this.#live[kind].get(name) as Stored | undefined;
    if (there === undefined) return no('gone');
    if (there.uid !== at.uid || there.resourceVersion !== at.resourceVersion) return no('conflict');
    const next = { ...there, ...over } as Stored;
    if (next.deletedAt !== undefined && next.finalizers?.length === 0) this.remove(kind, name);
    else this.put(kind, next as never);
    return { ok: true };
  }

  #delete(
    kind: Kind,
    { name, uid, resourceVersion }: { name: string; uid: string; resourceVersion?: string },
  ): Outcome {
    const there = this.#live[kind].get(name) as Stored | undefined;
    if (there === undefined) return no('gone');
    if (there.uid !== uid || (resourceVersion ?? there.resourceVersion) !== there.resourceVersion)
      return no('conflict');
    if ((there.finalizers ?? []).length > 0) this.put(kind, { ...there, deletedAt: 1 } as never);
    else this.remove(kind, name);
    return { ok: true };
  }

  #publish(kind: Kind, event: { type: 'modified' | 'deleted'; view: Any }): void {
    const apply = () => {
      const differences = this.#stores[kind].apply(event);
      for (const difference of differences) this.#changed({ kind, ...difference } as Change);
    };
    const late = this.#late.get(kind);
    if (late === undefined) apply();
    else late.push(apply);
  }
}

function patched(before: Readonly<Record<string, string>>, changes: Changes = {}): Record<string, string> {
  const all = Object.entries({ ...before, ...changes });
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== null));
}
