import type { Answer } from '../cluster/cluster.ts';
import type { LeaseRecord, Leases } from '../cluster/leases.ts';
import type { Clock } from '../core/clock.ts';

/** What decides who leads is made of. */
export type LeaderParts = {
  readonly leases: Leases;
  /** Which Lease it is about: one name for every installation in a cluster. */
  readonly lease: { readonly name: string; readonly namespace: string };
  /** Who this is: never the same in two processes, not even one after another in one pod. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told each time this process begins or ceases to lead, with a sentence. */
  readonly changed: (leads: boolean, why: string) => void;
};

/** How long others wait, after they last saw a renewal, before they take the Lease. */
const DURATION_SECONDS = 30;
/**
 * How long after sending its last good renewal a leader still writes. A request is given up after 8 s, so what was sent at
 * the last moment has ended after 28 s, before anybody else may take the Lease.
 */
const RENEW_DEADLINE_MS = 20_000;
const RETRY_MS = 4_000;
const SOON_MS = 1_000;

/** When something was sent, by both clocks of this machine: the monotonic one may stand still while a machine is suspended. */
type Sent = { readonly monotonic: number; readonly wall: number };

type Other = { readonly resourceVersion: string | undefined; readonly at: number; readonly forMs: number };

/**
 * Leads, or competes to, by a Lease. The clocks of two machines are never compared: how long another has not renewed is
 * measured here, from when its last renewal was first seen.
 */
export class Leader {
  readonly #parts: LeaderParts;
  /** The Lease as this process wrote it last. */
  #own: LeaseRecord | undefined;
  /** When the last renewal that succeeded was sent; undefined while this process does not lead. */
  #renewed: Sent | undefined;
  /** What another wrote last (undefined: it is gone), when that was seen first, and how long it is to be respected. */
  #other: Other | undefined;
  #expires: () => void = () => {};
  #next: () => void = () => {};
  #busy: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: LeaderParts) {
    this.#parts = parts;
  }

  /** Begins to compete. */
  start(): void {
    this.#busy = this.#round();
  }

  /** Whether this process leads, for people; before a write, ask `mayWrite`. */
  get leads(): boolean {
    return this.#renewed !== undefined;
  }

  /** Whether a request that changes something may be sent at this very moment. Right also after the process was paused. */
  mayWrite(): boolean {
    return this.#renewed !== undefined && this.#since(this.#renewed) < RENEW_DEADLINE_MS;
  }

  /**
   * Ceases to lead and gives the Lease back, so that another need not wait for it to run out. Call it when nothing that
   * this process has sent is on its way any more.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#next();
    this.#cease('stopping');
    await this.#busy;
    if (this.#own !== undefined) await this.#release(this.#own, true);
  }

  async #release(own: LeaseRecord, again: boolean): Promise<void> {
    const { leases, identity } = this.#parts;
    const time = this.#microTime();
    this.#own = undefined;
    const answer = await leases.write({ ...own, holder: '', durationSeconds: 1, acquireTime: time, renewTime: time });
    if (answer.ok || answer.why !== 'conflict' || !again) return;
    // A renewal whose answer was lost has changed the resourceVersion; if it is still ours it is still ours to give back.
    const read = await leases.read(own.name);
    if (read.ok && read.value?.holder === identity) await this.#release(read.value, false);
  }

  /** One attempt to renew or to take the Lease, and the time of the next. */
  async #round(): Promise<void> {
    const { clock, random } = this.#parts;
    const from = clock.monotonic();
    if (this.#own === undefined) await this.#compete();
    else await this.#renew(this.#own);
    if (this.#stopped) return;
    const pace = this.#renewed === undefined ? RETRY_MS * (1 + random() / 5) : RETRY_MS;
    const wait = Math.max(SOON_MS, pace - (clock.monotonic() - from));
    this.#next = clock.after(wait, () => {
      this.#busy = this.#round();
    });
  }

  async #renew(own: LeaseRecord): Promise<void> {
    const sent = this.#now();
    const answer = await this.#parts.leases.write({ ...own, renewTime: this.#microTime() });
    if (answer.ok) return this.#hold(answer.value, sent);
    if (answer.why === 'unavailable') return;
    // Somebody wrote it. That may have been a person with kubectl, or this very process in a write whose answer was lost.
    this.#own = undefined;
    await this.#compete();
  }

  async #compete(): Promise<void> {
    const { leases, lease, identity } = this.#parts;
    const asked = this.#now();
    const read = await leases.read(lease.name);
    // Unknown is not lost: the deadline decides.
    if (!read.ok || this.#stopped) return;
    if (read.value?.holder === identity) return this.#take(read.value);
    this.#cease(read.value === undefined ? 'the Lease is gone' : `${read.value.holder || 'nobody'} has the Lease`);
    if (this.#isFree(read.value, asked.monotonic)) await this.#take(read.value);
  }

  /** Compared with when the question was sent: what may have changed while this process was paused was not seen yet. */
  #isFree(found: LeaseRecord | undefined, asked: number): boolean {
    const other = this.#other;
    if (found?.holder === '' || (found === undefined && other === undefined)) return true;
    if (other !== undefined && other.resourceVersion === found?.resourceVersion) return asked - other.at >= other.forMs;
    // A Lease that somebody deleted says nothing of its holder, who may go on until its next renewal fails.
    const seconds = found === undefined || found.durationSeconds <= 0 ? DURATION_SECONDS : found.durationSeconds;
    this.#other = {
      resourceVersion: found?.resourceVersion,
      at: this.#parts.clock.monotonic(),
      forMs: seconds * 1000,
    };
    return false;
  }

  /** Writes this process into the Lease as it was read; whoever wrote it in the meantime wins. */
  async #take(found: LeaseRecord | undefined): Promise<void> {
    const { leases, lease, identity } = this.#parts;
    const sent = this.#now();
    const time = this.#microTime();
    const mine = found?.holder === identity;
    const answer: Answer<LeaseRecord> = await leases.write({
      ...lease,
      ...(found?.resourceVersion === undefined ? {} : { resourceVersion: found.resourceVersion }),
      holder: identity,
      durationSeconds: DURATION_SECONDS,
      acquireTime: mine ? found.acquireTime : time,
      renewTime: time,
      transitions: found === undefined ? 0 : found.transitions + (mine ? 0 : 1),
    });
    if (answer.ok) this.#hold(answer.value, sent);
  }

  #hold(written: LeaseRecord, sent: Sent): void {
    const began = this.#renewed === undefined;
    this.#own = written;
    this.#other = undefined;
    // Stopping, or an answer that came after its own deadline: the Lease is ours to give back or to renew, not to act on.
    if (this.#stopped || this.#since(sent) >= RENEW_DEADLINE_MS) return;
    this.#renewed = sent;
    this.#expires();
    this.#expires = this.#parts.clock.after(RENEW_DEADLINE_MS - this.#since(sent), () =>
      this.#cease(`the Lease could not be renewed for ${RENEW_DEADLINE_MS / 1000} s`),
    );
    if (began) this.#parts.changed(true, 'the Lease is ours');
  }

  #cease(why: string): void {
    this.#expires();
    if (this.#renewed === undefined) return;
    this.#renewed = undefined;
    this.#parts.changed(false, why);
  }

  #now(): Sent {
    return { monotonic: this.#parts.clock.monotonic(), wall: this.#parts.clock.now() };
  }

  /** The longer of what both clocks say: one that was set forward ends a term too early, which costs one renewal. */
  #since({ monotonic, wall }: Sent): number {
    return Math.max(this.#parts.clock.monotonic() - monotonic, this.#parts.clock.now() - wall);
  }

  /** Kubernetes' MicroTime is refused with any other number of digits. */
  #microTime(): string {
    return new Date(this.#parts.clock.now()).toISOString().replace('Z', '000Z');
  }
}
