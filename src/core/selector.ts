import type { LabelSelector } from './world.ts';

type Words = Readonly<Record<string, string>>;

/** A selector as users write it, whose parts may be absent. */
export type WrittenSelector = {
  readonly matchLabels?: Words | undefined;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined;
};

/** Whether labels satisfy a selector, with the API server's own meaning: all parts must hold, an empty one holds for all. */
export function matches(selector: WrittenSelector | LabelSelector, labels: Words): boolean {
  const pairs = Object.entries(selector.matchLabels ?? {});
  // "constructor" is a key that a label may have, and one that every object answers to.
  const labelled = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  if (!pairs.every(([key, value]) => labelled(key) === value)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    const value = labelled(key);
    switch (operator) {
      case 'In':
        return value !== undefined && (values ?? []).includes(value);
      case 'NotIn':
        return value === undefined || !(values ?? []).includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}
