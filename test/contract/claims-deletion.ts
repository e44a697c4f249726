import { expect } from 'vitest';
import { type Asker, type Claim, claim } from './asker.ts';
import {
  causes,
  configMap,
  configMaps,
  done,
  drop,
  get,
  gone,
  JSON_PATCH,
  NAMESPACES,
  patch,
  pod,
  pods,
  post,
  put,
  refused,
  WINDOWS,
  window,
} from './words.ts';

const KEPT = ['drydock.dev/kept'];
const HELD = { finalizers: KEPT };
const UNHELD = { metadata: { finalizers: null } };

/** A pod on a node, running. */
async function bound(on: Asker, spec: object = {}): Promise<string> {
  const path = pods(await on.namespace());
  await done(post(on, path, pod('a', { nodeName: `${on.name}-node`, ...spec })));
  await done(patch(on, `${path}/a/status`, { status: { phase: 'Running' } }));
  return `${path}/a`;
}

async function owned(on: Asker, block: boolean): Promise<string> {
  const path = configMaps(await on.namespace());
  const { metadata } = await done(post(on, path, configMap('owner')));
  const reference = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: 'owner',
    uid: metadata.uid,
    blockOwnerDeletion: block,
  };
  await done(post(on, path, configMap('owned', {}, { ownerReferences: [reference] })));
  return path;
}

const seconds = (text: string | undefined) => Date.parse(text ?? '') / 1000;

/** What holds of deletion: what must hold before, what delays it, what follows. */
export const DELETION: readonly Claim[] = [
  claim('A deletion is answered with 200 and a Status that says what was deleted', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a')));
    const { status, body } = await drop(on, `${path}/a`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'a', kind: 'configmaps', uid: metadata.uid },
    });
    await refused(get(on, `${path}/a`), 404, 'NotFound');
  }),
  claim('A deletion of ours is answered with a Status too', async (on) => {
    const { metadata } = await done(post(on, WINDOWS, window(on.name)));
    expect(await done(drop(on, `${WINDOWS}/${on.name}`))).toMatchObject({
      status: 'Success',
      details: { name: on.name, group: 'drydock.dev', kind: 'maintenancewindows', uid: metadata.uid },
    });
  }),
  claim('A deletion of what is not there is 404', async (on) => {
    await refused(drop(on, `${configMaps(await on.namespace())}/none`), 404, 'NotFound', {
      message: 'configmaps "none" not found',
      details: { name: 'none', kind: 'configmaps' },
    });
  }),
  claim('A deletion with another UID is 409 Conflict and deletes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a')));
    const body = await refused(drop(on, `${path}/a`, { preconditions: { uid: 'other' } }), 409, 'Conflict');
    expect(body.message).toBe(
      `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
    expect(body.details).toEqual({ name: 'a', kind: 'ConfigMap' });
    await done(drop(on, `${path}/a`, { preconditions: { uid: metadata.uid } }));
  }),
  claim('A deletion with an old resourceVersion is 409 Conflict and deletes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    const { resourceVersion } = (await done(post(on, path, configMap('a')))).metadata;
    await done(patch(on, `${path}/a`, { data: { k: 'v' } }));
    const body = await refused(drop(on, `${path}/a`, { preconditions: { resourceVersion } }), 409, 'Conflict');
    expect(body.message).toContain(`the ResourceVersion in the precondition (${resourceVersion}) does not match`);
    await done(get(on, `${path}/a`));
  }),
  claim('A dry run of a deletion deletes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    const made = await done(post(on, path, configMap('a')));
    await done(drop(on, `${path}/a?dryRun=All`));
    expect((await get(on, `${path}/a`)).body).toEqual(made);
  }),
  claim('What has a finalizer is marked, not deleted, and comes back marked', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, HELD)));
    const { status, body } = await drop(on, `${path}/a`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ kind: 'ConfigMap', metadata: { deletionGracePeriodSeconds: 0, finalizers: KEPT } });
    expect(body.metadata.deletionTimestamp).toMatch(/Z$/);
    expect((await done(get(on, `${path}/a`))).metadata.deletionTimestamp).toBe(body.metadata.deletionTimestamp);
  }),
  claim('A second deletion of what is marked changes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, HELD)));
    await done(drop(on, `${path}/a`));
    const first = await done(get(on, `${path}/a`));
    await done(drop(on, `${path}/a`));
    expect((await done(get(on, `${path}/a`))).metadata).toEqual(first.metadata);
  }),
  claim('Deletion counts as a generation of ours, once', async (on) => {
    const path = `${WINDOWS}/${on.name}`;
    expect((await done(post(on, WINDOWS, window(on.name, {}, HELD)))).metadata.generation).toBe(1);
    expect((await done(drop(on, path))).metadata.generation).toBe(2);
    expect((await done(drop(on, path))).metadata.generation).toBe(2);
  }),
  claim('The removal of the last finalizer of what is marked ends it', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, { finalizers: ['a.dev/a', 'a.dev/b'] })));
    await done(drop(on, `${path}/a`));
    await done(patch(on, `${path}/a`, { metadata: { finalizers: ['a.dev/b'] } }));
    await done(get(on, `${path}/a`));
    expect((await done(patch(on, `${path}/a`, UNHELD))).metadata.name).toBe('a');
    await refused(get(on, `${path}/a`), 404, 'NotFound');
  }),
  claim('A finalizer can be removed from what is not marked, and nothing ends', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, HELD)));
    expect((await done(patch(on, `${path}/a`, UNHELD))).metadata).not.toHaveProperty('finalizers');
    await done(get(on, `${path}/a`));
  }),
  claim('No finalizer can be added to what is marked', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, HELD)));
    await done(drop(on, `${path}/a`));
    const body = await refused(
      patch(on, `${path}/a`, { metadata: { finalizers: [...KEPT, 'a.dev/b'] } }),
      422,
      'Invalid',
    );
    expect(causes(body)[0]).toMatchObject({ reason: 'FieldValueForbidden', field: 'metadata.finalizers' });
    expect(body.message).toContain('no new finalizers can be added if the object is being deleted');
  }),
  claim('A finalizer must be qualified: a name with a domain before it', async (on) => {
    const body = await refused(
      post(on, WINDOWS, window(on.name, {}, { finalizers: ['not qualified'] })),
      422,
      'Invalid',
    );
    expect(causes(body)[0]?.field).toMatch(/^metadata.finalizers/);
  }),
  claim('What is marked can still be changed otherwise', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, HELD)));
    await done(drop(on, `${path}/a`));
    expect((await done(patch(on, `${path}/a`, { data: { k: 'v' } }))).data).toEqual({ k: 'v' });
  }),
  claim('What is marked cannot be unmarked', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, HELD)));
    const { metadata } = await done(drop(on, `${path}/a`));
    const removal = [{ op: 'remove', path: '/metadata/deletionTimestamp' }];
    const { status, body } = await patch(on, `${path}/a`, removal, JSON_PATCH);
    expect(status).toBe(200);
    expect(body.metadata.deletionTimestamp).toBe(metadata.deletionTimestamp);
  }),
  claim('A name that is marked is still taken', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, HELD)));
    await done(drop(on, `${path}/a`));
    const body = await refused(post(on, path, configMap('a')), 409, 'AlreadyExists');
    expect(body.message).toContain('configmaps "a" already exists');
  }),
  claim(
    'Foreground deletion leaves a finalizer of its own until what is owned is gone',
    async (on) => {
      const path = await owned(on, true);
      await done(patch(on, `${path}/owned`, { metadata: { finalizers: KEPT } }));
      const body = await done(drop(on, `${path}/owner`, { propagationPolicy: 'Foreground' }));
      expect(body.metadata.finalizers).toEqual(['foregroundDeletion']);
      await on.settle(
        'what is owned is marked',
        async () => (await get(on, `${path}/owned`)).body.metadata.deletionTimestamp !== undefined,
      );
      expect((await get(on, `${path}/owner`)).status).toBe(200);
      await done(patch(on, `${path}/owned`, UNHELD));
      await gone(on, `${path}/owner`);
    },
    'garbage collector',
  ),
  claim(
    'Orphan deletion leaves what was owned, without its owner',
    async (on) => {
      const path = await owned(on, false);
      const body = await done(drop(on, `${path}/owner`, { propagationPolicy: 'Orphan' }));
      expect(body.metadata.finalizers).toEqual(['orphan']);
      await gone(on, `${path}/owner`);
      const { metadata } = await done(get(on, `${path}/owned`));
      expect(metadata).not.toHaveProperty('ownerReferences');
      expect(metadata).not.toHaveProperty('deletionTimestamp');
    },
    'garbage collector',
  ),
  claim(
    'Background deletion ends the owner at once, and what it owned afterwards',
    async (on) => {
      const path = await owned(on, false);
      await done(drop(on, `${path}/owner`, { propagationPolicy: 'Background' }));
      expect((await get(on, `${path}/owner`)).status).toBe(404);
      await gone(on, `${path}/owned`);
    },
    'garbage collector',
  ),
  claim(
    'What an owner of that name but another UID owned is collected',
    async (on) => {
      const path = configMaps(await on.namespace());
      await done(post(on, path, configMap('owner')));
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'another' };
      await done(post(on, path, configMap('owned', {}, { ownerReferences: [reference] })));
      await gone(on, `${path}/owned`);
      await done(get(on, `${path}/owner`));
    },
    'garbage collector',
  ),
  claim('An unknown propagationPolicy is 422', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(drop(on, `${path}/a`, { propagationPolicy: 'Sideways' }), 422, 'Invalid');
  }),
  claim('A deletion of a collection deletes what its selector selects', async (on) => {
    const path = configMaps(await on.namespace());
    for (const name of ['a', 'b', 'c']) await done(post(on, path, configMap(name, {}, { labels: { name } })));
    await done(drop(on, `${path}?labelSelector=name%20in%20(a,b)`));
    const { items } = await done(get(on, `${path}?labelSelector=name`));
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['c']);
  }),
  claim('A pod on a node is marked, with its grace period, and its deletion lies that far ahead', async (on) => {
    const path = await bound(on);
    const { metadata, kind } = await done(drop(on, path));
    expect(kind).toBe('Pod');
    expect(metadata.deletionGracePeriodSeconds).toBe(30);
    const ahead = seconds(metadata.deletionTimestamp) - seconds(metadata.creationTimestamp ?? '');
    expect(ahead).toBeGreaterThanOrEqual(30);
    expect(ahead).toBeLessThan(40);
    expect(metadata.generation).toBe(2);
    await done(get(on, path));
  }),
  claim('The grace period of a pod is its own unless the deletion names one', async (on) => {
    const path = await bound(on, { terminationGracePeriodSeconds: 77 });
    expect((await done(drop(on, `${path}?dryRun=All`))).metadata.deletionGracePeriodSeconds).toBe(77);
    expect((await done(drop(on, path, { gracePeriodSeconds: 5 }))).metadata.deletionGracePeriodSeconds).toBe(5);
  }),
  claim('A pod deleted with a grace period of 0 is gone at once', async (on) => {
    const path = await bound(on);
    expect((await done(drop(on, path, { gracePeriodSeconds: 0 }))).metadata.deletionGracePeriodSeconds).toBe(0);
    await refused(get(on, path), 404, 'NotFound');
  }),
  claim('A negative grace period is one second', async (on) => {
    const path = await bound(on);
    expect((await done(drop(on, path, { gracePeriodSeconds: -5 }))).metadata.deletionGracePeriodSeconds).toBe(1);
  }),
  claim('A pod on no node is gone at once', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const body = await done(drop(on, `${path}/a`));
    expect(body).toMatchObject({ kind: 'Pod', metadata: { deletionGracePeriodSeconds: 0 } });
    await refused(get(on, `${path}/a`), 404, 'NotFound');
  }),
  claim('A pod that has finished is gone at once', async (on) => {
    const path = await bound(on);
    await done(patch(on, `${path}/status`, { status: { phase: 'Succeeded' } }));
    await done(drop(on, path));
    await refused(get(on, path), 404, 'NotFound');
  }),
  claim('A second deletion of a pod can shorten its grace period but not lengthen it', async (on) => {
    const path = await bound(on);
    const first = await done(drop(on, path, { gracePeriodSeconds: 60 }));
    const longer = await done(drop(on, path, { gracePeriodSeconds: 90 }));
    expect(longer.metadata.deletionGracePeriodSeconds).toBe(60);
    expect(longer.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const shorter = await done(drop(on, path, { gracePeriodSeconds: 20 }));
    expect(shorter.metadata.deletionGracePeriodSeconds).toBe(20);
    expect(seconds(first.metadata.deletionTimestamp) - seconds(shorter.metadata.deletionTimestamp)).toBe(40);
    expect(shorter.metadata.generation).toBe(first.metadata.generation);
  }),
  claim('A second deletion of a pod with a grace period of 0 ends it', async (on) => {
    const path = await bound(on);
    await done(drop(on, path));
    await done(drop(on, path, { gracePeriodSeconds: 0 }));
    await refused(get(on, path), 404, 'NotFound');
  }),
  claim('A pod with a finalizer and a grace period of 0 stays, marked', async (on) => {
    const path = await bound(on);
    await done(patch(on, path, { metadata: HELD }));
    const { metadata } = await done(drop(on, path, { gracePeriodSeconds: 0 }));
    expect(metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: KEPT });
    await done(patch(on, path, UNHELD));
    await refused(get(on, path), 404, 'NotFound');
  }),
  claim('A pod that is leaving with time left stays when its last finalizer goes', async (on) => {
    const path = await bound(on);
    await done(patch(on, path, { metadata: HELD }));
    await done(drop(on, path));
    await done(patch(on, path, UNHELD));
    expect((await done(get(on, path))).metadata.deletionGracePeriodSeconds).toBe(30);
  }),
  claim('A pod is not deleted in place of another: the UID must be its own', async (on) => {
    const path = await bound(on);
    await refused(drop(on, path, { gracePeriodSeconds: 0, preconditions: { uid: 'other' } }), 409, 'Conflict');
    expect((await done(get(on, path))).metadata).not.toHaveProperty('deletionTimestamp');
  }),
  claim('A pod can be given its end by its kubelet only with its UID and no grace', async (on) => {
    const path = await bound(on);
    const { metadata } = await done(drop(on, path));
    await done(drop(on, path, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } }));
    await refused(get(on, path), 404, 'NotFound');
  }),
  claim('A namespace that is deleted takes nothing new, and says so', async (on) => {
    const namespace = await on.namespace();
    await done(post(on, configMaps(namespace), configMap('a', {}, HELD)));
    const { status, metadata } = await done(drop(on, `${NAMESPACES}/${namespace}`));
    expect(status).toMatchObject({ phase: 'Terminating' });
    expect(metadata.deletionTimestamp).toMatch(/Z$/);
    const body = await refused(post(on, configMaps(namespace), configMap('b')), 403, 'Forbidden', {
      message: `configmaps "b" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    });
    expect(body.details).toMatchObject({ name: 'b', kind: 'configmaps' });
    expect(causes(body)).toEqual([
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ]);
    await done(put(on, `${configMaps(namespace)}/a`, configMap('a', { k: 'v' }, { finalizers: KEPT })));
    await done(patch(on, `${configMaps(namespace)}/a`, UNHELD));
  }),
];
