import { list, number, type Raw, record, text } from './raw.ts';

/** The taints that the node lifecycle controller sets when a kubelet says that it is not ready, or says nothing. */
const NOT_READY_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/**
 * After how many seconds a pod with these tolerations is deleted from a node that is not ready or unreachable, whichever
 * is sooner: 0 at once, undefined never. Of several tolerations the first that matches a taint counts, as it does upstream
 * (GetMatchingTolerations of pkg/apis/core/v1/helper, getMinTolerationTime of pkg/controller/tainteviction).
 */
export function evictedAfterSeconds(tolerations: unknown): number | undefined {
  const all = list(tolerations).map(record);
  let soonest: number | undefined;
  for (const key of NOT_READY_TAINTS) {
    const first = all.find((toleration) => tolerates(toleration, key, 'NoExecute'));
    if (first === undefined) return 0;
    if (first['tolerationSeconds'] == null) continue;
    soonest = Math.min(soonest ?? Number.POSITIVE_INFINITY, Math.max(0, number(first['tolerationSeconds'])));
  }
  return soonest;
}

/** Whether a pod with these tolerations may be bound to a cordoned node. */
export function toleratesCordon(tolerations: unknown): boolean {
  return list(tolerations).some((toleration) => tolerates(record(toleration), UNSCHEDULABLE, 'NoSchedule'));
}

/** Whether a toleration tolerates a taint without a value (ToleratesTaint of k8s.io/api/core/v1; no key: every taint). */
function tolerates(toleration: Raw, key: string, effect: string): boolean {
  const [wantedEffect, wantedKey, operator] = ['effect', 'key', 'operator'].map((field) => text(toleration[field]));
  if (wantedEffect !== '' && wantedEffect !== effect) return false;
  if (wantedKey !== '' && wantedKey !== key) return false;
  if (operator === 'Exists') return true;
  return (operator === '' || operator === 'Equal') && text(toleration['value']) === '';
}
