import type { UpgradeStatus } from '../api/cluster-upgrade.ts';
import type { Ticket } from '../api/maintenance-policy.ts';
import type { Invalid } from './because.ts';
import type { Choice, ChoiceFacts } from './choice.ts';
import type { Decision, Remembered } from './decision.ts';
import type { Effect } from './effect.ts';
import { isSettled, type Ledger } from './ledger.ts';
import { passageName } from './name.ts';
import type { Ahead, LookAhead } from './preflight.ts';
import type { Hindered } from './set-aside.ts';
import type { Target } from './target.ts';
import type { ControlPlane } from './version.ts';
import type { Opening } from './window.ts';
import type { Instant, NodeView, PassageObject, ProfileObject, Read, UpgradeObject, WindowObject } from './world.ts';

/** Everything seen of one upgrade: the same shape whether read from caches or live. */
export type RolloutFacts = {
  readonly now: Instant;
  readonly upgrade: Read<UpgradeObject>;
  readonly ledger: Ledger | undefined;
  readonly profile: ProfileObject | undefined;
  /** The one that saves etcd, where the upgrade names one. */
  readonly snapshotProfile: ProfileObject | undefined;
  /** The windows it names, in order; undefined where there is none by that name. */
  readonly windows: readonly { readonly name: string; readonly object: WindowObject | undefined }[];
  readonly nodes: readonly NodeView[];
  /** Its NodeMaintenances, by label and owner. */
  readonly passages: readonly PassageObject[];
  readonly controlPlane: ControlPlane;
  readonly recall: (effectKey: string) => Remembered | undefined;
  /** What would keep a node from being drained now and does not clear by itself. */
  readonly hindered: Hindered;
  readonly lookAhead: LookAhead;
};

/** What a pass over an upgrade may decide. */
export type RolloutDecision = Decision<UpgradeStatus, Effect>;

/** What a pass has found out about an upgrade before it reports. */
export type Rollout = {
  readonly facts: RolloutFacts;
  readonly target: Target;
  readonly invalid: Invalid | undefined;
  readonly open: Opening;
  readonly own: readonly Ticket[];
  readonly choice: Choice;
  /** What nodes are chosen by; absent while none may begin, whatever room there is. */
  readonly chooses: ChoiceFacts | undefined;
  /** What is in the way of nodes whose turn has not come, also while none may begin. */
  readonly ahead: Ahead;
};

/** The tickets that an upgrade holds. */
export function ownTickets({ ledger, upgrade }: RolloutFacts) {
  return ledger === undefined ? [] : ledger.status.tickets.filter(({ holder }) => holder.uid === upgrade.uid);
}

/** What the API server said against making a NodeMaintenance, where it did. */
export function refusedPassage(facts: RolloutFacts): string | undefined {
  for (const ticket of ownTickets(facts)) {
    if (ticket.passageUID !== undefined) continue;
    const name = passageName(ticket.nodeName, facts.upgrade.uid, ticket.nodeUID, ticket.ticket);
    const last = facts.recall(`createPassage/${name}`);
    const there = facts.passages.some((passage) => passage.name === name);
    if (last !== undefined && !last.outcome.ok && !there) return `${name}: ${last.outcome.message}`;
  }
  return undefined;
}

/** The nodes whose ticket is still that of a settled Failed passage of ours: a retry takes it over in the same write. */
export function failedTickets(facts: RolloutFacts): ReadonlySet<string> {
  const settled = new Set(facts.passages.filter((passage) => isSettled(passage)).map(({ uid }) => uid));
  return new Set(
    ownTickets(facts).flatMap(({ nodeName, passageUID }) =>
      passageUID !== undefined && settled.has(passageUID) ? [nodeName] : [],
    ),
  );
}
