import { expect } from 'vitest';
import { type Claim, claim } from './asker.ts';
import {
  budget,
  budgets,
  causes,
  configMap,
  configMaps,
  done,
  drop,
  get,
  leases,
  MERGE,
  NODES,
  patch,
  pod,
  pods,
  post,
  put,
  refused,
  WINDOWS,
  window,
} from './words.ts';

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';
const lease = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, ...metadata },
  spec: { holderIdentity: 'a', ...spec },
});

/** What holds of replacing objects, of their status, and of what counts as a change. */
export const WRITES: readonly Claim[] = [
  claim('A PUT with the present resourceVersion replaces, and gives a new revision', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a', { k: '1', l: '1' })));
    const { status, body } = await put(on, `${path}/a`, configMap('a', { k: '2' }, metadata));
    expect(status).toBe(200);
    expect(body.data).toEqual({ k: '2' });
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(Number(metadata.resourceVersion));
    expect(body.metadata).toMatchObject({ uid: metadata.uid, creationTimestamp: metadata.creationTimestamp });
  }),
  claim('A PUT with an old resourceVersion is 409 Conflict', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a')));
    await done(patch(on, `${path}/a`, { data: { k: 'v' } }));
    const { details } = await refused(put(on, `${path}/a`, configMap('a', {}, metadata)), 409, 'Conflict', {
      message: `Operation cannot be fulfilled on configmaps "a": ${MODIFIED}`,
    });
    expect(details).toEqual({ name: 'a', kind: 'configmaps' });
  }),
  claim('A PUT with an old resourceVersion of ours is 409 Conflict in the name of its group', async (on) => {
    const { metadata } = await done(post(on, WINDOWS, window(on.name)));
    await done(patch(on, `${WINDOWS}/${on.name}`, { spec: { paused: true } }));
    const { details } = await refused(
      put(on, `${WINDOWS}/${on.name}`, window(on.name, {}, { resourceVersion: metadata.resourceVersion })),
      409,
      'Conflict',
      { message: `Operation cannot be fulfilled on maintenancewindows.drydock.dev "${on.name}": ${MODIFIED}` },
    );
    expect(details).toEqual({ name: on.name, group: 'drydock.dev', kind: 'maintenancewindows' });
  }),
  claim('A PUT with a resourceVersion from the future is 409 Conflict', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(put(on, `${path}/a`, configMap('a', {}, { resourceVersion: '99999999' })), 409, 'Conflict');
  }),
  claim('A PUT without a resourceVersion replaces a ConfigMap, and a node', async (on) => {
    const namespace = await on.namespace();
    await done(post(on, configMaps(namespace), configMap('a', { k: '1' })));
    expect((await done(put(on, `${configMaps(namespace)}/a`, configMap('a', { k: '2' })))).data).toEqual({ k: '2' });
    const node = (labels: object) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: on.name, labels } });
    await done(post(on, NODES, node({})));
    expect((await done(put(on, `${NODES}/${on.name}`, node({ a: 'b' })))).metadata.labels).toEqual({ a: 'b' });
  }),
  claim('A PUT without a resourceVersion is 422 for a Lease, and for a budget', async (on) => {
    const namespace = await on.namespace();
    const path = leases(namespace);
    await done(post(on, path, lease('a')));
    const body = await refused(put(on, `${path}/a`, lease('a', { holderIdentity: 'b' })), 422, 'Invalid');
    expect(causes(body)).toMatchObject([{ field: 'metadata.resourceVersion' }]);
    expect(body.message).toContain('must be specified for an update');
    await done(post(on, budgets(namespace), budget('a')));
    const other = await refused(put(on, `${budgets(namespace)}/a`, budget('a', { minAvailable: 2 })), 422, 'Invalid');
    expect(causes(other)).toMatchObject([{ field: 'metadata.resourceVersion' }]);
  }),
  claim('A PUT without a resourceVersion is 422 for a kind of ours', async (on) => {
    await done(post(on, WINDOWS, window(on.name)));
    const body = await refused(put(on, `${WINDOWS}/${on.name}`, window(on.name, { paused: true })), 422, 'Invalid', {
      message: `maintenancewindows.drydock.dev "${on.name}" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    });
    expect(causes(body)).toMatchObject([{ reason: 'FieldValueInvalid', field: 'metadata.resourceVersion' }]);
  }),
  claim('A PUT of a ConfigMap that is not there is 404', async (on) => {
    await refused(put(on, `${configMaps(await on.namespace())}/a`, configMap('a')), 404, 'NotFound');
  }),
  claim('A PUT of something of ours that is not there is 404', async (on) => {
    await refused(put(on, `${WINDOWS}/${on.name}`, window(on.name, {}, { resourceVersion: '1' })), 404, 'NotFound');
  }),
  claim('A PUT with another UID is 409 Conflict', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a')));
    const body = await refused(put(on, `${path}/a`, configMap('a', {}, { uid: 'other' })), 409, 'Conflict');
    expect(body.message).toContain(
      `Precondition failed: UID in precondition: other, UID in object meta: ${metadata.uid}`,
    );
  }),
  claim('A PUT with a time of deletion is 422, one with another time of creation keeps that which was', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a')));
    const forged = (field: string) => configMap('a', {}, { ...metadata, [field]: '2001-01-01T00:00:00Z' });
    const body = await refused(put(on, `${path}/a`, forged('deletionTimestamp')), 422, 'Invalid');
    expect(causes(body)[0]).toMatchObject({ reason: 'FieldValueInvalid', field: 'metadata.deletionTimestamp' });
    const kept = await done(put(on, `${path}/a`, forged('creationTimestamp')));
    expect(kept.metadata).toMatchObject(metadata);
  }),
  claim('A PUT without UID and time of creation keeps both', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a')));
    const { uid, creationTimestamp } = metadata;
    expect((await done(put(on, `${path}/a`, configMap('a', { k: 'v' })))).metadata).toMatchObject({
      uid,
      creationTimestamp,
    });
  }),
  claim('A write that changes nothing keeps the revision', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a', { k: 'v' })));
    const same = await done(put(on, `${path}/a`, configMap('a', { k: 'v' })));
    expect(same.metadata.resourceVersion).toBe(metadata.resourceVersion);
    const patched = await done(patch(on, `${path}/a`, { data: { k: 'v' } }));
    expect(patched.metadata.resourceVersion).toBe(metadata.resourceVersion);
  }),
  claim('A write that changes nothing of ours keeps the revision, and the defaults count as said', async (on) => {
    const { metadata } = await done(post(on, WINDOWS, window(on.name)));
    const same = await done(patch(on, `${WINDOWS}/${on.name}`, { spec: { paused: false } }));
    expect(same.metadata.resourceVersion).toBe(metadata.resourceVersion);
  }),
  claim('A dry run of a PUT answers as if and changes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    const made = await done(post(on, path, configMap('a', { k: '1' })));
    expect((await done(put(on, `${path}/a?dryRun=All`, configMap('a', { k: '2' })))).data).toEqual({ k: '2' });
    expect((await get(on, `${path}/a`)).body).toEqual(made);
  }),
  claim('Every write of anything takes one revision of the one line', async (on) => {
    const namespace = await on.namespace();
    const one = await done(post(on, configMaps(namespace), configMap('a')));
    const two = await done(post(on, budgets(namespace), budget('a')));
    const three = await done(post(on, pods(namespace), pod('a')));
    const revisions = [one, two, three].map(({ metadata }) => Number(metadata.resourceVersion));
    expect(revisions.toSorted((a, b) => a - b)).toEqual(revisions);
    expect(new Set(revisions).size).toBe(3);
  }),
  claim('A write to the main path leaves the status of a pod alone', async (on) => {
    const path = pods(await on.namespace());
    const made = await done(post(on, path, pod('a')));
    const changed = { ...made, metadata: { ...made.metadata, labels: { a: 'b' } }, status: { phase: 'Running' } };
    expect((await done(put(on, `${path}/a`, changed))).status).toMatchObject({ phase: 'Pending' });
    expect((await done(patch(on, `${path}/a`, { status: { phase: 'Running' } }))).status).toMatchObject({
      phase: 'Pending',
    });
  }),
  claim('A write to the main path leaves the status of a budget alone', async (on) => {
    const path = budgets(await on.namespace());
    await done(post(on, path, { ...budget('a'), status: { disruptionsAllowed: 5 } }));
    const changed = await done(patch(on, `${path}/a`, { status: { disruptionsAllowed: 5 } }));
    expect((changed.status as { readonly disruptionsAllowed: number }).disruptionsAllowed).toBe(0);
  }),
  claim('A write to the status path leaves spec alone, and writes status', async (on) => {
    const path = budgets(await on.namespace());
    const made = await done(post(on, path, budget('a')));
    const status = { ...(made.status as object), disruptionsAllowed: 3 };
    const changed = await done(
      put(on, `${path}/a/status`, { ...made, spec: { ...(made.spec as object), minAvailable: 7 }, status }),
    );
    expect(changed).toMatchObject({ spec: { minAvailable: 1 }, status: { disruptionsAllowed: 3 } });
  }),
  claim('A write to the status path leaves labels of ours alone', async (on) => {
    const made = await done(post(on, WINDOWS, window(on.name)));
    const body = {
      ...made,
      metadata: { ...made.metadata, labels: { a: 'b' }, finalizers: ['drydock.dev/a'] },
      status: { observedGeneration: 1 },
    };
    const changed = await done(put(on, `${WINDOWS}/${on.name}/status`, body));
    expect(changed.status).toMatchObject({ observedGeneration: 1 });
    expect(changed.metadata).not.toHaveProperty('labels');
    expect(changed.metadata).not.toHaveProperty('finalizers');
  }),
  claim('A write to the status path of a budget takes its labels along, and not those of a Deployment', async (on) => {
    const path = budgets(await on.namespace());
    await done(post(on, path, budget('a')));
    const labels = { metadata: { labels: { a: 'b' } } };
    expect((await done(patch(on, `${path}/a/status`, labels))).metadata.labels).toEqual({ a: 'b' });
    const deployments = `/apis/apps/v1/namespaces/${await on.namespace()}/deployments`;
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'main', image: 'main' }] } };
    const spec = { replicas: 0, selector: { matchLabels: { app: 'a' } }, template };
    await done(post(on, deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec }));
    expect((await done(patch(on, `${deployments}/a/status`, labels))).metadata).not.toHaveProperty('labels');
  }),
  claim('A PUT to the status path with an old resourceVersion is 409 Conflict', async (on) => {
    const path = budgets(await on.namespace());
    const made = await done(post(on, path, budget('a')));
    await done(patch(on, `${path}/a`, { metadata: { labels: { a: 'b' } } }));
    await refused(put(on, `${path}/a/status`, { ...made, status: { disruptionsAllowed: 3 } }), 409, 'Conflict', {
      message: `Operation cannot be fulfilled on poddisruptionbudgets.policy "a": ${MODIFIED}`,
    });
  }),
  claim('A GET of the status path is the whole object', async (on) => {
    const path = budgets(await on.namespace());
    const made = await done(post(on, path, budget('a')));
    expect((await done(get(on, `${path}/a/status`))).spec).toEqual(made.spec);
  }),
  claim('The generation of a budget counts the changes of its spec, and only them', async (on) => {
    const path = budgets(await on.namespace());
    const made = await done(post(on, path, budget('a')));
    expect(made.metadata.generation).toBe(1);
    const labelled = await done(patch(on, `${path}/a`, { metadata: { labels: { a: 'b' } } }));
    expect(labelled.metadata.generation).toBe(1);
    expect((await done(patch(on, `${path}/a`, { spec: { minAvailable: 2 } }))).metadata.generation).toBe(2);
    const counted = await done(patch(on, `${path}/a/status`, { status: { disruptionsAllowed: 1 } }));
    expect(counted.metadata.generation).toBe(2);
  }),
  claim('The generation of a kind of ours counts the changes of its spec, and only them', async (on) => {
    const path = `${WINDOWS}/${on.name}`;
    expect((await done(post(on, WINDOWS, window(on.name)))).metadata.generation).toBe(1);
    expect((await done(patch(on, path, { metadata: { annotations: { a: 'b' } } }))).metadata.generation).toBe(1);
    expect((await done(patch(on, path, { spec: { paused: true } }))).metadata.generation).toBe(2);
    const status = { status: { observedGeneration: 2 } };
    expect((await done(patch(on, `${path}/status`, status))).metadata.generation).toBe(2);
  }),
  claim('The generation of a client is not taken', async (on) => {
    const path = `${WINDOWS}/${on.name}`;
    await done(post(on, WINDOWS, window(on.name)));
    const changed = await done(patch(on, path, { metadata: { generation: 9 }, spec: { paused: true } }));
    expect(changed.metadata.generation).toBe(2);
  }),
  claim('A pod has a generation, and a label does not change it', async (on) => {
    const path = pods(await on.namespace());
    expect((await done(post(on, path, pod('a')))).metadata.generation).toBe(1);
    expect((await done(patch(on, `${path}/a`, { metadata: { labels: { a: 'b' } } }))).metadata.generation).toBe(1);
  }),
  claim('The spec of a pod cannot be changed', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const body = await refused(patch(on, `${path}/a`, { spec: { nodeName: 'n' } }), 422, 'Invalid');
    expect(causes(body)).toMatchObject([{ reason: 'FieldValueForbidden', field: 'spec' }]);
  }),
  claim('A Lease is made by the PUT of one that is not there', async (on) => {
    const path = leases(await on.namespace());
    const { status, body } = await put(on, `${path}/a`, lease('a'));
    expect(status).toBe(201);
    expect(body.spec).toMatchObject({ holderIdentity: 'a' });
  }),
  claim('Of two who take a Lease with the same resourceVersion the second is refused with 409', async (on) => {
    const path = leases(await on.namespace());
    const { metadata } = await done(post(on, path, lease('a', { leaseDurationSeconds: 15 })));
    const take = (by: string) => put(on, `${path}/a`, lease('a', { holderIdentity: by }, metadata));
    expect((await done(take('b'))).spec).toEqual({ holderIdentity: 'b' });
    await refused(take('c'), 409, 'Conflict', {
      message: `Operation cannot be fulfilled on leases.coordination.k8s.io "a": ${MODIFIED}`,
    });
    expect((await done(get(on, `${path}/a`))).spec).toEqual({ holderIdentity: 'b' });
  }),
  claim('The times of a Lease have microseconds and come back as they were written', async (on) => {
    const path = leases(await on.namespace());
    const times = { acquireTime: '2026-11-21T00:00:00.000001Z', renewTime: '2026-11-21T00:00:05.123456Z' };
    expect((await done(post(on, path, lease('a', times)))).spec).toEqual({ holderIdentity: 'a', ...times });
  }),
  claim('A Lease cannot last less than a second', async (on) => {
    const path = leases(await on.namespace());
    const body = await refused(post(on, path, lease('a', { leaseDurationSeconds: 0 })), 422, 'Invalid');
    expect(causes(body)).toMatchObject([{ field: 'spec.leaseDurationSeconds' }]);
  }),
  claim('A deleted name can be made again, as another object', async (on) => {
    const path = configMaps(await on.namespace());
    const one = await done(post(on, path, configMap('a')));
    await done(drop(on, `${path}/a`));
    const two = await done(post(on, path, configMap('a')));
    expect(two.metadata.uid).not.toBe(one.metadata.uid);
    await refused(put(on, `${path}/a`, configMap('a', { k: 'v' }, { uid: one.metadata.uid })), 409, 'Conflict');
    await refused(patch(on, `${path}/a`, { metadata: { uid: one.metadata.uid } }, MERGE), 422, 'Invalid');
  }),
];
