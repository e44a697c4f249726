import type { Caches, Cluster } from '../../../src/cluster/cluster.ts';
import { upgrades } from '../../../src/controllers/cluster-upgrade.ts';
import type { Loop, Subject } from '../../../src/controllers/loop.ts';
import { ledger } from '../../../src/controllers/maintenance-policy.ts';
import { Memory } from '../../../src/controllers/memory.ts';
import { passages } from '../../../src/controllers/node-maintenance.ts';
import type { SeenPassage } from '../../../src/controllers/see-passage.ts';
import { sweep } from '../../../src/controllers/sweep.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Decision } from '../../../src/core/decision.ts';
import type { Effect, StatusWrite } from '../../../src/core/effect.ts';
import { lowest } from '../../../src/core/version.ts';
import type { Kind } from '../../../src/core/world.ts';
import { NOW } from '../../support/build.ts';
import { profile } from '../../support/build-own.ts';
import { TARGET } from './environment.ts';
import type { Flight, State } from './state.ts';
import { KINDS, type Modelled, type Table, type Tables, tableOf } from './tables.ts';
import { essence } from './times.ts';

/** What one reconcile of a key asks for: nothing, a status, or effects. */
export type Turn = {
  readonly flights: readonly Flight[];
  readonly label: string;
  /** Whether it waits for its turn at the ledger. */
  readonly writesLedger: boolean;
};

type AnySubject = Subject<unknown, unknown>;
type Controller = 'passages' | 'upgrades' | 'ledger' | 'sweep';
type Subjects = { readonly [C in Controller]: AnySubject };

const REST: Turn = { flights: [], label: '', writesLedger: false };
const PLACE = { namespace: 'drydock-system', jobsNamespace: 'drydock-jobs' } as const;
const CLOCK: Clock = { now: () => NOW, monotonic: () => 0, after: () => () => {} };

/** Every worker of the operator: a key of a controller, as `controller/key`. */
export function* workers({ seen, rules }: State): Generator<readonly [Controller, string]> {
  for (const { name } of seen.NodeMaintenance.views) yield ['passages', name];
  for (const { name } of seen.ClusterUpgrade.views) yield ['upgrades', name];
  yield ['ledger', 'cluster'];
  if (rules.variant === 'no sweep') return;
  for (const { name } of seen.Node.views) yield ['sweep', name];
}

/**
 * The operator as it is: its own controllers observe, look and decide over the caches and the truth of a state. Everything
 * between an observation and the request that comes of it happens at once; that caches may be behind makes up for it.
 */
export class Operator {
  #state: State | undefined;
  readonly #server: { current: string | undefined } = { current: TARGET };
  readonly #subjects = new Map<string, Subjects>();
  readonly #turns = new Map<string, Turn>();
  readonly #cluster: Cluster;

  constructor() {
    const still: Record<string, unknown> = {};
    for (const kind of ['DaemonSet', 'VolumeAttachment', 'PersistentVolumeClaim'] as const)
      still[kind] = tableOf(kind, []);
    still['MaintenanceProfile'] = tableOf('MaintenanceProfile', [PROFILE]);
    const caches = {} as Record<Kind, unknown>;
    for (const kind of KINDS) Object.defineProperty(caches, kind, { get: () => this.#now().seen[kind] });
    Object.assign(caches, still);
    const live = (kind: Kind) => this.#now().truth[kind as Modelled] as unknown as Table<never>;
    this.#cluster = {
      caches: caches as unknown as Caches,
      read: async (kind, key) => ({ ok: true, value: live(kind).get(key) }),
      list: async (kind, where) => ({
        ok: true,
        value: where === undefined ? live(kind).views : [...live(kind).by(where.index, where.value)],
      }),
      version: async () => ({ ok: true, value: TARGET }),
      watch: unasked,
      perform: unasked,
      store: unasked,
      tell: () => {},
    };
  }

  /** What a worker does next if it is run now. */
  async turn(state: State, controller: Controller, key: string): Promise<Turn> {
    const { seen, truth, remembered, young, rules } = state;
    this.#server.current = serverVersion(truth);
    const about = `${rules.variant}|${controller}/${key}|${ids(seen)}|${young}${remembered}|${this.#server.current}`;
    const known = this.#turns.get(about) ?? this.#turns.get(`${about}|${ids(truth)}`);
    if (known !== undefined) return known;
    this.#state = state;
    const subject = this.#of(remembered, young && rules.variant !== 'a beginning is not remembered')[controller];
    const observed = forged(subject.observe(key), controller, state);
    const first = observed === undefined ? undefined : subject.decide(observed);
    const looks =
      first !== undefined && rules.variant !== 'no look before' && subject.needsLook(observed, first as never);
    const writesLedger = first?.kind === 'act' && first.effects[0].kind === 'writeLedger';
    let facts = observed;
    let decision = first;
    if (looks) {
      const looked = await subject.look(key, observed);
      facts = looked.ok ? forged(looked.value, controller, state) : undefined;
      decision = facts === undefined ? undefined : subject.decide(facts);
    }
    const turn =
      facts === undefined || decision === undefined
        ? REST
        : this.#asked(subject, controller, key, facts, decision as Decision<unknown, Effect>, writesLedger);
    this.#turns.set(looks ? `${about}|${ids(truth)}` : about, turn);
    return turn;
  }

  /** A decision becomes requests: a move is stored, effects are performed, and never both. */
  #asked(
    subject: AnySubject,
    controller: Controller,
    key: string,
    facts: unknown,
    decision: Decision<unknown, Effect>,
    writesLedger: boolean,
  ): Turn {
    const worker = `${controller}/${key}`;
    const passageUID = controller === 'passages' ? (facts as SeenPassage).passage.uid : '';
    const from = controller === 'passages' ? (facts as SeenPassage).passage.status.state.phase : '';
    const base = { worker, passageUID, late: false } as const;
    // A trial changes nothing, and what comes of it is only reported.
    if (decision.kind === 'act' && decision.effects[0].kind === 'tryEvict') return REST;
    if (decision.kind === 'act')
      return { flights: performed(decision.effects, base), label: told(worker, from, decision), writesLedger };
    // Reports are left out: they say something anew and decide nothing.
    if (decision.kind !== 'move' || decision.because.reason === 'Reported') return REST;
    const write = essence(subject.status(facts, decision.to, decision.because));
    const store: Flight = { ...base, request: { asks: 'store', write }, lane: 'status', order: 0 };
    const more =
      this.#now().rules.variant === 'move and act at once' ? this.#effectsOf(subject, controller, key, write) : [];
    return { flights: [store, ...performed(more, base)], label: told(worker, from, decision), writesLedger };
  }

  /** What would be done in the state that is only about to be stored. */
  #effectsOf(subject: AnySubject, controller: Controller, key: string, write: StatusWrite): readonly Effect[] {
    const state = this.#now();
    const there = state.seen.NodeMaintenance.get(key);
    if (controller !== 'passages' || there === undefined) return [];
    const others = state.seen.NodeMaintenance.views.filter(({ name }) => name !== key);
    const next = tableOf('NodeMaintenance', [...others, { ...there, status: write.status } as never]);
    this.#state = { ...state, seen: { ...state.seen, NodeMaintenance: next } };
    const decision = subject.decide(subject.observe(key));
    this.#state = state;
    return decision.kind === 'act' ? decision.effects : [];
  }

  #now(): State {
    if (this.#state === undefined) throw new Error('impossible: nothing is looked at');
    return this.#state;
  }

  #of(remembered: readonly string[], young: boolean): Subjects {
    const about = `${young} ${remembered}`;
    const known = this.#subjects.get(about);
    if (known !== undefined) return known;
    const memory = new Memory(CLOCK, young ? NOW : NOW - 30_000);
    for (const nodeName of remembered)
      memory.remember({ kind: 'patchNode', as: 'cordon', nodeName, resourceVersion: '' }, { ok: true });
    const loop: Loop = { cluster: this.#cluster, clock: CLOCK, memory, happened: () => {} };
    const made = {
      passages: passages(loop, this.#server, PLACE),
      upgrades: upgrades(loop, this.#server, PLACE),
      ledger: ledger(loop),
      sweep: sweep(loop),
    } as unknown as Subjects;
    this.#subjects.set(about, made);
    return made;
  }
}

const PROFILE = profile({ prePull: false, readySeconds: 0 });

function unasked(): never {
  throw new Error('impossible: what is asked for is taken from the decision');
}

function ids(tables: Tables): string {
  let text = '';
  for (const kind of KINDS) text += `${tables[kind].id},`;
  return text;
}

/** What the API servers call themselves: the oldest of them, asked anew all the time. */
function serverVersion({ Pod }: Tables): string {
  return lowest(Pod.views.flatMap(({ componentVersion }) => componentVersion ?? [])) ?? TARGET;
}

/** Without the rule of the door a passage takes it for granted that its ticket is stamped. */
function forged(facts: unknown, controller: Controller, { rules }: State): unknown {
  if (rules.variant !== 'no ticket at the door' || controller !== 'passages' || facts === undefined) return facts;
  const seen = facts as SeenPassage;
  const { ledger: there, passage, node } = seen.facts;
  if (there === undefined || node === undefined) return facts;
  const others = there.status.tickets.filter(({ nodeName }) => nodeName !== passage.spec.nodeName);
  const ticket = {
    nodeName: passage.spec.nodeName,
    nodeUID: passage.spec.nodeUID ?? '',
    ticket: passage.spec.ticket ?? '',
    target: TARGET,
    holder: { kind: 'ClusterUpgrade', name: passage.spec.upgradeName ?? '', uid: passage.ownerUIDs[0] ?? '' },
    controlPlane: node.controlPlane,
    mode: 'Drain',
    passageUID: passage.uid,
    since: '',
  } as const;
  const status = { ...there.status, tickets: [...others, ticket] };
  return { ...seen, facts: { ...seen.facts, ledger: { ...there, status } } };
}

function performed(effects: readonly Effect[], base: Pick<Flight, 'worker' | 'passageUID' | 'late'>): Flight[] {
  return effects.map((effect, order) => {
    const lane = effect.kind === 'evict' ? effect.lane : `${effect.kind} ${order}`;
    return { ...base, request: { asks: 'perform', effect }, lane, order };
  });
}

function told(
  worker: string,
  from: string,
  decision: Extract<Decision<unknown, Effect>, { kind: 'move' | 'act' }>,
): string {
  if (decision.kind === 'move') {
    const { phase = decision.because.reason } = decision.to as { readonly phase?: string };
    return `${worker}: ${from === '' ? '' : `${from} → `}${phase} (${decision.because.reason})`;
  }
  const what = decision.effects.map((effect) => ('as' in effect ? `${effect.kind} ${effect.as}` : effect.kind));
  return `${worker}: ${from === '' ? '' : `in ${from} `}${[...new Set(what)].join(', ')}`;
}
