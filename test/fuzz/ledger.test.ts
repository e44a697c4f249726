import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ticket } from '../../src/api/maintenance-policy.ts';
import type { NodeState } from '../../src/api/node-maintenance.ts';
import {
  admit,
  admitHold,
  isSettled,
  type Ledger,
  type Request,
  rebuilt,
  returned,
  stamp,
  ticketOf,
  without,
} from '../../src/core/ledger.ts';
import { HELD_BY, LEFT_CORDONED, writeMark } from '../../src/core/mark.ts';
import type { JobView, NodeView, PassageObject, Read } from '../../src/core/world.ts';
import { ago, job, mark, NOW, node } from '../support/build.ts';
import { ledger, passage, plan } from '../support/build-own.ts';
import { planted, runs } from './runs.ts';

/** Everything that writes the ledger, so that a test can put another in the place of one. */
const REAL = { admit, admitHold, stamp, without, returned, rebuilt };
type Writers = typeof REAL;

const NAMES = ['cp-1', 'cp-2', 'a', 'b', 'c'];
const move = fc.record({
  what: fc.constantFrom(
    'admit',
    'admit',
    'hold',
    'stamp',
    'stamp',
    'begin',
    'begin',
    'work',
    'end',
    'fail',
    'forget',
    'giveBack',
    'handBack',
    'remove',
    'remove',
    'lose',
  ),
  names: fc.subarray(NAMES, { minLength: 1 }),
  pick: fc.nat(10),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

type World = {
  ledger: Ledger;
  readonly nodes: Map<string, NodeView>;
  readonly passages: Map<string, Read<PassageObject>>;
  readonly jobs: Map<string, JobView>;
  readonly issued: Set<string>;
  made: number;
};

function begin(): World {
  return {
    ledger: ledger([], { uid: 'policy-0' }, {}, { nextTicket: 1 }),
    nodes: new Map(NAMES.map((name) => [name, node(name, { controlPlane: name.startsWith('cp') })])),
    passages: new Map(),
    jobs: new Map(),
    issued: new Set(),
    made: 1,
  };
}

const seen = ({ nodes, passages, jobs }: World) => ({
  nodes: [...nodes.values()],
  passages: [...passages.values()],
  jobs: [...jobs.values()],
});

/** Who may be admitted, as those who admit judge it: nobody twice, and one control plane at a time. */
function requests(world: World, names: readonly string[], holder: Ticket['holder']): readonly Request[] {
  const { tickets } = world.ledger.status;
  let busy = tickets.some(({ controlPlane }) => controlPlane);
  return names.flatMap((nodeName) => {
    const controlPlane = nodeName.startsWith('cp');
    if (tickets.some((ticket) => ticket.nodeName === nodeName) || (controlPlane && busy)) return [];
    busy ||= controlPlane;
    return [{ nodeName, nodeUID: `uid-${nodeName}`, target: 'v1.36.4', holder, controlPlane, mode: 'Drain' as const }];
  });
}

/** One of the passages of a kind, if there are any. */
function pickOf<T>(all: readonly T[], pick: number): T | undefined {
  return all[pick % Math.max(1, all.length)];
}

function state(world: World, uid: string, to: NodeState): void {
  const old = world.passages.get(uid);
  if (old !== undefined) world.passages.set(uid, { ...old, status: { ...old.status, state: to } });
}

function setNode(world: World, name: string, over: Partial<NodeView>): void {
  const old = world.nodes.get(name);
  if (old !== undefined) world.nodes.set(name, { ...old, ...over });
}

/** What passages do between two writes of the ledger: begin, put a Job to work, end, fail, be forgotten. */
function live(world: World, { what, pick }: Move): void {
  const inPhase = (...phases: readonly string[]) =>
    [...world.passages.values()].filter(({ status }) => phases.includes(status.state.phase));
  const why = { since: ago(5), reason: 'Why', message: '' };
  const begun = { attempt: 1, jobUID: 'j', bootIDBefore: 'b', machineID: 'm', since: ago(5) };
  const from = {
    begin: ['Pending'],
    work: ['Draining'],
    end: ['Draining', 'Upgrading'],
    fail: ['Draining', 'Upgrading'],
    forget: ['Succeeded', 'Failed'],
  }[what as string];
  const of = pickOf(inPhase(...(from ?? [])), pick);
  if (of === undefined) return;
  const { nodeName } = of.spec;
  const { uid } = of;
  const marked = (on: string) => ({
    unschedulable: true,
    annotations: { [on]: writeMark(mark(uid, {}, { ticket: of.spec.ticket ?? '' })) },
  });
  if (what === 'begin') {
    // No passage goes past the door without its stamp.
    const mine = ticketOf(world.ledger, nodeName)?.passageUID === uid;
    state(world, uid, mine ? { phase: 'Draining', since: ago(5) } : { phase: 'Cancelled', ...why });
    if (mine) setNode(world, nodeName, marked(HELD_BY));
  } else if (what === 'work') {
    state(world, uid, { phase: 'Upgrading', ...begun });
    world.jobs.set(uid, {
      ...job(),
      uid: `job-${uid}`,
      labels: { ...job().labels, 'drydock.dev/passage': uid, 'drydock.dev/node-uid': `uid-${nodeName}` },
    });
  } else if (what === 'forget') world.passages.delete(uid);
  else {
    world.jobs.delete(uid);
    state(world, uid, { phase: what === 'end' ? 'Succeeded' : 'Failed', ...why });
    setNode(world, nodeName, what === 'end' ? { unschedulable: false, annotations: {} } : marked(LEFT_CORDONED));
  }
}

function child(world: World, { ticket, nodeName, nodeUID, controlPlane, holder, passageUID }: Ticket): string {
  const uid = passageUID ?? `passage-${world.made++}`;
  const spec = { nodeName, nodeUID, ticket, hold: false, upgradeName: holder.name };
  const frozen = plan({ nodeUID, holderUID: holder.uid, role: controlPlane ? 'controlPlane' : 'worker' });
  world.passages.set(uid, passage({ phase: 'Pending' }, { uid, name: uid, spec, status: { plan: frozen } }));
  return uid;
}

/** The next status of the ledger, if this move writes it. */
function write(world: World, { what, names, pick }: Move, by: Writers): Ledger['status'] | undefined {
  const { ledger: now } = world;
  const unstamped = now.status.tickets.filter(({ passageUID }) => passageUID === undefined);
  const first = pickOf(unstamped, pick);
  if (what === 'admit') {
    const asked = requests(world, names, { kind: 'ClusterUpgrade', name: 'u', uid: 'uid-u' });
    return asked.length === 0 ? undefined : by.admit(now, asked, NOW).status;
  }
  if (what === 'hold') {
    const [asked] = requests(world, names, { kind: 'NodeMaintenance', name: 'h', uid: 'uid-h' });
    return asked === undefined ? undefined : by.admitHold(now, asked, `passage-${world.made++}`, NOW).status;
  }
  if (what === 'stamp' && first !== undefined) return by.stamp(now, first, child(world, first)).status;
  if (what === 'handBack' && first !== undefined) return by.without(now, [first], 'handBack').status;
  if (what === 'remove') return by.without(now, by.returned(now, seen(world)), 'remove').status;
  if (what !== 'lose') return undefined;
  // Another object by the same name, with nothing in it.
  world.ledger = ledger([], { uid: `policy-${world.made++}` }, {}, { nextTicket: 1 });
  return by.rebuilt(world.ledger, seen(world), NOW).status;
}

const inFlight = (world: World) =>
  [...world.passages.values()].filter((each) => !isSettled(each) && each.status.state.phase !== 'Pending');

function check(world: World, before: readonly Ticket[], what: string): void {
  const { tickets } = world.ledger.status;
  const names = tickets.map(({ nodeName }) => nodeName);
  expect(new Set(names).size).toBe(names.length);
  expect(tickets.filter(({ controlPlane }) => controlPlane).length).toBeLessThanOrEqual(1);
  expect(new Set(tickets.map(({ ticket }) => ticket)).size).toBe(tickets.length);
  const known = new Set(before.map(({ ticket }) => ticket));
  for (const { ticket } of tickets) {
    if (known.has(ticket) || what === 'lose') continue;
    expect(world.issued.has(ticket)).toBe(false);
    world.issued.add(ticket);
  }
  // Whoever is out of service has its right, under the number it was given, whatever became of the ledger.
  for (const { uid, spec } of inFlight(world)) {
    expect(ticketOf(world.ledger, spec.nodeName)).toMatchObject({ passageUID: uid, ticket: spec.ticket });
  }
  for (const [name, { unschedulable }] of world.nodes) if (unschedulable) expect(names).toContain(name);
}

function property(by: Writers) {
  return fc.property(fc.array(move, { maxLength: 60, size: 'max' }), (moves) => {
    const world = begin();
    for (const each of moves) {
      const before = world.ledger.status.tickets;
      if (each.what === 'giveBack') {
        // A person puts a node that was left cordoned back in service.
        for (const name of each.names) {
          if (world.nodes.get(name)?.annotations[LEFT_CORDONED] !== undefined)
            setNode(world, name, { unschedulable: false, annotations: {} });
        }
      }
      live(world, each);
      const status = write(world, each, by);
      if (status !== undefined) world.ledger = { ...world.ledger, status };
      check(world, before, each.what);
    }
  });
}

describe('the ledger under any sequence of admissions, stamps, returns and losses', () => {
  test('no node twice, no two control planes, no number twice, and nobody out without a right', () => {
    fc.assert(property(REAL), runs(1000));
  });

  test.each<[string, Writers]>([
    [
      'a returned ticket gives its number back',
      {
        ...REAL,
        without: (now, gone, as) => {
          const found = without(now, gone, as);
          return { ...found, status: { ...found.status, nextTicket: found.status.nextTicket - gone.length } };
        },
      },
    ],
    [
      'a node that was left cordoned gives its ticket back',
      {
        ...REAL,
        returned: (now, of) => returned(now, { ...of, nodes: of.nodes.map((each) => ({ ...each, annotations: {} })) }),
      },
    ],
    [
      'a rebuilt ledger overlooks the marks of nodes',
      {
        ...REAL,
        rebuilt: (now, of, at) =>
          rebuilt(now, { ...of, nodes: of.nodes.map((each) => ({ ...each, annotations: {} })) }, at),
      },
    ],
  ])('planted bug: %s', (_, by) => {
    expect(fc.check(property(by), planted(1000)).failed).toBe(true);
  });
});
