import type { PolicyStatus } from '../api/maintenance-policy.ts';
import type { MaintenanceSpec } from '../api/node-maintenance.ts';
import type { Owner } from '../api/resource.ts';
import { DUE } from './mark.ts';
import type { OwnKind, Taint } from './world.ts';

/** A value to set, or null to take it away. */
export type Changes = Readonly<Record<string, string | null>>;

/**
 * The taints of a node, all of them: in no form of patch has their list a key by which one could be added or taken away. Those of
 * others are as they were seen; the only one of our own is soft, so that none of ours can ever end a pod.
 */
export type Taints = {
  readonly others: readonly Taint[];
  /** The ClusterUpgrade that the node is next for; absent: none of ours. */
  readonly due?: string;
};

/** The list that is written. */
export function tainted({ others, due }: Taints): readonly Taint[] {
  return due === undefined ? others : [...others, { key: DUE, value: due, effect: 'PreferNoSchedule' }];
}

/**
 * Everything that Drydock can do to a cluster. There is no way to delete a pod here, and RBAC is generated from the table
 * of requests behind this union, so no PodDisruptionBudget can be passed by, not even by mistake.
 */
export type Effect =
  | {
      /** One merge patch of a Node, refused if anybody wrote it since it was seen. */
      readonly kind: 'patchNode';
      readonly as: 'cordon' | 'uncordon' | 'quarantine' | 'unmark' | 'steer' | 'unsteer';
      readonly nodeName: string;
      readonly resourceVersion: string;
      readonly unschedulable?: boolean;
      readonly taints?: Taints;
      readonly labels?: Changes;
      readonly annotations?: Changes;
    }
  | {
      readonly kind: 'evict';
      readonly namespace: string;
      readonly pod: string;
      readonly uid: string;
      readonly gracePeriodSeconds?: number;
      /** Evictions of one lane go one after another: the API server retries a contested budget only every 500 ms. */
      readonly lane: string;
      /** The resourceVersion of the budget of which it uses up one; absent where it uses up nothing. */
      readonly spends?: string;
    }
  /** Asks whether an eviction would be let pass, without doing it: webhooks and policies can be asked in no other way. */
  | { readonly kind: 'tryEvict'; readonly namespace: string; readonly pod: string; readonly uid: string }
  | { readonly kind: 'createJob'; readonly name: string; readonly manifest: Manifest }
  | { readonly kind: 'releaseJob'; readonly name: string; readonly uid: string; readonly resourceVersion: string }
  | { readonly kind: 'deleteJob'; readonly name: string; readonly uid: string; readonly resourceVersion?: string }
  | {
      readonly kind: 'createPassage';
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly owner: Owner;
      readonly spec: MaintenanceSpec;
    }
  | { readonly kind: 'deletePassage'; readonly name: string; readonly uid: string }
  | { readonly kind: 'createPolicy'; readonly name: string }
  | {
      readonly kind: 'setFinalizers';
      readonly of: OwnKind;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly finalizers: readonly string[];
    }
  | {
      /** The whole status of the ledger, refused if anybody wrote it since it was seen. */
      readonly kind: 'writeLedger';
      readonly as: 'admit' | 'stamp' | 'handBack' | 'remove' | 'rebuild';
      readonly uid: string;
      readonly resourceVersion: string;
      readonly status: PolicyStatus;
    };

/** An object as it is sent. */
export type Manifest = { readonly [key: string]: unknown };

/** The status of an object of ours, written whole against the version it was decided on. */
export type StatusWrite = {
  readonly of: OwnKind;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly status: unknown;
};

/** An Event for people: on an object of ours or on a Node. */
export type Telling = {
  readonly on: { readonly kind: OwnKind | 'Node'; readonly name: string; readonly uid: string };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
};

/** A name under which the last outcome of an effect is remembered. */
export function effectKey(effect: Effect): string {
  switch (effect.kind) {
    case 'evict':
    case 'tryEvict':
      return `${effect.kind}/${effect.uid}`;
    case 'patchNode':
      return `patchNode/${effect.as}/${effect.nodeName}`;
    case 'setFinalizers':
      return `setFinalizers/${effect.of}/${effect.name}/${effect.finalizers.join(',')}`;
    case 'writeLedger':
      return `writeLedger/${effect.as}`;
    case 'deleteJob':
    case 'deletePassage':
      // What was deleted under a name says nothing of another that has it now.
      return `${effect.kind}/${effect.name}/${effect.uid}`;
    default:
      return `${effect.kind}/${effect.name}`;
  }
}
