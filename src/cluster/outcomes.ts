import { attempt } from '../core/attempt.ts';
import type { Refusal } from '../core/decision.ts';
import { list, number, type Raw, record, text } from './raw.ts';

/** What the API server answered, not yet understood. */
export type Reply = { readonly status: number; readonly body: string; readonly retryAfterSeconds?: number };

/** What was asked, where it changes what an answer means. */
export type Asked = 'evict' | 'create' | 'other';

const LONGEST_MESSAGE = 1024;

/** No answer: nothing is known, not even whether it happened. */
export function unavailable(message: string, code = 0): Refusal {
  return { ok: false, why: 'unavailable', cause: 'Other', message: message.slice(0, LONGEST_MESSAGE), code };
}

/** Why the API server did not do what it was asked; undefined if it did. */
export function refusalOf(reply: Reply, asked: Asked): Refusal | undefined {
  const { status: code, body } = reply;
  if (code >= 200 && code < 300) return undefined;
  const read = attempt(() => record(JSON.parse(body) as unknown));
  const status = read.ok && read.value['kind'] === 'Status' ? read.value : {};
  const details = record(status['details']);
  const causes = list(details['causes']).map(record);
  const judged = judge(code, status, causes, asked);
  // The header is what API priority and fairness sets, whose body is plain text; the field what the registries set.
  const retryAfterSeconds = reply.retryAfterSeconds ?? (Math.max(0, number(details['retryAfterSeconds'])) || undefined);
  // Of a budget only the cause says which one, and by how much.
  const more = judged.why === 'blocked' ? causes.map((cause) => text(cause['message'])) : [];
  const said = [text(status['message']) || body.trim() || `HTTP status ${code}`, ...more].filter((each) => each !== '');
  return {
    ok: false,
    ...judged,
    message: said.join(' ').slice(0, LONGEST_MESSAGE),
    code,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

type Judged = Pick<Refusal, 'why' | 'cause'>;

function judge(code: number, status: Raw, causes: readonly Raw[], asked: Asked): Judged {
  const message = text(status['message']);
  const hasCause = (reason: string) => causes.some((cause) => cause['reason'] === reason);
  // Operators of databases and virtual machines deny evictions on purpose, move the workload, and let the next one pass.
  if (asked === 'evict' && DENIED.test(message)) return { why: 'blocked', cause: 'Other' };
  // One that must be asked and does not answer says nothing of the API server: only what it judges waits for it.
  if (asked === 'evict' && UNASKED.test(message)) return { why: 'blocked', cause: 'WebhookFailed' };
  switch (code) {
    case 404:
      // What is created cannot be missing: it is the namespace or the definition of the kind that is.
      return { why: asked === 'create' ? 'refused' : 'gone', cause: 'Other' };
    case 409:
      return { why: 'conflict', cause: status['reason'] === 'AlreadyExists' ? 'Exists' : 'Other' };
    case 422:
      // A merge patch that names another UID is refused as the change of an immutable field.
      return {
        why: causes.some((cause) => cause['field'] === 'metadata.uid') ? 'conflict' : 'refused',
        cause: 'Other',
      };
    case 429:
      return tooMany(status, causes, asked);
    case 403:
      if (UNSETTLED.test(message)) return { why: 'blocked', cause: 'DisruptionBudget' };
      if (hasCause('NamespaceTerminating')) return { why: 'blocked', cause: 'NamespaceTerminating' };
      return { why: 'refused', cause: 'Other' };
    case 500:
      if (message.includes('more than one PodDisruptionBudget')) return { why: 'refused', cause: 'TooManyBudgets' };
      return { why: 'unavailable', cause: 'Other' };
    case 401:
    case 408:
      // Neither says anything of the object: who asks was not known yet (a rotated token), or was too slow.
      return { why: 'unavailable', cause: 'Other' };
    default:
      return { why: code >= 400 && code < 500 && code !== 410 ? 'refused' : 'unavailable', cause: 'Other' };
  }
}

/** What the API server says of a webhook with failurePolicy Fail (apiserver webhook/mutating and validating dispatcher.go). */
const UNASKED = /failed calling webhook/;
/** The budget's own arithmetic, not a right that is missing (checkAndDecrement in eviction.go): both pass by themselves. */
const UNSETTLED = /pdb disruptions allowed is negative|DisruptedPods map too big/;
const DENIED = /^admission webhook ".*" denied the request/;
/** What the registry of pods says while the controller has not observed the budget; a budget that refuses says 0. */
const NOT_OBSERVED_SECONDS = 10;

function tooMany(status: Raw, causes: readonly Raw[], asked: Asked): Judged {
  if (asked !== 'evict') return { why: 'unavailable', cause: 'RateLimited' };
  const { retryAfterSeconds } = record(status['details']);
  // Both carry the cause DisruptionBudget in 1.36 (createTooManyRequestsError in eviction.go); only one says when to ask again.
  if (retryAfterSeconds === NOT_OBSERVED_SECONDS) return { why: 'blocked', cause: 'BudgetNotObserved' };
  if (causes.some((cause) => cause['reason'] === 'DisruptionBudget'))
    return { why: 'blocked', cause: 'DisruptionBudget' };
  return { why: 'unavailable', cause: 'RateLimited' };
}
