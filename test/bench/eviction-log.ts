import { type AuditEvent, isTrial } from '../control-plane/audit.ts';

/** What the audit log tells of one drain. */
export type Told = {
  readonly evicted: number;
  readonly calls: number;
  readonly refused: number;
  /** From each write by which a budget allows something again, for which a pod waits, to the next eviction call against it. */
  readonly freedMs: readonly number[];
  /** When the last of the pods was gone. */
  readonly emptyAt: number;
};

type Budget = { readonly status?: { readonly disruptionsAllowed?: number } };
type Step = { readonly at: number; readonly take: () => void };

/** Reads evictions of a user out of the log; `pods` are those that must leave, by name, with the budget of each. */
export function toldBy(events: readonly AuditEvent[], user: string, pods: ReadonlyMap<string, string>): Told {
  const evictions = events.filter(
    (event) => event.user === user && event.subresource === 'eviction' && !isTrial(event),
  );
  const waiting = new Map(pods);
  const [allowed, since] = [new Map<string, number>(), new Map<string, number>()];
  const freedMs: number[] = [];
  const written = ({ name, requestObject, stageTimestamp }: AuditEvent) => {
    const before = allowed.get(name);
    const now = (requestObject as Budget).status?.disruptionsAllowed ?? 0;
    allowed.set(name, now);
    const isAwaited = [...waiting.values()].includes(name);
    if (now === 0) since.delete(name);
    else if (before === 0 && isAwaited) since.set(name, stageTimestamp);
  };
  const called = ({ name, time }: AuditEvent) => {
    const budget = pods.get(name) ?? '';
    const from = since.get(budget);
    if (from !== undefined) freedMs.push(time - from);
    since.delete(budget);
  };
  const steps = events.flatMap((event): readonly Step[] => {
    if (event.resource === 'poddisruptionbudgets' && event.code === 200)
      return [{ at: event.stageTimestamp, take: () => written(event) }];
    if (!evictions.includes(event)) return [];
    const left = { at: event.stageTimestamp, take: () => waiting.delete(event.name) };
    // A call counts from when it came in, its effect from when it was answered.
    return [{ at: event.time, take: () => called(event) }, ...(event.code === 201 ? [left] : [])];
  });
  for (const { take } of steps.toSorted((one, other) => one.at - other.at)) take();
  const gone = events.filter(({ verb, name, code }) => verb === 'delete' && pods.has(name) && code === 200);
  return {
    evicted: evictions.filter(({ code }) => code === 201).length,
    calls: evictions.length,
    refused: evictions.filter(({ code }) => code === 429).length,
    freedMs,
    emptyAt: Math.max(...gone.map(({ stageTimestamp }) => stageTimestamp)),
  };
}
