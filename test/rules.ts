import { BUDGETS, EVICTIONS, PODS } from './rules/drain.ts';
import { NODES } from './rules/nodes.ts';
import { BACK, JOBS, MARKS } from './rules/passage.ts';
import type { Rule } from './rules/rule.ts';

/** Every rule by its number. */
export const RULES: Readonly<Record<number, Rule>> = {
  ...PODS,
  ...EVICTIONS,
  ...BUDGETS,
  ...MARKS,
  ...JOBS,
  ...BACK,
  ...NODES,
};

/** What a rule asks and Drydock does not do yet, or not for all of it: one sentence each. */
export const MISSING: Readonly<Record<number, string>> = {};
