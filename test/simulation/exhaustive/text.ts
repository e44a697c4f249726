import type { PolicyObject } from '../../../src/core/world.ts';
import { type Flight, type State, spoken } from './state.ts';
import { bareNumberOf, KINDS, type Modelled, numberOf, type Tables, tableOf } from './tables.ts';

/**
 * The text of a state: two states of one text cannot be told apart by anything that happens later. Of a resourceVersion it
 * says only whether it is the present one: an old one is never present again, and nothing else is ever asked of it.
 */
export function textOf(state: State): string {
  const { truth, flights, left, young, remembered, justCordoned, ownCordons, lateOn, failedOn, begun } = state;
  let text = '';
  for (const kind of KINDS) text += `${truth[kind].bare}${behind(state, kind)},`;
  text += flights
    .map((flight) => flightText(truth, flight))
    .sort()
    .join('+');
  const { crashes, abandons, failures, uncordons, bindings } = left;
  text += `|${crashes}${abandons}${failures}${uncordons}${bindings}${young ? 'y' : ''}|${remembered}|${justCordoned}|${ownCordons}|${lateOn}`;
  return `${text}|${failedOn}|${numberOf(begun)}`;
}

function behind({ truth, seen }: State, kind: Modelled): string {
  if (seen[kind] === truth[kind]) return '';
  let text = `~${seen[kind].bare}`;
  for (const { name, uid, resourceVersion } of seen[kind].views) {
    const there = truth[kind].views.find((view) => view.name === name && view.uid === uid);
    text += there?.resourceVersion === resourceVersion ? '=' : '<';
  }
  return text;
}

type Stamped = { readonly resourceVersion: string; readonly uid?: string };

/** What a request rests on: the object with its version, where it names one. */
function stampOf({ request }: Flight): readonly [Modelled, string, Stamped] | undefined {
  if (request.asks === 'store') return [request.write.of as Modelled, request.write.name, request.write];
  const { effect } = request;
  switch (effect.kind) {
    case 'patchNode':
      return ['Node', effect.nodeName, effect];
    case 'releaseJob':
      return ['Job', effect.name, effect];
    case 'deleteJob':
      return effect.resourceVersion === undefined ? undefined : ['Job', effect.name, effect as Stamped];
    case 'setFinalizers':
      return [effect.of as Modelled, effect.name, effect];
    case 'writeLedger':
      return ['MaintenancePolicy', 'cluster', effect];
    default:
      return undefined;
  }
}

const bareFlights = new WeakMap<Flight, number>();

function flightText(truth: Tables, flight: Flight): string {
  const stamp = stampOf(flight);
  const known =
    bareFlights.get(flight) ?? numberOf(stamp === undefined ? flight : [bareNumberOf(stamp[2]), rest(flight)]);
  bareFlights.set(flight, known);
  if (stamp === undefined) return String(known);
  const there = truth[stamp[0]].get(stamp[1]);
  return `${known}${there?.resourceVersion === stamp[2].resourceVersion ? '=' : '<'}`;
}

function rest({ worker, passageUID, lane, order, late, request }: Flight): unknown {
  return { worker, passageUID, lane, order, late, asks: request.asks };
}

/**
 * Forgets what nothing speaks of any more: which Jobs ran for a passage that is gone, and, when no ticket is anywhere, the
 * number of the next, so that a second round is the same as a first.
 */
export function tidied(state: State): State {
  const words = spoken(state);
  const begun = state.begun.filter((attempt) => words.has(attempt.slice(0, attempt.indexOf('/'))));
  const next = begun.length === state.begun.length ? state : { ...state, begun };
  return words.size > 0 || state.flights.some(writesLedger) ? next : renumbered(next);
}

function writesLedger({ request }: Flight): boolean {
  return request.asks === 'perform' && request.effect.kind === 'writeLedger';
}

function renumbered(state: State): State {
  const policies = [...state.truth.MaintenancePolicy.views, ...state.seen.MaintenancePolicy.views];
  const isDue = policies.some((policy) => policy.readable && policy.status.nextTicket !== 1);
  if (!isDue || policies.some((policy) => !policy.readable || policy.status.tickets.length > 0)) return state;
  const anew = (tables: Tables): Tables => ({
    ...tables,
    MaintenancePolicy: tableOf('MaintenancePolicy', tables.MaintenancePolicy.views.map(first)),
  });
  return { ...state, truth: anew(state.truth), seen: anew(state.seen) };
}

function first(policy: PolicyObject): PolicyObject {
  return policy.readable ? { ...policy, status: { ...policy.status, nextTicket: 1 } } : policy;
}
