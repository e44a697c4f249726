/** A test that shows a rule: its file under `test/`, and its title or how it begins. */
export type Shown = readonly [file: string, title: string];

/** What must be right in the passage of one node, in a few words, and where that is seen. */
export type Rule = {
  readonly says: string;
  readonly shown: readonly Shown[];
  /** Decided otherwise than others do: the words of the README that say why. */
  readonly otherwise?: string;
};
