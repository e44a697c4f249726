import { badRequest, type Did, did, refused } from './failure.ts';
import type { KubeObject } from './objects.ts';
import type { Registry } from './registry.ts';
import { apiVersionOf } from './resources.ts';
import type { Route } from './route.ts';
import { filterOf } from './selectors.ts';

type Page = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly KubeObject[];
};

type Rest = { readonly resourceVersion: string; readonly items: readonly KubeObject[]; readonly madeAt: number };

/** How long the rest of a list can be asked for: as long as the history is kept. */
const KEPT_MS = 300_000;

/** Lists, whole or page after page; all pages of a list show the one instant at which it began. */
export class Lists {
  readonly #registry: Registry;
  readonly #rests = new Map<string, Rest>();
  #serial = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  list({ resource, namespace, query }: Route): Did<Page> {
    const filter = filterOf(resource.id, namespace, query);
    if (!filter.ok) return filter;
    const possible = this.#possible(query.get('resourceVersion') ?? '');
    if (!possible.ok) return possible;
    const limit = Number(query.get('limit') ?? 0);
    const token = query.get('continue') ?? '';
    const begun = token === '' ? this.#begin(resource.id, filter.value) : this.#goOn(token);
    if (!begun.ok) return begun;
    const { resourceVersion, items } = begun.value;
    const page = limit > 0 ? items.slice(0, limit) : items;
    const left = items.slice(page.length);
    const isSelected = query.has('labelSelector') || query.has('fieldSelector');
    const rest = left.length === 0 ? {} : this.#keep({ ...begun.value, items: left }, isSelected);
    return did({
      apiVersion: apiVersionOf(resource),
      kind: `${resource.kind}List`,
      metadata: { resourceVersion, ...rest },
      items: page,
    });
  }

  /** Forgets every list that is under way, as when the store went back in time. */
  forget(): void {
    this.#rests.clear();
  }

  /** Whether there has been such a revision: an API server waits a little for one that has not, and gives up. */
  #possible(asked: string): Did<undefined> {
    const { revision } = this.#registry.etcd;
    if (!/^\d*$/.test(asked))
      return badRequest(`Invalid value: "${asked}": strconv.ParseUint: parsing "${asked}": invalid syntax`);
    if (Number(asked) <= revision) return did(undefined);
    const text = 'Too large resource version';
    const message = `Timeout: ${text}: ${asked}, current: ${revision}`;
    const causes = [{ reason: 'ResourceVersionTooLarge', message: text }];
    return refused(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
  }

  #begin(id: string, filter: (object: KubeObject) => boolean): Did<Rest> {
    const { etcd, now } = this.#registry;
    return did({ resourceVersion: String(etcd.revision), items: etcd.list(id).filter(filter), madeAt: now() });
  }

  #goOn(token: string): Did<Rest> {
    const known = /^page-\d+$/.test(token);
    if (!known) return badRequest(`continue key is not valid: invalid character in ${JSON.stringify(token)}`);
    const rest = this.#rests.get(token);
    if (rest !== undefined && this.#registry.now() - rest.madeAt < KEPT_MS) return did(rest);
    const message =
      'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.';
    return refused(410, 'Expired', message);
  }

  #keep(rest: Rest, isSelected: boolean) {
    for (const [token, { madeAt }] of this.#rests)
      if (this.#registry.now() - madeAt >= KEPT_MS) this.#rests.delete(token);
    this.#serial += 1;
    const token = `page-${this.#serial}`;
    this.#rests.set(token, rest);
    return { continue: token, ...(isSelected ? {} : { remainingItemCount: rest.items.length }) };
  }
}
