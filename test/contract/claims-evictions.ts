import { expect } from 'vitest';
import { type Claim, claim } from './asker.ts';
import { counted, countsOf, evict, isLeaving, LABELS, placed, ready, unready, VIOLATION } from './evicting.ts';
import {
  budget,
  budgets,
  causes,
  configMap,
  configMaps,
  done,
  drop,
  get,
  NAMESPACES,
  patch,
  pod,
  pods,
  post,
  refused,
} from './words.ts';

/** What holds of evictions: the one gate before which every drain stands. */
export const EVICTIONS: readonly Claim[] = [
  claim('An eviction without a budget is 201 with a Status, and the pod begins to leave', async (on) => {
    const path = await ready(on);
    const { status, body } = await evict(on, path);
    expect(status).toBe(201);
    expect(body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Success', code: 201 });
    const after = await done(get(on, path));
    expect(after.metadata.deletionGracePeriodSeconds).toBe(30);
    const conditions = (after.status as { readonly conditions: readonly object[] }).conditions;
    expect(conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      }),
    );
  }),
  claim('An eviction that the budget allows takes one from its allowance and notes the pod', async (on) => {
    const path = await ready(on);
    const of = await counted(on, { disruptionsAllowed: 2 });
    await done(evict(on, path));
    const counts = countsOf(await done(get(on, of)));
    expect(counts.disruptionsAllowed).toBe(1);
    expect(Object.keys(counts.disruptedPods ?? {})).toEqual(['a']);
    expect(counts.disruptedPods?.['a']).toMatch(/^\d{4}-.*Z$/);
    expect(await isLeaving(on, path)).toBe(true);
  }),
  claim('The second of two evictions with an allowance of one is 429', async (on) => {
    const [one, two] = [await ready(on, 'a'), await ready(on, 'b')];
    const of = await counted(on, { disruptionsAllowed: 1 });
    await done(evict(on, one));
    await refused(evict(on, two), 429, 'TooManyRequests', { message: VIOLATION });
    expect(Object.keys(countsOf(await done(get(on, of))).disruptedPods ?? {})).toEqual(['a']);
    expect(await isLeaving(on, two)).toBe(false);
  }),
  claim('The last of an allowance turns the condition of the budget', async (on) => {
    const path = await ready(on);
    const allowed = {
      type: 'DisruptionAllowed',
      status: 'True',
      reason: 'SufficientPods',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    };
    const of = await counted(on, { conditions: [allowed] });
    await done(evict(on, path));
    expect(countsOf(await done(get(on, of))).conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' },
    ]);
  }),
  claim(
    'An eviction that the budget does not allow is 429 with the cause DisruptionBudget, and changes nothing',
    async (on) => {
      const path = await ready(on);
      const of = await counted(on, { disruptionsAllowed: 0, currentHealthy: 1 });
      const before = await done(get(on, of));
      const body = await refused(evict(on, path), 429, 'TooManyRequests', { message: VIOLATION });
      expect(causes(body)).toEqual([
        {
          reason: 'DisruptionBudget',
          message: 'The disruption budget budget needs 1 healthy pods and has 1 currently',
        },
      ]);
      expect(body.details).not.toHaveProperty('retryAfterSeconds');
      expect(await done(get(on, of))).toEqual(before);
      expect(await isLeaving(on, path)).toBe(false);
    },
  ),
  claim('A budget with enough healthy pods that still allows nothing says only that', async (on) => {
    const path = await ready(on);
    await counted(on, { disruptionsAllowed: 0, currentHealthy: 3 });
    expect(causes(await refused(evict(on, path), 429, 'TooManyRequests'))).toEqual([
      { reason: 'DisruptionBudget', message: 'The disruption budget budget does not allow evicting pods currently' },
    ]);
  }),
  claim('A budget that allows nothing gives the reason of its condition', async (on) => {
    const path = await ready(on);
    const condition = (reason: string) => ({
      type: 'DisruptionAllowed',
      status: 'False',
      reason,
      message: 'because',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    });
    const of = await counted(on, { disruptionsAllowed: 0, currentHealthy: 3, conditions: [condition('Other')] });
    const said = async () => causes(await refused(evict(on, path), 429, 'TooManyRequests'))[0]?.message;
    expect(await said()).toBe('The disruption budget budget does not allow evicting pods currently (Other): because');
    await done(patch(on, `${of}/status`, { status: { conditions: [condition('SyncFailed')] } }));
    expect(await said()).toBe(
      'The disruption budget budget does not allow evicting pods currently because it failed sync: because',
    );
  }),
  claim('A budget with more than 2,000 evictions that its controller has not confirmed is 403', async (on) => {
    const path = await ready(on);
    const names = Array.from({ length: 2001 }, (_, at) => [`pod-${at}`, '2026-11-21T00:00:00Z']);
    await counted(on, { disruptedPods: Object.fromEntries(names) });
    const body = await refused(evict(on, path), 403, 'Forbidden', {
      message:
        'poddisruptionbudget.policy "budget" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    });
    expect(body.details).toEqual({ name: 'budget', group: 'policy', kind: 'poddisruptionbudget' });
  }),
  claim('A budget that its controller has not observed is 429 with retryAfterSeconds 10', async (on) => {
    const path = await ready(on);
    await counted(on, { observedGeneration: 0 });
    const body = await refused(evict(on, path), 429, 'TooManyRequests', { message: VIOLATION });
    expect(body.details).toMatchObject({ retryAfterSeconds: 10 });
    expect(causes(body)).toEqual([
      { reason: 'DisruptionBudget', message: 'The disruption budget budget is still being processed by the server.' },
    ]);
    expect(await isLeaving(on, path)).toBe(false);
  }),
  claim('A change of a budget makes it unobserved', async (on) => {
    const path = await ready(on);
    const of = await counted(on, {});
    await done(patch(on, of, { spec: { minAvailable: 2 } }));
    const body = await refused(evict(on, path), 429, 'TooManyRequests');
    expect(body.details).toMatchObject({ retryAfterSeconds: 10 });
  }),
  claim('A pod with two budgets is 500 and never leaves', async (on) => {
    const path = await ready(on);
    await counted(on, {}, {}, 'one');
    await counted(on, {}, {}, 'two');
    const { status, body } = await evict(on, path);
    expect(status).toBe(500);
    expect(body).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      code: 500,
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    });
    expect(body).not.toHaveProperty('reason');
    expect(await isLeaving(on, path)).toBe(false);
  }),
  claim('A budget of another label, or of another namespace, is none', async (on) => {
    const path = await ready(on);
    await counted(on, { disruptionsAllowed: 0 }, { selector: { matchLabels: { app: 'b' } } });
    const namespace = `${on.name}-b`;
    await done(post(on, NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
    await done(post(on, budgets(namespace), budget('budget')));
    await done(evict(on, path));
  }),
  claim('A budget with an empty selector is one for every pod', async (on) => {
    const path = await ready(on);
    await counted(on, { disruptionsAllowed: 0 }, { selector: {} });
    await refused(evict(on, path), 429, 'TooManyRequests');
  }),
  claim('A budget without a selector is one for no pod', async (on) => {
    const path = await ready(on);
    await counted(on, { disruptionsAllowed: 0 }, { selector: undefined });
    await done(evict(on, path));
  }),
  claim('A budget may select by expressions', async (on) => {
    const path = await ready(on);
    await counted(
      on,
      { disruptionsAllowed: 0 },
      { selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] } },
    );
    await refused(evict(on, path), 429, 'TooManyRequests');
  }),
  claim('An unready pod leaves without taking from a budget that has enough healthy pods', async (on) => {
    const path = await unready(on);
    const of = await counted(on, { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 });
    await done(evict(on, path));
    expect(await isLeaving(on, path)).toBe(true);
    expect(countsOf(await done(get(on, of)))).not.toHaveProperty('disruptedPods');
  }),
  claim('An unready pod of a budget that has not enough is 429', async (on) => {
    const path = await unready(on);
    await counted(on, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 });
    expect(causes(await refused(evict(on, path), 429, 'TooManyRequests'))).toEqual([
      { reason: 'DisruptionBudget', message: 'The disruption budget budget needs 1 healthy pods and has 0 currently' },
    ]);
  }),
  claim('An unready pod of a budget that wants no pods is 429 too', async (on) => {
    const path = await unready(on);
    await counted(on, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0 });
    await refused(evict(on, path), 429, 'TooManyRequests');
  }),
  claim('An unready pod of a budget with IfHealthyBudget is judged as without', async (on) => {
    const path = await unready(on);
    const spec = { unhealthyPodEvictionPolicy: 'IfHealthyBudget' };
    await counted(on, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 }, spec);
    await refused(evict(on, path), 429, 'TooManyRequests');
  }),
  claim('An unready pod of a budget with AlwaysAllow leaves', async (on) => {
    const path = await unready(on);
    const spec = { unhealthyPodEvictionPolicy: 'AlwaysAllow' };
    const of = await counted(on, { disruptionsAllowed: 0, currentHealthy: 0 }, spec);
    await done(evict(on, path));
    expect(await isLeaving(on, path)).toBe(true);
    expect(countsOf(await done(get(on, of))).disruptionsAllowed).toBe(0);
  }),
  claim('A ready pod of a budget with AlwaysAllow is guarded', async (on) => {
    const path = await ready(on);
    await counted(on, { disruptionsAllowed: 0 }, { unhealthyPodEvictionPolicy: 'AlwaysAllow' });
    await refused(evict(on, path), 429, 'TooManyRequests');
  }),
  claim('A budget may guard a pod that it has not observed even if that is unready', async (on) => {
    const path = await unready(on);
    await counted(on, { observedGeneration: 0, currentHealthy: 0 });
    const body = await refused(evict(on, path), 429, 'TooManyRequests');
    expect(body.details).toMatchObject({ retryAfterSeconds: 10 });
  }),
  claim('A pending pod leaves whatever its budget says', async (on) => {
    const path = await placed(on, { phase: 'Pending' });
    const of = await counted(on, { disruptionsAllowed: 0 });
    await done(evict(on, path));
    expect(await isLeaving(on, path)).toBe(true);
    expect(countsOf(await done(get(on, of)))).not.toHaveProperty('disruptedPods');
  }),
  claim('A pod on no node is gone at once when it is evicted', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a', {}, LABELS)));
    await done(evict(on, `${path}/a`));
    await refused(get(on, `${path}/a`), 404, 'NotFound');
  }),
  claim('A finished pod is gone at once, whatever its budget says', async (on) => {
    const [one, two] = [await placed(on, { phase: 'Succeeded' }, 'a'), await placed(on, { phase: 'Failed' }, 'b')];
    await counted(on, { disruptionsAllowed: 0 });
    await done(evict(on, one));
    await done(evict(on, two));
    await refused(get(on, one), 404, 'NotFound');
    await refused(get(on, two), 404, 'NotFound');
  }),
  claim('A pod that leaves already is evicted once more without asking its budget', async (on) => {
    const path = await ready(on);
    const of = await counted(on, { disruptionsAllowed: 0 });
    const { metadata } = await done(drop(on, path));
    await done(evict(on, path));
    const after = await done(get(on, path));
    expect(after.metadata.deletionTimestamp).toBe(metadata.deletionTimestamp);
    expect(countsOf(await done(get(on, of)))).not.toHaveProperty('disruptedPods');
  }),
  claim('An eviction with another UID is 409 Conflict', async (on) => {
    const path = await ready(on);
    const body = await refused(evict(on, path, { preconditions: { uid: 'other' } }), 409, 'Conflict');
    expect(body.message).toContain('on Pod "a": the UID in the precondition (other) does not match the UID in record');
    expect(await isLeaving(on, path)).toBe(false);
  }),
  claim('An eviction with another UID takes the allowance all the same', async (on) => {
    const path = await ready(on);
    const of = await counted(on, { disruptionsAllowed: 1 });
    await refused(evict(on, path, { preconditions: { uid: 'other' } }), 409, 'Conflict');
    const counts = countsOf(await done(get(on, of)));
    expect(counts.disruptionsAllowed).toBe(0);
    expect(Object.keys(counts.disruptedPods ?? {})).toEqual(['a']);
  }),
  claim('An eviction with another UID of a pod that the budget guards is 429, not 409', async (on) => {
    const path = await ready(on);
    await counted(on, { disruptionsAllowed: 0 });
    await refused(evict(on, path, { preconditions: { uid: 'other' } }), 429, 'TooManyRequests');
  }),
  claim('An eviction with its own UID is granted', async (on) => {
    const path = await ready(on);
    const { metadata } = await done(get(on, path));
    await done(evict(on, path, { preconditions: { uid: metadata.uid } }));
    expect(await isLeaving(on, path)).toBe(true);
  }),
  claim('An eviction with an old resourceVersion is 409 Conflict', async (on) => {
    const path = await ready(on);
    const { resourceVersion } = (await done(get(on, path))).metadata;
    await done(patch(on, path, { metadata: { annotations: { a: 'b' } } }));
    await refused(evict(on, path, { preconditions: { resourceVersion } }), 409, 'Conflict');
    const present = (await done(get(on, path))).metadata.resourceVersion;
    await done(evict(on, path, { preconditions: { resourceVersion: present } }));
  }),
  claim('An eviction of a pod that is not there is 404', async (on) => {
    const body = await refused(evict(on, `${pods(await on.namespace())}/none`), 404, 'NotFound', {
      message: 'pods "none" not found',
    });
    expect(body.details).toEqual({ name: 'none', kind: 'pods' });
  }),
  claim('A dry run of an eviction is granted and changes neither pod nor budget', async (on) => {
    const path = await ready(on);
    const of = await counted(on, {});
    const before = [await done(get(on, path)), await done(get(on, of))];
    expect((await evict(on, path, undefined, '?dryRun=All')).status).toBe(201);
    expect((await evict(on, path, { dryRun: ['All'] })).status).toBe(201);
    expect([await done(get(on, path)), await done(get(on, of))]).toEqual(before);
  }),
  claim('A dry run of an eviction that the budget does not allow is 429', async (on) => {
    const path = await ready(on);
    await counted(on, { disruptionsAllowed: 0 });
    await refused(evict(on, path, undefined, '?dryRun=All'), 429, 'TooManyRequests');
  }),
  claim('The grace period of an eviction is that of its deleteOptions', async (on) => {
    const path = await ready(on);
    await done(evict(on, path, { gracePeriodSeconds: 7 }));
    expect((await done(get(on, path))).metadata.deletionGracePeriodSeconds).toBe(7);
  }),
  claim('A grace period of 0 ends the pod at once', async (on) => {
    const path = await ready(on);
    await done(evict(on, path, { gracePeriodSeconds: 0 }));
    await refused(get(on, path), 404, 'NotFound');
  }),
  claim('An eviction that names another pod than its path is 400', async (on) => {
    const path = await ready(on);
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'b', namespace: on.name } };
    await refused(post(on, `${path}/eviction`, body), 400, 'BadRequest', {
      message: 'name in URL does not match name in Eviction object',
    });
  }),
  claim('An eviction that names no pod is 400', async (on) => {
    const path = await ready(on);
    const body = { apiVersion: 'policy/v1', kind: 'Eviction' };
    await refused(post(on, `${path}/eviction`, body), 400, 'BadRequest');
  }),
  claim('A GET of an eviction is 405', async (on) => {
    await refused(get(on, `${await ready(on)}/eviction`), 405, 'MethodNotAllowed');
  }),
  claim('A budget whose allowance is negative refuses with 422 when that is written', async (on) => {
    await done(post(on, budgets(await on.namespace()), budget('budget')));
    await refused(
      patch(on, `${budgets(on.name)}/budget/status`, { status: { disruptionsAllowed: -1 } }),
      422,
      'Invalid',
    );
  }),
  claim('A namespace that ends lets no pod be evicted, and says why', async (on) => {
    const path = await ready(on);
    await done(post(on, configMaps(on.name), configMap('a', {}, { finalizers: ['a.dev/a'] })));
    await done(patch(on, path, { metadata: { finalizers: ['a.dev/a'] } }));
    await done(drop(on, `${NAMESPACES}/${on.name}`));
    const { status, body } = await evict(on, path);
    const cleared = { metadata: { finalizers: null } };
    await patch(on, `${configMaps(on.name)}/a`, cleared);
    await patch(on, path, cleared);
    expect({ status, causes: causes(body).map(({ reason }) => reason) }).toEqual({
      status: 403,
      causes: ['NamespaceTerminating'],
    });
  }),
  claim('An allowance of 2 lets two pods go, one after the other', async (on) => {
    const [one, two] = [await ready(on, 'a'), await ready(on, 'b')];
    const of = await counted(on, { disruptionsAllowed: 2, currentHealthy: 3 });
    await done(evict(on, one));
    await done(evict(on, two));
    const counts = countsOf(await done(get(on, of)));
    expect(counts.disruptionsAllowed).toBe(0);
    expect(Object.keys(counts.disruptedPods ?? {}).toSorted()).toEqual(['a', 'b']);
  }),
];
