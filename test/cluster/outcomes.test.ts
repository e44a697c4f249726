import { describe, expect, test } from 'vitest';
import { type Asked, type Reply, refusalOf } from '../../src/cluster/outcomes.ts';
import { status } from './server.ts';

const reply = (
  code: number,
  reason: string,
  message: string,
  details: object = {},
  more: Partial<Reply> = {},
): Reply => ({
  status: code,
  body: JSON.stringify(status(code, reason, message, details)),
  ...more,
});
const budget = (message = 'The disruption budget web needs 2 healthy pods and has 2 currently') => ({
  causes: [{ reason: 'DisruptionBudget', message }],
});
const text = (code: number, body: string, retryAfterSeconds?: number): Reply => ({
  status: code,
  body,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

describe('an eviction', () => {
  const table: readonly [string, Reply, string][] = [
    ['that is accepted is done', text(201, JSON.stringify({ kind: 'Status', status: 'Success', code: 201 })), 'done'],
    ['of a pod that is not there', reply(404, 'NotFound', 'pods "a" not found'), 'gone Other'],
    [
      'of another pod by that name',
      reply(409, 'Conflict', 'the UID in the precondition does not match'),
      'conflict Other',
    ],
    ['that the budget refuses', reply(429, 'TooManyRequests', 'Cannot evict', budget()), 'blocked DisruptionBudget'],
    [
      'of a budget that its controller has not seen',
      reply(429, 'TooManyRequests', 'Cannot evict', { ...budget(), retryAfterSeconds: 10 }),
      'blocked BudgetNotObserved 10',
    ],
    [
      'the same, said without a cause',
      reply(429, 'TooManyRequests', 'Cannot evict', { retryAfterSeconds: 10 }),
      'blocked BudgetNotObserved 10',
    ],
    [
      'when there are too many requests',
      text(429, 'Too many requests, please try again later.\n', 10),
      'unavailable RateLimited 10',
    ],
    [
      'of a pod with two budgets',
      reply(
        500,
        'InternalError',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      ),
      'refused TooManyBudgets',
    ],
    ['when another thing is broken', reply(500, 'InternalError', 'etcdserver: leader changed'), 'unavailable Other'],
    [
      'in a namespace that is going',
      reply(403, 'Forbidden', 'unable to create new content', { causes: [{ reason: 'NamespaceTerminating' }] }),
      'blocked NamespaceTerminating',
    ],
    [
      'that is not allowed',
      reply(403, 'Forbidden', 'User "x" cannot create resource "pods/eviction"'),
      'refused Other',
    ],
    [
      'that is to come again before it was sent',
      reply(429, 'TooManyRequests', 'Cannot evict', { retryAfterSeconds: -1 }),
      'unavailable RateLimited',
    ],
    [
      'of a budget in disorder',
      reply(403, 'Forbidden', 'pdb disruptions allowed is negative'),
      'blocked DisruptionBudget',
    ],
    [
      'that conflicts too often',
      reply(504, 'Timeout', "couldn't update PodDisruptionBudget", { retryAfterSeconds: 10 }),
      'unavailable Other 10',
    ],
    ...[400, 403, 422, 429, 500].map((code): [string, Reply, string] => [
      `that a webhook denies on purpose with ${code}`,
      reply(
        code,
        'Forbidden',
        'admission webhook "drain.kubevirt.io" denied the request: Eviction triggered evacuation of VMI',
      ),
      'blocked Other',
    ]),
    [
      'whose webhook is down',
      reply(500, 'InternalError', 'Internal error occurred: failed calling webhook "x": connection refused'),
      'blocked WebhookFailed',
    ],
  ];
  test.each(table)('%s', (_, answer, expected) => expect(short(answer, 'evict')).toBe(expected));
});

describe('another request', () => {
  const table: readonly [string, Asked, Reply, string][] = [
    ['that was done', 'other', text(200, '{"kind":"Node"}'), 'done'],
    ['about what is not there', 'other', reply(404, 'NotFound', 'nodes "a" not found'), 'gone Other'],
    [
      'that creates where the namespace is missing',
      'create',
      reply(404, 'NotFound', 'namespaces "drydock-jobs" not found'),
      'refused Other',
    ],
    [
      'that creates what is there',
      'create',
      reply(409, 'AlreadyExists', 'jobs.batch "a" already exists'),
      'conflict Exists',
    ],
    ['that was written since', 'other', reply(409, 'Conflict', 'the object has been modified'), 'conflict Other'],
    [
      'about another object of that name',
      'other',
      reply(422, 'Invalid', 'Job "a" is invalid', { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.uid' }] }),
      'conflict Other',
    ],
    ['that is not valid', 'other', reply(422, 'Invalid', 'spec.nodeName: Required'), 'refused Other'],
    ['that nobody understands', 'other', reply(400, 'BadRequest', 'no'), 'refused Other'],
    ['that is rate-limited', 'other', text(429, 'Too many requests', 1), 'unavailable RateLimited 1'],
    [
      'that a webhook denies',
      'create',
      reply(403, 'Forbidden', 'admission webhook "x" denied the request: no'),
      'refused Other',
    ],
    [
      'of somebody unknown: a token that was just rotated',
      'other',
      reply(401, 'Unauthorized', 'Unauthorized'),
      'unavailable Other',
    ],
    ['that met a proxy', 'other', text(502, '<html>Bad Gateway</html>'), 'unavailable Other'],
    ['that was redirected', 'other', text(302, ''), 'unavailable Other'],
    ['whose list expired', 'other', reply(410, 'Expired', 'too old resource version'), 'unavailable Other'],
    ['when etcd is away', 'other', reply(500, 'InternalError', 'etcdserver: request timed out'), 'unavailable Other'],
    ['when the server is starting', 'other', text(503, 'apiserver is shutting down', 3), 'unavailable Other 3'],
  ];
  test.each(table)('%s', (_, asked, answer, expected) => expect(short(answer, asked)).toBe(expected));
});

test('a block by a budget says which one, and by how much', () => {
  const refusal = refusalOf(reply(429, 'TooManyRequests', 'Cannot evict.', budget()), 'evict');
  expect(refusal?.message).toBe('Cannot evict. The disruption budget web needs 2 healthy pods and has 2 currently');
});

test('a refusal says what the server said, and never more than fits', () => {
  expect(refusalOf(reply(403, 'Forbidden', 'because'), 'other')).toMatchObject({
    ok: false,
    code: 403,
    message: 'because',
  });
  expect(refusalOf(text(502, '  '), 'other')?.message).toBe('HTTP status 502');
  expect(refusalOf(text(502, 'x'.repeat(5_000)), 'other')?.message).toHaveLength(1024);
});

function short(answer: Reply, asked: Asked): string {
  const refusal = refusalOf(answer, asked);
  if (refusal === undefined) return 'done';
  return [refusal.why, refusal.cause, refusal.retryAfterSeconds].filter((each) => each !== undefined).join(' ');
}
