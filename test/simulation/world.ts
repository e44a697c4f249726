import { ApiServer } from '../../src/simulation/api-server.ts';
import { startControllers } from '../../src/simulation/controllers/controllers.ts';
import { type Dice, dice } from '../../src/simulation/dice.ts';
import { Etcd, type Snapshot } from '../../src/simulation/etcd.ts';
import { type KubeObject, keyOf, type PodObject } from '../../src/simulation/objects.ts';
import type { Request, Response } from '../../src/simulation/request.ts';
import { RESOURCES } from '../../src/simulation/resources.ts';
import { Timeline } from '../../src/simulation/timeline.ts';
import { CHECKERS } from './checkers/all.ts';
import { drained } from './drained.ts';
import { type Luck, luckOf } from './luck.ts';
import { Network } from './network.ts';
import { type Process, startProcess } from './process.ts';
import { type Daily, isOpenAt, type Scenario, START } from './scenario.ts';
import { Trace } from './trace.ts';
import { type Checker, FOUND, type Guarantee, type Truth } from './truth.ts';
import { denying } from './webhook.ts';

/** What broke, when, and how. */
export type Violation = { readonly guarantee: Guarantee | 'BUG'; readonly atMs: number; readonly text: string };

/** How a world is watched. */
export type WorldOptions = {
  readonly trace?: boolean;
  readonly luck?: Luck;
  /** A guarantee whose first violation is all that is to be known: nothing happens after it. */
  readonly enough?: Guarantee | undefined;
};

const ADMIN = 'person';
const RESTART_MS = 5_000;
const MOST_VIOLATIONS = 20;
/** The longest that can lie between a look and what is written because of it. */
const LOOKED_MS = 10_000;
/** The same while faults last, and so long after they have ceased. */
const MOST_LAG_MS = 5 * 60_000;
const SUNK_MS = 2 * 60_000;

/**
 * One simulated world: the API server with its controllers and kubelets, the processes of Drydock on their wires, and the
 * checkers over the truth, all in one thread and one virtual time.
 */
export class World {
  readonly scenario: Scenario;
  readonly timeline = new Timeline(START);
  readonly etcd = new Etcd();
  readonly server: ApiServer;
  readonly controllers: ReturnType<typeof startControllers>;
  readonly dice: Dice;
  readonly luck: Luck;
  readonly trace: Trace;
  readonly violations: Violation[] = [];
  readonly processes: Process[] = [];
  /** How many events have been lived through, and how many writes of Drydock. */
  readonly counts = { events: 0, requests: 0, crashes: 0 };
  #checkers: readonly Checker[] = [];
  #snapshot: Snapshot | undefined;
  #windowsThen: readonly Daily[] = [];
  #blindFrom = 0;
  #blindUntil = 0;
  #down = false;
  #windowsOpen = false;
  /** Every window as it was from each instant on, the latest first. */
  readonly #windows: { readonly from: number; readonly daily: Daily }[] = [];
  #stirred = false;
  #generation = 0;
  #over = false;
  readonly #enough: Guarantee | undefined;
  #isEnough = false;
  #ceasedAt = Number.POSITIVE_INFINITY;

  constructor(scenario: Scenario, options: WorldOptions = {}) {
    this.scenario = scenario;
    this.#enough = options.enough;
    this.dice = dice(scenario.seed).fork('world');
    this.trace = new Trace(START, options.trace ?? false);
    const { timeline, etcd } = this;
    this.#windows = scenario.windows.map((daily) => ({ from: Number.NEGATIVE_INFINITY, daily }));
    this.luck = options.luck ?? luckOf(scenario, this.dice.fork('luck'), () => this.#down);
    this.server = new ApiServer({
      etcd,
      timeline,
      dice: this.dice.fork('server'),
      release: scenario.servers,
      answered: (request, response) => this.#answered(request, response),
    });
    this.#checkers = this.#freshCheckers();
    etcd.subscribe((written) => {
      this.#serve(written.resource, written.after);
      this.trace.written(timeline.now(), written);
      for (const checker of this.#checkers) checker.written?.(written);
    });
    this.controllers = startControllers({
      registry: this.server.registry,
      timeline,
      dice: this.dice.fork('controllers'),
    });
  }

  /** Asks as a person would, at once. What is refused is a mistake of the scene, unless `mayFail`. */
  ask(method: string, path: string, body?: unknown, mayFail = false): Response {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    Network.sentAt = this.timeline.now();
    const request: Request = { method, path, user: ADMIN, contentType, ...(body === undefined ? {} : { body }) };
    const response = this.server.handle(request);
    if (response.status >= 400 && !mayFail) {
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(response.body)}`);
    }
    return response;
  }

  /** Starts a process of the operator in a place; one that dies is started again, as its Deployment would. */
  start(place: number): void {
    this.#generation += 1;
    const identity = `drydock-${place}-${this.#generation}`;
    const said = (line: string) => this.trace.tell(this.timeline.now(), `${identity} ${line}`);
    said('starts');
    this.processes[place] = startProcess({
      identity,
      server: this.server,
      timeline: this.timeline,
      dice: this.dice.fork(`place ${place} ${this.#generation}`),
      elects: this.scenario.replicas > 1,
      skewMs: this.scenario.skewMs[place] ?? 0,
      mishaps: denying(this),
      stirred: () => {
        this.#stirred = true;
      },
      said,
      died: (error) => {
        this.counts.crashes += 1;
        said('dies');
        if (error !== undefined) this.violated('BUG', error instanceof Error ? `${error.stack}` : String(error));
        this.timeline.after(RESTART_MS, () => {
          if (!this.#over) this.start(place);
        });
      },
    });
  }

  /** Lets time pass until something holds, or so many milliseconds are over; says whether it holds. */
  async run(milliseconds: number, until: () => boolean = () => false): Promise<boolean> {
    const end = this.timeline.now() + milliseconds;
    for (;;) {
      if (this.#isEnough) return false;
      const next = this.timeline.next();
      if (next === undefined || next > end) break;
      this.timeline.step();
      this.counts.events += 1;
      if (!this.#stirred) continue;
      this.#stirred = false;
      // Everything that the operator can do now it does now: its promises run, and none of them waits for anything real.
      await drained();
      if (until()) return true;
    }
    this.timeline.pass(end);
    return until();
  }

  violated(guarantee: Violation['guarantee'], text: string): void {
    const atMs = this.timeline.now() - START;
    this.trace.tell(this.timeline.now(), `VIOLATION ${guarantee}: ${text}`);
    if (this.violations.length < MOST_VIOLATIONS) this.violations.push({ guarantee, atMs, text });
    this.#isEnough ||= this.violations.length === MOST_VIOLATIONS || guarantee === this.#enough;
  }

  /** Asks the checkers that can only judge when everything has come to rest. */
  atRest(): void {
    for (const checker of this.#checkers) checker.atRest?.();
  }

  /** From now on nothing befalls anybody. */
  cease(): void {
    this.luck.cease();
    this.#ceasedAt = this.timeline.now();
  }

  goDown(): void {
    this.#down = true;
    this.#blindFrom = this.timeline.now();
    this.server.watches.endAll();
  }

  /** From now on every window is meant to be open. */
  openWindows(): void {
    this.#windowsOpen = true;
  }

  /** Whether every window is meant to be open, whatever the scene drew. */
  get windowsAreOpen(): boolean {
    return this.#windowsOpen;
  }

  /** Somebody has written down other times for a window. */
  changeWindow(daily: Daily): void {
    this.#windows.unshift({ from: this.timeline.now(), daily });
  }

  /** Whether a window is open at an instant, as it was written down then; one that was just changed is judged as either. */
  isOpen(name: string, at: number): boolean {
    if (this.#windowsOpen) return true;
    const known = this.#windows.find(({ from, daily }) => daily.name === name && from <= at);
    if (known === undefined || at - known.from < LOOKED_MS) return true;
    // The clock of the process that decided may be off, and decides by its own.
    return [0, ...this.scenario.skewMs].some((off) => isOpenAt(known.daily, at + off));
  }

  /** Whether a window is closed by the clock of anybody. */
  mayBeClosed(name: string): boolean {
    const daily = this.#windowOf(name);
    const at = this.timeline.now();
    return daily !== undefined && [0, ...this.scenario.skewMs].some((off) => !isOpenAt(daily, at + off));
  }

  #windowOf(name: string): Daily | undefined {
    return this.#windows.find(({ daily }) => daily.name === name)?.daily;
  }

  goUp(): void {
    this.#down = false;
    this.#blindUntil = this.timeline.now() + SUNK_MS;
  }

  /** How old what a process knows may be: as old as it could not be told anything, and then until its watches are back. */
  #lagMs(): number {
    const now = this.timeline.now();
    if (this.#down || now < this.#blindUntil) return now - this.#blindFrom + MOST_LAG_MS;
    return now > this.#ceasedAt + SUNK_MS ? LOOKED_MS : MOST_LAG_MS;
  }

  takeSnapshot(): void {
    this.#snapshot = this.etcd.snapshot();
    this.#windowsThen = this.scenario.windows.flatMap(({ name }) => this.#windowOf(name) ?? []);
  }

  /** Goes back to the snapshot, as with every API server stopped; nothing that was told since is true any more. */
  restore(bump: boolean): void {
    if (this.#snapshot === undefined) return;
    const gone = this.server.restore(this.#snapshot, bump ? this.etcd.revision + 1_000_000 : undefined);
    for (const last of this.etcd.list('pods')) this.#serve('pods', last);
    for (const daily of this.#windowsThen) this.changeWindow(daily);
    this.controllers.resync(gone);
    this.#checkers = this.#freshCheckers();
    // As the runbook wants it: whoever works on what a cache remembers of another time breaks what nobody can check.
    for (const process of this.processes) process.kill();
    this.trace.tell(this.timeline.now(), `etcd is restored to revision ${this.#snapshot.revision}`);
  }

  end(): void {
    this.#over = true;
    for (const process of this.processes) process.kill();
    this.controllers.stop();
  }

  /** The API server that was made last is the one that answers: what it calls itself is what its static pod runs. */
  #serve(resource: string, after: KubeObject | undefined): void {
    if (resource !== 'pods' || after?.metadata.labels?.['component'] !== 'kube-apiserver') return;
    const release = (after as PodObject).spec.containers[0]?.image?.split(':')[1];
    if (release !== undefined) this.server.upgrade(release);
  }

  /** Checkers that know what is stored and nothing of what was before. */
  #freshCheckers(): readonly Checker[] {
    const truth = this.#truth();
    const checkers = Object.values(CHECKERS).map((check) => check(truth));
    for (const { id: resource } of RESOURCES) {
      for (const last of this.etcd.list(resource)) {
        const found = {
          revision: this.etcd.revision,
          resource,
          key: keyOf(last),
          before: undefined,
          last,
          by: FOUND,
        };
        for (const checker of checkers) checker.written?.({ ...found, after: last });
      }
    }
    return checkers;
  }

  #answered(request: Request, response: Response): void {
    this.counts.requests += 1;
    this.trace.answered(this.timeline.now(), request, response);
    for (const checker of this.#checkers) checker.answered?.(request, response);
  }

  #truth(): Truth {
    const { scenario, timeline } = this;
    return {
      registry: this.server.registry,
      now: () => timeline.now(),
      sentAt: () => Network.sentAt,
      skewMs: Math.max(0, ...scenario.skewMs) - Math.min(0, ...scenario.skewMs),
      lagMs: () => this.#lagMs(),
      isOpen: (name, at) => this.isOpen(name, at),
      violated: (guarantee, text) => this.violated(guarantee, text),
    };
  }
}
