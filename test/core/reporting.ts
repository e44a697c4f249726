import type { Blocker } from '../../src/api/blocker.ts';
import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import { survey } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { reported } from '../../src/core/rollout-report.ts';
import { ago } from '../support/build.ts';
import { lostPassage, passage, rolloutFacts, ticket, windowObject } from '../support/build-own.ts';

export const stamped = ticket({ passageUID: 'uid-passage' });
export const draining = passage({ phase: 'Draining', since: ago(60) });
export const failed = passage({ phase: 'Failed', since: ago(60), reason: 'JobFailed', message: 'x' });
export const lost = lostPassage();
export const blocker: Blocker = {
  nodeName: 'worker-1',
  pod: 'shop/web-1',
  budgets: [],
  reason: 'Unmanaged',
  message: 'm',
  since: ago(9),
  selfClearing: false,
  advice: 'a',
};
export const shut = [{ name: 'nights', object: windowObject('nights') }];
export const report = (over: Partial<RolloutFacts> = {}): UpgradeStatus => {
  const facts = rolloutFacts(over);
  return reported(survey(facts)) ?? facts.upgrade.status;
};
