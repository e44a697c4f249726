import { expect } from 'vitest';
import { type Claim, claim } from './asker.ts';
import {
  causes,
  configMap,
  configMaps,
  done,
  drop,
  get,
  held,
  jobs,
  leases,
  PASSAGES,
  patch,
  pod,
  pods,
  post,
  put,
  refused,
  WINDOWS,
  window,
} from './words.ts';

const EVENTS = '/api/v1/namespaces/default/events';

const event = (name: string, involvedObject: object) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
  involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'worker-1', ...involvedObject },
  reason: 'Cordoned',
  message: 'The node is cordoned.',
  type: 'Normal',
  count: 1,
  firstTimestamp: '2026-11-21T00:00:00Z',
  lastTimestamp: '2026-11-21T00:00:00Z',
  source: { component: 'drydock' },
});

/** What holds of the very requests that the operator sends. */
export const OPERATOR: readonly Claim[] = [
  claim('The version of the API server is told to whoever asks', async (on) => {
    const { status, body } = await get(on, '/version');
    expect(status).toBe(200);
    expect((body as unknown as { readonly gitVersion: string }).gitVersion).toMatch(/^v1\.\d+\.\d+/);
  }),
  claim('A status of ours is written with nothing but name, UID and resourceVersion beside it', async (on) => {
    const { metadata, spec } = await done(post(on, PASSAGES, held(on.name, {}, { labels: { a: 'b' } })));
    const { uid, resourceVersion } = metadata;
    const body = {
      apiVersion: 'drydock.dev/v1alpha1',
      kind: 'NodeMaintenance',
      metadata: { name: on.name, uid, resourceVersion },
      status: { state: { phase: 'Preparing', since: '2026-11-21T00:00:00Z' } },
    };
    const after = await done(put(on, `${PASSAGES}/${on.name}/status`, body));
    expect(after).toMatchObject({ metadata: { uid, labels: { a: 'b' }, generation: 1 }, spec });
    expect(after.status).toMatchObject({ state: { phase: 'Preparing' } });
    await refused(put(on, `${PASSAGES}/${on.name}/status`, body), 409, 'Conflict');
  }),
  claim('A status of ours meant for an object that was made again is 409 Conflict', async (on) => {
    const { resourceVersion } = (await done(post(on, WINDOWS, window(on.name)))).metadata;
    const body = { ...window(on.name), metadata: { name: on.name, uid: 'other', resourceVersion }, status: {} };
    await refused(put(on, `${WINDOWS}/${on.name}/status`, body), 409, 'Conflict');
  }),
  claim('A status of ours for an object that is gone is 404', async (on) => {
    const body = { ...window(on.name), metadata: { name: on.name, uid: 'other', resourceVersion: '1' }, status: {} };
    await refused(put(on, `${WINDOWS}/${on.name}/status`, body), 404, 'NotFound');
  }),
  claim(
    'A passage is made with a finalizer and an owner, and its finalizer goes with UID and resourceVersion',
    async (on) => {
      const owner = {
        apiVersion: 'drydock.dev/v1alpha1',
        kind: 'NodeMaintenance',
        name: 'x',
        uid: 'x',
        controller: true,
        blockOwnerDeletion: false,
      };
      const made = await done(
        post(
          on,
          `${PASSAGES}?dryRun=All`,
          held(on.name, {}, { finalizers: ['drydock.dev/passage'], ownerReferences: [owner] }),
        ),
      );
      expect(made.metadata).toMatchObject({ finalizers: ['drydock.dev/passage'], ownerReferences: [owner] });
      const { metadata } = await done(post(on, PASSAGES, held(on.name, {}, { finalizers: ['drydock.dev/passage'] })));
      const { uid, resourceVersion } = metadata;
      const gone = await done(
        patch(on, `${PASSAGES}/${on.name}`, { metadata: { uid, resourceVersion, finalizers: [] } }),
      );
      expect(gone.metadata).not.toHaveProperty('finalizers');
      await refused(
        patch(on, `${PASSAGES}/${on.name}`, {
          metadata: { uid, resourceVersion, finalizers: ['drydock.dev/passage'] },
        }),
        409,
        'Conflict',
      );
    },
  ),
  claim('Two controllers of one object are 422', async (on) => {
    const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'Node', name: uid, uid, controller: true });
    const ownerReferences = [owner('one'), owner('other')];
    const path = configMaps(await on.namespace());
    const body = await refused(post(on, path, configMap('a', {}, { ownerReferences })), 422, 'Invalid');
    expect(causes(body)[0]?.field).toBe('metadata.ownerReferences');
  }),
  claim('A Job is deleted with its UID and revision, in the background', async (on) => {
    const path = jobs(await on.namespace());
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'main' }] } };
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' }, spec: { suspend: true, template } };
    const { uid, resourceVersion } = (await done(post(on, path, job))).metadata;
    const options = (preconditions: object) => ({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions,
      propagationPolicy: 'Background',
    });
    await refused(drop(on, `${path}/a`, options({ uid, resourceVersion: '1' })), 409, 'Conflict');
    await done(drop(on, `${path}/a`, options({ uid, resourceVersion })));
    await refused(drop(on, `${path}/a`, options({ uid })), 404, 'NotFound');
  }),
  claim('A Job is let go with its UID and revision, once', async (on) => {
    const path = jobs(await on.namespace());
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'main' }] } };
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' }, spec: { suspend: true, template } };
    const { uid, resourceVersion } = (await done(post(on, path, job))).metadata;
    const release = { metadata: { uid, resourceVersion }, spec: { suspend: false } };
    expect((await done(patch(on, `${path}/a`, release))).spec).toMatchObject({ suspend: false });
    await refused(patch(on, `${path}/a`, release), 409, 'Conflict');
  }),
  claim('An Event about a node is written in the namespace default, and counted up by a patch', async (on) => {
    await done(post(on, EVENTS, event(on.name, {})));
    const counted = await done(patch(on, `${EVENTS}/${on.name}`, { count: 2, lastTimestamp: '2026-11-21T00:05:00Z' }));
    expect(counted).toMatchObject({ count: 2, lastTimestamp: '2026-11-21T00:05:00Z', reason: 'Cordoned' });
    await refused(patch(on, `${EVENTS}/${on.name}-none`, { count: 2 }), 404, 'NotFound');
  }),
  claim('An Event in another namespace than what it is about is 422', async (on) => {
    const about = { kind: 'Pod', namespace: 'kube-system', name: 'a' };
    const body = await refused(post(on, EVENTS, event(on.name, about)), 422, 'Invalid');
    expect(causes(body)[0]?.field).toBe('involvedObject.namespace');
  }),
  claim('A Lease is read, taken over and renewed, each time with the revision that was read', async (on) => {
    const path = leases(await on.namespace());
    const spec = (holderIdentity: string, leaseTransitions: number) => ({
      holderIdentity,
      leaseDurationSeconds: 15,
      acquireTime: '2026-11-21T00:00:00.000000Z',
      renewTime: '2026-11-21T00:00:00.000000Z',
      leaseTransitions,
    });
    const lease = (holder: string, transitions: number, metadata: object = {}) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'drydock', ...metadata },
      spec: spec(holder, transitions),
    });
    const first = await done(post(on, path, lease('a', 0)));
    await refused(post(on, path, lease('b', 0)), 409, 'AlreadyExists');
    const { resourceVersion } = first.metadata;
    const taken = await done(put(on, `${path}/drydock`, lease('b', 1, { resourceVersion })));
    expect(taken.spec).toEqual(spec('b', 1));
    await refused(put(on, `${path}/drydock`, lease('a', 1, { resourceVersion })), 409, 'Conflict');
  }),
  claim('A list with a limit of 1 tells where the API server is', async (on) => {
    const { metadata } = await done(post(on, pods(await on.namespace()), pod('a')));
    const list = await done(get(on, '/api/v1/pods?limit=1'));
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(metadata.resourceVersion));
  }),
  claim('A cordon with a taint and an annotation is one patch, and its undoing another', async (on) => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: on.name } };
    const { uid, resourceVersion } = (await done(post(on, '/api/v1/nodes', node))).metadata;
    const taints = [{ key: 'drydock.dev/maintenance', effect: 'NoSchedule' }];
    const on1 = {
      metadata: { uid, resourceVersion, annotations: { 'drydock.dev/a': 'b' } },
      spec: { unschedulable: true, taints },
    };
    const marked = await done(patch(on, `/api/v1/nodes/${on.name}`, on1));
    expect(marked).toMatchObject({
      metadata: { annotations: { 'drydock.dev/a': 'b' } },
      spec: { unschedulable: true },
    });
    const off = {
      metadata: { uid, resourceVersion: marked.metadata.resourceVersion, annotations: { 'drydock.dev/a': null } },
      spec: { unschedulable: null, taints: null },
    };
    const bare = await done(patch(on, `/api/v1/nodes/${on.name}`, off));
    expect(bare.metadata).not.toHaveProperty('annotations');
    expect(bare.spec).not.toHaveProperty('unschedulable');
  }),
];
