import type { Dice } from '../dice.ts';
import type { Written } from '../etcd.ts';
import type { Registry } from '../registry.ts';
import { RESOURCES } from '../resources.ts';
import type { Timeline } from '../timeline.ts';
import type { Delays } from './delays.ts';
import { found, type Index, index } from './index-of-objects.ts';
import { drawn, type Reactor, reactor, type Sync } from './reactor.ts';

/**
 * What a controller has around it. A listener only touches what it keeps in memory: a write from within it would reach those
 * that are told later before the write that caused it.
 */
export type Scene = {
  readonly registry: Registry;
  readonly timeline: Timeline;
  readonly index: Index;
  readonly delays: Delays;
  /** Tells of the writes to some resources, or to all. */
  hear(resources: readonly string[] | 'all', listener: (written: Written) => void): void;
  /** A queue with a lag of that name and chance of its own. */
  react(lag: keyof Delays, sync: Sync): Reactor;
  /** A source of chance for one controller. */
  fork(name: string): Dice;
  /** Like that of the timeline, and over when the scene is. */
  after(milliseconds: number, run: () => void): () => void;
};

/** A scene, and what its owner does with it. */
export type Staged = Scene & {
  /** Tells everything that is stored, as if it were new: at the start, and after a restore, with what is gone by it. */
  resync(gone?: readonly Written[]): void;
  stop(): void;
};

/** Brings one set of controllers and one store together: one subscription, dispatched by resource, in a fixed order. */
export function stage(parts: {
  readonly registry: Registry;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly delays: Delays;
}): Staged {
  const { registry, timeline, dice, delays } = parts;
  const known = index();
  const listeners = new Map<string, ((written: Written) => void)[]>(RESOURCES.map(({ id }) => [id, []]));
  const reactors: Reactor[] = [];
  let stopped = false;
  const tell = (written: Written) => {
    for (const listener of listeners.get(written.resource) ?? []) listener(written);
  };
  const unsubscribe = registry.etcd.subscribe((written) => {
    known.hear(written);
    tell(written);
  });
  return {
    registry,
    timeline,
    index: known,
    delays,
    hear: (resources, listener) => {
      for (const id of resources === 'all' ? listeners.keys() : resources) listeners.get(id)?.push(listener);
    },
    react: (lag, sync) => {
      const made = reactor({
        timeline,
        dice: dice.fork(`lag of ${lag} ${reactors.length}`),
        lag: () => delays[lag],
        sync,
      });
      reactors.push(made);
      return made;
    },
    fork: (name) => dice.fork(name),
    after: (milliseconds, run) => timeline.after(milliseconds, () => (stopped ? undefined : run())),
    resync: (gone = []) => {
      for (const each of gone) tell(each);
      known.clear();
      const all = RESOURCES.flatMap(({ id }) => registry.list(id).map((object) => found(id, object)));
      for (const each of all) known.hear(each);
      for (const each of all) tell(each);
    },
    stop: () => {
      stopped = true;
      unsubscribe();
      for (const each of reactors) each.stop();
    },
  };
}

/** A draw by its name. */
export function draw(scene: Scene, dice: Dice, lag: keyof Delays): number {
  return drawn(dice, scene.delays[lag]);
}
