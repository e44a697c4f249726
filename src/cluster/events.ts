import { API_VERSION } from '../api/resource.ts';
import type { Clock } from '../core/clock.ts';
import type { Telling } from '../core/effect.ts';
import type { Answer } from './cluster.ts';
import type { Sent } from './effects.ts';
import { type Place, pathOf } from './kinds.ts';
import { type Reply, refusalOf } from './outcomes.ts';
import type { Permission } from './permission.ts';
import type { Said } from './said.ts';

/** What Events are told with. */
export type EventParts = {
  readonly send: (sent: Sent) => Promise<Answer<Reply>>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Which replica tells. */
  readonly instance: string;
  readonly said: (said: Said) => void;
};

/** The rights that telling needs. Events on cluster-scoped objects are refused in every other namespace. */
export const EVENT_PERMISSIONS: readonly Permission[] = [
  { apiGroup: '', resource: 'events', verb: 'create', namespace: 'default' },
  { apiGroup: '', resource: 'events', verb: 'patch', namespace: 'default' },
];

const EVENTS: Place = { group: '', version: 'v1', plural: 'events' };
const NAMESPACE = 'default';
/** The bucket of client-go's EventSourceObjectSpamFilter. */
const BURST = 25;
const REFILL_MS = 300_000;
const MOST_REMEMBERED = 4_096;
const MOST_WAITING = 256;
const LONGEST_MESSAGE = 1024;

type Told = {
  readonly telling: Telling;
  readonly name: string;
  readonly firstAt: number;
  lastAt: number;
  count: number;
  written: boolean;
  waiting: boolean;
};
type Bucket = { tokens: number; at: number };

/**
 * Records Events as `kubectl describe` shows them: core/v1, with a count that grows when the same is said again. It never
 * waits and never fails: an Event that is lost changes nothing. A Node is referred to by its true UID; the kubelet writes
 * its name there, and kubectl looks for both (kubectl, describe.go, "two UIDs for host events").
 */
export function recorder(parts: EventParts): (telling: Telling) => void {
  const { clock, said } = parts;
  const told = new Map<string, Told>();
  const buckets = new Map<string, Bucket>();
  const waiting: Told[] = [];
  let busy = false;

  const run = async () => {
    busy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      next.waiting = false;
      const problem = await write(parts, next);
      if (problem === undefined) continue;
      told.delete(keyOf(next.telling));
      said({ what: 'eventLost', reason: next.telling.reason, message: problem });
    }
    busy = false;
  };

  return (telling) => {
    const known = remembered(told, keyOf(telling), () => begin(parts, telling));
    known.count += 1;
    known.lastAt = clock.now();
    if (known.waiting) return;
    // Normal and Warning have a bucket each: whatever goes well must never keep silent what does not.
    const bucket = remembered(buckets, `${telling.on.uid}/${telling.type}`, () => ({
      tokens: BURST,
      at: clock.monotonic(),
    }));
    if (!take(bucket, clock.monotonic()))
      return said({ what: 'eventLost', reason: telling.reason, message: 'too many Events on one object' });
    if (waiting.length >= MOST_WAITING)
      return said({ what: 'eventLost', reason: telling.reason, message: 'too many Events are waiting' });
    known.waiting = true;
    waiting.push(known);
    if (!busy) void run();
  };
}

function keyOf({ on, type, reason, message }: Telling): string {
  return JSON.stringify([on.kind, on.uid, type, reason, message]);
}

function begin({ clock, random }: EventParts, telling: Telling): Told {
  const unique = `${clock.now().toString(16)}${Math.floor(random() * 0x1000000)
    .toString(16)
    .padStart(6, '0')}`;
  const name = `${telling.on.name.slice(0, 200).replace(/[-.]+$/, '')}.${unique}`;
  return { telling, name, firstAt: clock.now(), lastAt: clock.now(), count: 0, written: false, waiting: false };
}

/** What is remembered under a key, made if it is not there; what was longest not asked for is forgotten. */
function remembered<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.delete(key);
  map.set(key, value);
  const oldest = map.size > MOST_REMEMBERED ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  return value;
}

function take(bucket: Bucket, now: number): boolean {
  const refilled = Math.floor((now - bucket.at) / REFILL_MS);
  bucket.tokens = Math.min(BURST, bucket.tokens + refilled);
  bucket.at += refilled * REFILL_MS;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

/** Writes one Event; what comes back is the problem, if there was one. The API server forgets Events after an hour. */
async function write(parts: EventParts, told: Told): Promise<string | undefined> {
  if (told.written) {
    const answer = await parts.send(countUp(told));
    const refusal = answer.ok ? refusalOf(answer.value, 'other') : answer;
    if (refusal?.why !== 'gone') return refusal?.message;
  }
  const answer = await parts.send(create(parts, told));
  const refusal = answer.ok ? refusalOf(answer.value, 'create') : answer;
  told.written = refusal === undefined;
  return refusal?.message;
}

function countUp({ name, count, lastAt }: Told): Sent {
  return {
    method: 'PATCH',
    path: pathOf(EVENTS, { namespace: NAMESPACE, name }),
    resource: 'events',
    contentType: 'application/merge-patch+json',
    body: { count, lastTimestamp: seconds(lastAt) },
  };
}

function create({ instance }: EventParts, { telling, name, count, firstAt, lastAt }: Told): Sent {
  const { on, type, reason, message } = telling;
  return {
    method: 'POST',
    path: pathOf(EVENTS, { namespace: NAMESPACE }),
    resource: 'events',
    contentType: 'application/json',
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: NAMESPACE },
      involvedObject: {
        apiVersion: on.kind === 'Node' ? 'v1' : API_VERSION,
        kind: on.kind,
        name: on.name,
        uid: on.uid,
      },
      type,
      reason,
      message: message.slice(0, LONGEST_MESSAGE),
      source: { component: 'drydock' },
      reportingComponent: 'drydock',
      reportingInstance: instance,
      firstTimestamp: seconds(firstAt),
      lastTimestamp: seconds(lastAt),
      count,
    },
  };
}

function seconds(instant: number): string {
  return new Date(instant).toISOString().replace(/\.[0-9]+Z$/, 'Z');
}
