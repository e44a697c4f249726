import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { looks, type Stall, unstalled } from './looks.ts';

/** A question that was asked at a time, and how it was answered. */
export type Sample = { readonly at: number; readonly answered: boolean; readonly why?: string };

/** The pods of a budget at a time, by name. */
export type Count = {
  readonly at: number;
  readonly budget: string;
  readonly floor: number;
  readonly healthy: readonly string[];
  /** Those that are not on their way out, healthy or not. */
  readonly staying: readonly string[];
};

/** A request to the workload that was not answered. */
export type Failure = { readonly at: number; readonly entry: string; readonly why: string };

/** Who answered a request to the workload. */
export type Answered = { readonly at: number; readonly pod: string };

/** Everything that was seen. */
export type Seen = {
  readonly api: readonly Sample[];
  readonly counts: readonly Count[];
  readonly answers: readonly Answered[];
  readonly failures: readonly Failure[];
  /** When the observer itself did not run. */
  readonly stalls: readonly Stall[];
};

/** Looks until it is told to stop. */
export type Observer = {
  seen(): Seen;
  stop(): Promise<Seen>;
};

/** Whom to ask: the API server as an administrator, and the workload by each of its doors. */
export type Asked = {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  /** The namespaces whose budgets are counted. */
  readonly namespace: string;
  /** Addresses of the Service, by the names of their nodes. */
  readonly entries: Readonly<Record<string, string>>;
};

const API_EVERY_MS = 200;
const COUNT_EVERY_MS = 200;
const REQUEST_EVERY_MS = 100;
const PATIENCE_MS = 1_000;

/** Begins to look. It shares nothing with Drydock, and no connection with what else the tests ask. */
export function observe(asked: Asked): Observer {
  const api: Sample[] = [];
  const counts: Count[] = [];
  const answers: Answered[] = [];
  const failures: Failure[] = [];
  const { every, stalls, stop } = looks();
  const kubernetes = (path: string) =>
    ask(`${asked.server}${path}`, { ca: asked.ca, headers: { authorization: `Bearer ${asked.token}` } });
  every(API_EVERY_MS, async (at) => {
    const answer = await kubernetes('/api/v1/namespaces/default');
    api.push({ at, answered: answer.status === 200, ...(answer.status === 200 ? {} : { why: answer.text }) });
  });
  every(COUNT_EVERY_MS, async (at) => {
    const [pods, budgets] = await Promise.all([
      kubernetes(`/api/v1/namespaces/${asked.namespace}/pods`),
      kubernetes(`/apis/policy/v1/namespaces/${asked.namespace}/poddisruptionbudgets`),
    ]);
    if (pods.status !== 200 || budgets.status !== 200) return;
    counts.push(...countHealthy(at, JSON.parse(pods.text).items, JSON.parse(budgets.text).items));
  });
  for (const [entry, url] of Object.entries(asked.entries)) {
    every(REQUEST_EVERY_MS, async (at) => {
      const answer = await ask(url);
      if (answer.status === 200) answers.push({ at, pod: answer.text.trim() });
      else failures.push({ at, entry, why: answer.text });
    });
  }
  const seen = () => ({
    api: [...api],
    counts: [...counts],
    answers: [...answers],
    failures: [...failures],
    stalls: stalls(),
  });
  return {
    seen,
    stop: async () => {
      await stop();
      return seen();
    },
  };
}

type Labels = Readonly<Record<string, string>>;
type Pod = {
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};
type Budget = {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: { readonly minAvailable?: number; readonly selector: { readonly matchLabels: Labels } };
};

/** Counts what the disruption controller would count, but from the pods themselves. */
export function countHealthy(at: number, pods: readonly Pod[], budgets: readonly Budget[]): readonly Count[] {
  return budgets.map(({ metadata, spec }) => {
    const selected = Object.entries(spec.selector.matchLabels);
    const staying = pods.filter(
      (pod) =>
        selected.every(([key, value]) => pod.metadata.labels?.[key] === value) &&
        pod.metadata.deletionTimestamp === undefined,
    );
    const healthy = staying.filter(
      ({ status }) => status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
    );
    const names = (all: readonly Pod[]) => all.map((pod) => pod.metadata.name);
    const budget = `${metadata.namespace}/${metadata.name}`;
    return { at, budget, floor: spec.minAvailable ?? 0, healthy: names(healthy), staying: names(staying) };
  });
}

/** A time without answers. */
export type Outage = { readonly at: number; readonly seconds: number };

/** When nobody answered, and for how long: from the first question without an answer to the next with one. */
export function outages(samples: readonly Sample[]): readonly Outage[] {
  const found: { at: number; seconds: number }[] = [];
  let from: number | undefined;
  for (const { at, answered } of samples) {
    if (!answered) from ??= at;
    else if (from !== undefined) {
      found.push({ at: from, seconds: (at - from) / 1000 });
      from = undefined;
    }
  }
  const last = samples.at(-1);
  if (from !== undefined && last !== undefined) found.push({ at: from, seconds: (last.at - from) / 1000 });
  return found;
}

/** The pods of which answers came in a time: who counts them needs no API server. */
export function answering(answers: readonly Answered[], { at, seconds }: Outage): ReadonlySet<string> {
  return new Set(answers.filter((each) => each.at >= at && each.at <= at + seconds * 1000).map(({ pod }) => pod));
}

/** What was counted of one budget. */
export type Sum = {
  readonly floor: number;
  /** The lowest count, but for those that nobody brought about. */
  readonly least: number;
  readonly counted: number;
  /** Counts below the floor since a pod left. */
  readonly below: number;
  /** Counts below the floor since pods that stay where they are ceased to be ready: nobody took them away. */
  readonly fell: number;
};

/** What was counted of each budget. Whether somebody took it below its floor is told from the last count that was not. */
export function lowest(counts: readonly Count[]): ReadonlyMap<string, Sum> {
  const all = Map.groupBy(counts, ({ budget }) => budget);
  return new Map([...all].map(([budget, own]) => [budget, sumOf(own)]));
}

function sumOf(counts: readonly Count[]): Sum {
  let good: Count | undefined;
  const sum = {
    floor: counts[0]?.floor ?? 0,
    least: Number.POSITIVE_INFINITY,
    counted: counts.length,
    below: 0,
    fell: 0,
  };
  for (const count of counts) {
    const { healthy, floor, staying } = count;
    const missing = good?.healthy.filter((name) => !healthy.includes(name)) ?? [];
    const fell = healthy.length < floor && missing.length > 0 && missing.every((name) => staying.includes(name));
    if (fell) {
      sum.fell++;
      continue;
    }
    sum.least = Math.min(sum.least, healthy.length);
    if (healthy.length < floor) sum.below++;
    else good = count;
  }
  return sum;
}

/** The requests to the workload that failed although the observer ran all the time. */
export function unanswered({ failures, stalls }: Pick<Seen, 'failures' | 'stalls'>): readonly Failure[] {
  return unstalled(failures, stalls, PATIENCE_MS);
}

/** A time in which the door of a node cannot be open, and why. */
export type Excuse = { readonly entry: string; readonly from: number; readonly until: number };

/** The failures that no excuse covers. */
export function unexplained(failures: readonly Failure[], excuses: readonly Excuse[]): readonly Failure[] {
  return failures.filter(
    ({ at, entry }) => !excuses.some((each) => each.entry === entry && at >= each.from && at <= each.until),
  );
}

/** What was said; status 0: nobody said anything, and the text is why. */
export type Answer = { readonly status: number; readonly text: string };

/** How a question is put. */
export type Manner = {
  readonly ca?: string;
  /** Who asks shows a certificate. */
  readonly cert?: string;
  readonly key?: string;
  readonly headers?: Labels;
  readonly method?: string;
  readonly body?: string;
  readonly patienceMs?: number;
};

/** One question on a connection of its own; no answer in time is an answer too. */
export function ask(url: string, { patienceMs = PATIENCE_MS, body, ...options }: Manner = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const how = { ...options, agent: false, signal: AbortSignal.timeout(patienceMs) } as const;
    const asked = (url.startsWith('https:') ? requestTls : request)(url, how, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', (error) => resolve({ status: 0, text: String(error) }));
    });
    asked.on('error', (error) => resolve({ status: 0, text: String(error) }));
    asked.end(body);
  });
}
