import { systemClock } from '../../../src/runtime/clock.ts';
import { always, atRest, type Violation, whenLanded, whenSent } from './checks.ts';
import { crash, environment, people, type Step, syncs } from './environment.ts';
import { Operator, workers } from './operator.ts';
import { land } from './server.ts';
import { adding, type Flight, type Request, type State } from './state.ts';
import { textOf, tidied } from './text.ts';

/** A step, and the guarantee that it breaks, if it breaks one. */
type Checked = Step & { readonly broken?: Violation | undefined };

/** What an exploration has found. */
export type Explored = {
  readonly states: number;
  readonly transitions: number;
  readonly terminals: number;
  readonly depth: number;
  readonly milliseconds: number;
  /** Whether every state was seen, or a limit or a violation came before. */
  readonly whole: boolean;
  readonly violation?: Violation & { readonly path: readonly string[] };
};

/** Takes one request in: the answer, what it broke, and what else of its lane will not be asked any more. */
function landed(state: State, flight: Flight): Checked {
  const { request, late, worker, lane } = flight;
  const without = { ...state, flights: state.flights.filter((each) => each !== flight) };
  const result = land(without, request);
  const next = !late && result.outcome === 'blocked' ? withoutLane(result.state, worker, lane) : result.state;
  const cordoned = cordonedBy(request);
  // The process remembers when it last heard of a cordon, whatever the answer was.
  const remembered = cordoned === undefined || late ? next.remembered : adding(next.remembered, cordoned);
  const isLateMark = cordoned !== undefined && late && result.outcome === 'ok';
  const lateOn = isLateMark ? adding(next.lateOn, cordoned) : next.lateOn;
  const what = request.asks === 'store' ? `the status of ${request.write.name}` : request.effect.kind;
  const label = `${late ? 'late, from the dead process: ' : ''}${what} of ${worker} lands: ${result.outcome}`;
  return { label, state: { ...next, remembered, lateOn }, broken: whenLanded(without, next, flight) };
}

function cordonedBy(request: Request): string | undefined {
  if (request.asks !== 'perform' || request.effect.kind !== 'patchNode') return undefined;
  return request.effect.as === 'cordon' ? request.effect.nodeName : undefined;
}

function withoutLane(state: State, worker: string, lane: string): State {
  const isNext = (each: Flight) => each.worker === worker && each.lane === lane && !each.late;
  return { ...state, flights: state.flights.filter((each) => !isNext(each)) };
}

/** The requests on their way that may land next: those of one lane one after another. */
function* arrivals(state: State): Generator<Checked> {
  for (const flight of state.flights) {
    const isFirst = !state.flights.some(
      (each) =>
        each.worker === flight.worker &&
        each.lane === flight.lane &&
        each.late === flight.late &&
        each.order < flight.order,
    );
    if (isFirst || flight.late) yield landed(state, flight);
    if (!flight.late) continue;
    const flights = state.flights.filter((each) => each !== flight);
    yield { label: `a request of the dead process (${flight.worker}) is lost`, state: { ...state, flights } };
  }
}

/** Every key that is not at work already is run: what it asks for goes on its way, or lands at once. */
async function* turns(state: State, operator: Operator): AsyncGenerator<Checked> {
  const alive = state.flights.filter(({ late }) => !late);
  const isLedgerTaken = alive.some(
    ({ request }) => request.asks === 'perform' && request.effect.kind === 'writeLedger',
  );
  for (const [controller, key] of workers(state)) {
    const worker = `${controller}/${key}`;
    if (alive.some((flight) => flight.worker === worker)) continue;
    const { flights, label, writesLedger } = await operator.turn(state, controller, key);
    if (flights.length === 0 || (writesLedger && isLedgerTaken)) continue;
    const sent = { ...state, flights: [...state.flights, ...flights] };
    const broken = flights.map((flight) => whenSent(state, flight)).find((each) => each !== undefined);
    if (broken !== undefined || alive.length + flights.length <= state.rules.flights)
      yield { label, state: sent, broken };
    else yield atOnce(sent, flights, label);
  }
}

function atOnce(state: State, flights: readonly Flight[], label: string): Checked {
  let at = state;
  for (const flight of flights) {
    if (!at.flights.includes(flight)) continue;
    const { state: next, broken } = landed(at, flight);
    at = next;
    if (broken !== undefined) return { label, state: at, broken };
  }
  return { label: `${label}, and it lands`, state: at };
}

async function* steps(state: State, operator: Operator): AsyncGenerator<Checked> {
  yield* turns(state, operator);
  yield* arrivals(state);
  yield* environment(state);
  yield* syncs(state);
  yield* people(state);
  yield* crash(state);
}

/** What is known of each state that was met, by number: how it was reached first, and what leads to it. */
type Books = {
  readonly numbers: Map<string, number>;
  readonly parents: number[];
  readonly labels: string[];
  /** Pairs of states: from, to. */
  readonly edges: number[];
  readonly terminals: number[];
};

function pathTo({ parents, labels }: Books, number: number): readonly string[] {
  const path: string[] = [];
  for (let at = number; at > 0; at = parents[at] ?? 0) path.push(labels[at] ?? '');
  return path.reverse();
}

/** Goes every way there is from a state, nearest first, so that the path to a violation is the shortest there is. */
export async function explore(first: State, most = Number.POSITIVE_INFINITY): Promise<Explored> {
  const from = systemClock.monotonic();
  const operator = new Operator();
  const books: Books = { numbers: new Map([[textOf(first), 0]]), parents: [0], labels: [''], edges: [], terminals: [] };
  let depth = 0;
  let frontier: (readonly [number, State])[] = [[0, first]];
  const result = (whole: boolean, violation?: Explored['violation']): Explored => ({
    states: books.parents.length,
    transitions: books.edges.length / 2,
    terminals: books.terminals.length,
    depth,
    milliseconds: systemClock.monotonic() - from,
    whole,
    ...(violation === undefined ? {} : { violation }),
  });
  while (frontier.length > 0) {
    const next: (readonly [number, State])[] = [];
    for (const [number, state] of frontier) {
      const broken = await expand(number, state, operator, books, next);
      if (broken !== undefined) return result(false, broken);
      if (books.parents.length > most) return result(false);
    }
    frontier = next;
    if (next.length > 0) depth += 1;
  }
  const stuck = neverAtRest(books);
  if (stuck === undefined) return result(true);
  const text = 'from here on nothing ever comes to rest';
  return result(true, { guarantee: 'L1', text, path: pathTo(books, stuck) });
}

async function expand(
  number: number,
  state: State,
  operator: Operator,
  books: Books,
  next: (readonly [number, State])[],
): Promise<Explored['violation']> {
  let ways = 0;
  for await (const { label, state: untidy, broken } of steps(state, operator)) {
    const after = tidied(untidy);
    const wrong = broken ?? always(after);
    if (wrong !== undefined) return { ...wrong, path: [...pathTo(books, number), label] };
    const text = textOf(after);
    let to = books.numbers.get(text);
    if (to === number) continue;
    ways += 1;
    if (to === undefined) {
      to = books.parents.length;
      books.numbers.set(text, to);
      books.parents.push(number);
      books.labels.push(label);
      next.push([to, after]);
    }
    books.edges.push(number, to);
  }
  if (ways > 0) return undefined;
  books.terminals.push(number);
  const wrong = atRest(state);
  return wrong === undefined ? undefined : { ...wrong, path: pathTo(books, number) };
}

/** The first state from which no way leads to rest: something would go on for ever. */
function neverAtRest({ parents, edges, terminals }: Books): number | undefined {
  const isFine = new Uint8Array(parents.length);
  const into: (number[] | undefined)[] = new Array(parents.length);
  for (let at = 0; at < edges.length; at += 2) {
    const [source = 0, target = 0] = [edges[at], edges[at + 1]];
    const known = into[target];
    if (known === undefined) into[target] = [source];
    else known.push(source);
  }
  const todo = [...terminals];
  for (const each of terminals) isFine[each] = 1;
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const source of into[at] ?? []) {
      if (isFine[source] === 1) continue;
      isFine[source] = 1;
      todo.push(source);
    }
  }
  const stuck = isFine.indexOf(0);
  return stuck === -1 ? undefined : stuck;
}
