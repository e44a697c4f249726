import type { Dice } from './dice.ts';
import type { Etcd, Written } from './etcd.ts';
import { type Did, did, invalid, refused, wrong } from './failure.ts';
import type { KubeObject } from './objects.ts';
import type { WatchEvent, Watching } from './request.ts';
import { apiVersionOf, resourceOf } from './resources.ts';
import type { Route } from './route.ts';
import { filterOf } from './selectors.ts';
import type { Timeline } from './timeline.ts';

type Later = Pick<Timeline, 'after' | 'now'>;
type Open = { readonly resource: string; tell(written: Written): void; end(): void };

const BOOKMARK_MS = 60_000;
const LAST_BOOKMARK_MS = 2_000;
const LEAST_MS = 1_800_000;

/** The watches that are open: each is told what was written to its resource, in order, and nothing twice. */
export class Watches {
  readonly #etcd: Etcd;
  readonly #later: Later;
  readonly #dice: Dice;
  readonly #open = new Map<string, Set<Open>>();

  constructor(etcd: Etcd, later: Later, dice: Dice) {
    this.#etcd = etcd;
    this.#later = later;
    this.#dice = dice;
    etcd.subscribe((written) => {
      for (const open of this.#open.get(written.resource) ?? []) open.tell(written);
    });
  }

  /** How many are open. */
  get count(): number {
    return [...this.#open.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Ends every watch, as an API server does that goes away. */
  endAll(): void {
    for (const all of this.#open.values()) for (const open of [...all]) open.end();
  }

  watch({ resource, namespace, query }: Route): Did<Watching> {
    const filter = filterOf(resource.id, namespace, query);
    if (!filter.ok) return filter;
    if (query.has('sendInitialEvents')) {
      const message =
        'Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled';
      return invalid({ plural: '', group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
        wrong('sendInitialEvents', message, 'FieldValueForbidden'),
      ]);
    }
    const asked = query.get('resourceVersion') ?? '';
    if (!/^\d*$/.test(asked)) {
      const why = `strconv.ParseUint: parsing "${asked}": invalid syntax`;
      return refused(500, '', `resourceVersion: Invalid value: "${asked}": ${why}`);
    }
    const from = asked === '' || asked === '0' ? undefined : Number(asked);
    if (from !== undefined && this.#etcd.since(resource.id, from) === undefined) {
      return did(expired(from, this.#etcd.revision));
    }
    return did(this.#watching(resource.id, filter.value, from, query));
  }

  #watching(
    resource: string,
    filter: (object: KubeObject) => boolean,
    from: number | undefined,
    query: URLSearchParams,
  ): Watching {
    const seconds = Number(query.get('timeoutSeconds') ?? 0);
    const lasts = seconds > 0 ? seconds * 1000 : LEAST_MS + this.#dice.between(0, LEAST_MS);
    const cancels: (() => void)[] = [];
    const open = this.#open.get(resource) ?? new Set<Open>();
    this.#open.set(resource, open);
    let own: Open | undefined;
    const stop = () => {
      if (own !== undefined) open.delete(own);
      for (const cancel of cancels.splice(0)) cancel();
    };
    return {
      begin: (tell, ended) => {
        const begun = from ?? this.#etcd.revision;
        let told = begun;
        own = {
          resource,
          tell: (written) => {
            // A watch from a revision that is not there yet hears of nothing before it (etcd was restored).
            if (written.revision <= told) return;
            told = written.revision;
            const event = eventOf(written, filter);
            if (event !== undefined) tell(event);
          },
          end: () => {
            stop();
            ended();
          },
        };
        if (from === undefined) {
          for (const object of this.#etcd.list(resource)) if (filter(object)) tell({ type: 'ADDED', object });
        } else for (const written of this.#etcd.since(resource, from) ?? []) own.tell(written);
        open.add(own);
        cancels.push(this.#later.after(lasts, own.end));
        if (query.get('allowWatchBookmarks') !== 'true' && query.get('allowWatchBookmarks') !== '1') return;
        const mark = () => {
          const { revision } = this.#etcd;
          // What was told is marked too, but not where the watch began (cache_watcher.go, `process`).
          if (revision > begun) tell({ type: 'BOOKMARK', object: bookmark(resource, revision) });
        };
        // Every minute, and once more two seconds before the end.
        const end = this.#later.now() + lasts - LAST_BOOKMARK_MS;
        const again = () => {
          const wait = Math.min(BOOKMARK_MS, end - this.#later.now());
          if (wait <= 0) return;
          cancels.push(
            this.#later.after(wait, () => {
              mark();
              again();
            }),
          );
        };
        again();
      },
      stop,
    };
  }
}

/** A watch that is opened all the same, only to say why it cannot be (newErrWatcher in cacher.go). */
function expired(from: number, revision: number): Watching {
  const told = refused(410, 'Expired', `too old resource version: ${from} (${revision})`);
  return {
    begin: (tell, ended) => {
      if (!told.ok) tell({ type: 'ERROR', object: told.failure });
      ended();
    },
    stop: () => {},
  };
}

/** What a selector makes of a write: what comes into it is added, what leaves it is deleted. */
function eventOf({ before, after, last }: Written, filter: (object: KubeObject) => boolean): WatchEvent | undefined {
  const [was, is] = [before !== undefined && filter(before), after !== undefined && filter(after)];
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: last };
  // An object that left a selector is told of as it was when it was still in it, with the revision at which it left.
  return was
    ? { type: 'DELETED', object: after === undefined ? last : leaving(before as KubeObject, last) }
    : undefined;
}

function leaving(before: KubeObject, { metadata }: KubeObject): KubeObject {
  return { ...before, metadata: { ...before.metadata, resourceVersion: metadata.resourceVersion } };
}

function bookmark(id: string, revision: number) {
  const resource = resourceOf(id);
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { resourceVersion: String(revision), creationTimestamp: null },
  };
}
