import { matches } from '../../core/selector.ts';
import type { Written } from '../etcd.ts';
import { type BudgetObject, type KubeObject, keyOf, type PodObject } from '../objects.ts';

/** Which budget selects which pods, without asking every budget at every event of a pod. */
export type BudgetIndex = {
  /** A budget was made, changed (`before` is as it was) or taken away. */
  follow(budget: BudgetObject | undefined, before: BudgetObject | undefined): void;
  /** The budgets that select a pod, or did before this write. */
  concerned(written: Written): readonly string[];
  /** The keys of the pods that a budget selects. */
  selected(budget: string): Iterable<string>;
};

/** Budgets are found by the first label that they ask for, those that ask for none by their namespace. */
export function budgetIndex(parts: {
  readonly budget: (key: string) => BudgetObject | undefined;
  readonly pod: (key: string) => PodObject | undefined;
  readonly podsIn: (namespace: string) => Iterable<PodObject>;
}): BudgetIndex {
  const candidates = new Map<string, Set<string>>();
  const members = new Map<string, Set<string>>();
  /** The keys of pods by namespace and label, so that a budget that is new need not look at all of its namespace. */
  const labeled = new Map<string, Set<string>>();
  const shelfOf = ({ metadata, spec }: BudgetObject) => {
    const [first] = Object.entries(spec.selector?.matchLabels ?? {});
    return first === undefined ? `${metadata.namespace}` : `${metadata.namespace} ${first[0]}=${first[1]}`;
  };
  return {
    follow: (budget, before) => {
      if (before !== undefined) {
        const shelf = shelfOf(before);
        candidates.get(shelf)?.delete(keyOf(before));
        if (candidates.get(shelf)?.size === 0) candidates.delete(shelf);
        members.delete(keyOf(before));
      }
      if (budget === undefined) return;
      const shelf = shelfOf(budget);
      candidates.set(shelf, (candidates.get(shelf) ?? new Set()).add(keyOf(budget)));
      const pods = shelf.includes(' ')
        ? [...(labeled.get(shelf) ?? [])].map(parts.pod).filter((pod) => pod !== undefined)
        : [...parts.podsIn(shelf)];
      const chosen = pods.filter((pod) => selects(budget, pod));
      members.set(keyOf(budget), new Set(chosen.map(keyOf)));
    },
    concerned: ({ key, before, after, last }) => {
      const shelves = new Set([`${last.metadata.namespace}`, ...labelsOf(before), ...labelsOf(after)]);
      const isSame = before !== undefined && before.metadata.labels === after?.metadata.labels;
      if (!isSame) {
        for (const shelf of labelsOf(before)) labeled.get(shelf)?.delete(key);
        for (const shelf of labelsOf(after)) labeled.set(shelf, (labeled.get(shelf) ?? new Set()).add(key));
        for (const shelf of labelsOf(before)) if (labeled.get(shelf)?.size === 0) labeled.delete(shelf);
      }
      const found: string[] = [];
      for (const name of [...shelves].flatMap((shelf) => [...(candidates.get(shelf) ?? [])])) {
        const pods = members.get(name);
        const budget = parts.budget(name);
        if (pods === undefined || budget === undefined) continue;
        const was = pods.has(key);
        const is = after !== undefined && (isSame ? was : selects(budget, after as PodObject));
        if (is) pods.add(key);
        else pods.delete(key);
        if (was || is) found.push(name);
      }
      return found;
    },
    selected: (budget) => members.get(budget) ?? [],
  };
}

function labelsOf(object: KubeObject | undefined): readonly string[] {
  const { labels = {}, namespace } = object?.metadata ?? {};
  return Object.entries(labels).map(([name, value]) => `${namespace} ${name}=${value}`);
}

/** A selector that is absent selects nothing, one that is empty everything (policy/v1). */
function selects({ spec }: BudgetObject, { metadata }: PodObject): boolean {
  return spec.selector != null && matches(spec.selector, metadata.labels ?? {});
}
