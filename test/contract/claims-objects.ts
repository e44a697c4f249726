import { expect } from 'vitest';
import { type Claim, claim } from './asker.ts';
import {
  causes,
  configMap,
  configMaps,
  done,
  drop,
  get,
  jobs,
  leases,
  NAMESPACES,
  NODES,
  pod,
  pods,
  post,
  put,
  refused,
  WINDOWS,
  window,
} from './words.ts';

/** What holds of making, reading and naming objects. */
export const OBJECTS: readonly Claim[] = [
  claim('A created object is answered with 201 and read back as it was answered', async (on) => {
    const path = configMaps(await on.namespace());
    const { status, body } = await post(on, path, configMap('a', { k: 'v' }));
    expect(status).toBe(201);
    expect((await get(on, `${path}/a`)).body).toEqual(body);
    expect(body).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { k: 'v' }, metadata: { name: 'a' } });
  }),
  claim('A new object has a UID, a revision and the time of its creation to the second', async (on) => {
    const body = await done(post(on, configMaps(await on.namespace()), configMap('a')));
    expect(body.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(body.metadata.resourceVersion).toMatch(/^[1-9][0-9]*$/);
    expect(body.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  }),
  claim(
    'UID, creation and deletion time and generation that a client sends with a new object are not taken',
    async (on) => {
      const foreign = {
        uid: 'mine',
        creationTimestamp: '2001-01-01T00:00:00Z',
        deletionTimestamp: '2001-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 7,
        generation: 9,
      };
      const { metadata } = await done(post(on, configMaps(await on.namespace()), configMap('a', {}, foreign)));
      expect(metadata.uid).not.toBe('mine');
      expect(metadata.creationTimestamp).not.toMatch(/^2001/);
      expect(metadata).not.toHaveProperty('deletionTimestamp');
      expect(metadata).not.toHaveProperty('deletionGracePeriodSeconds');
      const own = await done(post(on, `${WINDOWS}?dryRun=All`, window(on.name, {}, foreign)));
      expect(own.metadata.generation).toBe(1);
    },
  ),
  claim('The namespace of a new object is that of the path, whether it says so or not', async (on) => {
    const namespace = await on.namespace();
    const { metadata } = await done(post(on, configMaps(namespace), configMap('a', {}, { namespace })));
    expect(metadata.namespace).toBe(namespace);
    expect((await done(post(on, configMaps(namespace), configMap('b')))).metadata.namespace).toBe(namespace);
  }),
  claim('Finalizers, labels, annotations and owners of a new object are taken as they come', async (on) => {
    const given = {
      finalizers: ['drydock.dev/a'],
      labels: { a: 'b' },
      annotations: { c: 'd' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }],
    };
    const path = configMaps(await on.namespace());
    expect((await done(post(on, `${path}?dryRun=All`, configMap('a', {}, given)))).metadata).toMatchObject(given);
  }),
  claim('A second object of a name is refused with 409 AlreadyExists', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    const { details } = await refused(post(on, path, configMap('a')), 409, 'AlreadyExists', {
      message: 'configmaps "a" already exists',
    });
    expect(details).toEqual({ name: 'a', kind: 'configmaps' });
  }),
  claim('A second object of a kind with a group is refused in the name of its group', async (on) => {
    await done(post(on, WINDOWS, window(on.name)));
    const { details } = await refused(post(on, WINDOWS, window(on.name)), 409, 'AlreadyExists', {
      message: `maintenancewindows.drydock.dev "${on.name}" already exists`,
    });
    expect(details).toEqual({ name: on.name, group: 'drydock.dev', kind: 'maintenancewindows' });
  }),
  claim('What is not there is 404 NotFound, with name and resource', async (on) => {
    const { details } = await refused(get(on, `${configMaps(await on.namespace())}/none`), 404, 'NotFound', {
      message: 'configmaps "none" not found',
    });
    expect(details).toEqual({ name: 'none', kind: 'configmaps' });
  }),
  claim('What is not there in a namespace that is not there is 404 of the object', async (on) => {
    await refused(get(on, `${configMaps('no-such-namespace')}/none`), 404, 'NotFound', {
      message: 'configmaps "none" not found',
    });
  }),
  claim('A list in a namespace that is not there is empty', async (on) => {
    expect((await done(get(on, configMaps('no-such-namespace')))).items).toEqual([]);
  }),
  claim('Creating in a namespace that is not there is 404 of the namespace', async (on) => {
    const { details } = await refused(post(on, configMaps('no-such-namespace'), configMap('a')), 404, 'NotFound', {
      message: 'namespaces "no-such-namespace" not found',
    });
    expect(details).toEqual({ name: 'no-such-namespace', kind: 'namespaces' });
  }),
  claim('A resource that a group does not have is 404', async (on) => {
    await refused(get(on, '/api/v1/dragons'), 404, 'NotFound');
    await refused(get(on, '/api/v1/dragons/smaug'), 404, 'NotFound');
  }),
  claim('A group that is not served is 404', async (on) => {
    expect((await get(on, '/apis/dragons.dev/v1/dragons')).status).toBe(404);
  }),
  claim('A subresource that a resource does not have is 404', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(get(on, `${path}/a/status`), 404, 'NotFound');
  }),
  claim('PUT and PATCH on a collection are 405 MethodNotAllowed', async (on) => {
    const path = configMaps(await on.namespace());
    await refused(put(on, path, configMap('a')), 405, 'MethodNotAllowed', {
      message: 'the server does not allow this method on the requested resource',
    });
    await refused(
      on.ask({ method: 'PATCH', path, body: {}, contentType: 'application/merge-patch+json' }),
      405,
      'MethodNotAllowed',
    );
  }),
  claim('POST on an object is 405 MethodNotAllowed', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(post(on, `${path}/a`, configMap('a')), 405, 'MethodNotAllowed');
  }),
  claim('Creating something namespaced without a namespace in the path is 405', async (on) => {
    await refused(post(on, '/api/v1/configmaps', configMap('a')), 405, 'MethodNotAllowed');
  }),
  claim('DELETE of a status path is 405', async (on) => {
    const namespace = await on.namespace();
    await done(post(on, pods(namespace), pod('a')));
    await refused(drop(on, `${pods(namespace)}/a/status`), 405, 'MethodNotAllowed');
  }),
  claim('An object of another kind than the path is 400', async (on) => {
    await refused(post(on, configMaps(await on.namespace()), { ...configMap('a'), kind: 'Secret' }), 400, 'BadRequest');
  }),
  claim('An object of another version than the path is 400', async (on) => {
    const other = { ...configMap('a'), apiVersion: 'v2' };
    await refused(post(on, configMaps(await on.namespace()), other), 400, 'BadRequest');
  }),
  claim('An object that names another namespace than the path is 400', async (on) => {
    const other = configMap('a', {}, { namespace: 'other' });
    await refused(post(on, configMaps(await on.namespace()), other), 400, 'BadRequest', {
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    });
  }),
  claim('A PUT whose object has another name than the path is 400', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(put(on, `${path}/a`, configMap('b')), 400, 'BadRequest', {
      message: 'the name of the object (b) does not match the name on the URL (a)',
    });
  }),
  claim('A name that is none is 422 Invalid and names its field', async (on) => {
    const body = await refused(post(on, configMaps(await on.namespace()), configMap('No_Name')), 422, 'Invalid');
    expect(body.message).toContain('ConfigMap "No_Name" is invalid: metadata.name: Invalid value: "No_Name"');
    expect(body.details).toMatchObject({ name: 'No_Name', kind: 'ConfigMap' });
    expect(causes(body)).toMatchObject([{ reason: 'FieldValueInvalid', field: 'metadata.name' }]);
  }),
  claim('A name of ours that is none is 422 Invalid too', async (on) => {
    const body = await refused(post(on, WINDOWS, window('No_Name')), 422, 'Invalid');
    expect(body.details).toMatchObject({ name: 'No_Name', group: 'drydock.dev', kind: 'MaintenanceWindow' });
    expect(causes(body)).toMatchObject([{ reason: 'FieldValueInvalid', field: 'metadata.name' }]);
  }),
  claim('The name of a pod may have dots and be 253 characters long, and no longer', async (on) => {
    const path = pods(await on.namespace());
    const name = `a.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(66)}`;
    expect(name.length).toBe(251);
    await done(post(on, path, pod(`${name}ff`)));
    await refused(post(on, path, pod(`${name}fff`)), 422, 'Invalid');
  }),
  claim('A namespace is a label: no dots, at most 63 characters', async (on) => {
    const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await refused(post(on, `${NAMESPACES}?dryRun=All`, namespace('a.b')), 422, 'Invalid');
    await refused(post(on, `${NAMESPACES}?dryRun=All`, namespace('a'.repeat(64))), 422, 'Invalid');
    await done(post(on, `${NAMESPACES}?dryRun=All`, namespace('a'.repeat(63))));
  }),
  claim('An object without any name is 422: name or generateName is required', async (on) => {
    const nameless = { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} };
    const body = await refused(post(on, configMaps(await on.namespace()), nameless), 422, 'Invalid', {
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    });
    expect(causes(body)).toEqual([
      {
        reason: 'FieldValueRequired',
        field: 'metadata.name',
        message: 'Required value: name or generateName is required',
      },
    ]);
  }),
  claim('generateName becomes a name with five more characters, each time another', async (on) => {
    const path = configMaps(await on.namespace());
    const made = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a-' } };
    const [one, two] = [await done(post(on, path, made)), await done(post(on, path, made))];
    expect(one.metadata).toMatchObject({ generateName: 'a-' });
    expect(one.metadata.name).toMatch(/^a-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(one.metadata.name).not.toBe(two.metadata.name);
  }),
  claim('A name goes before generateName', async (on) => {
    const { metadata } = await done(
      post(on, configMaps(await on.namespace()), configMap('a', {}, { generateName: 'b-' })),
    );
    expect(metadata).toMatchObject({ name: 'a', generateName: 'b-' });
  }),
  claim('A new object with a resourceVersion is refused', async (on) => {
    const path = configMaps(await on.namespace());
    const { status, body } = await post(on, path, configMap('a', {}, { resourceVersion: '1' }));
    expect({ status, message: body.message }).toEqual({
      status: 500,
      message: 'resourceVersion should not be set on objects to be created',
    });
  }),
  claim('A dry run answers as if, with 201, and makes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    const { status, body } = await post(on, `${path}?dryRun=All`, configMap('a'));
    expect(status).toBe(201);
    expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect((await get(on, `${path}/a`)).status).toBe(404);
  }),
  claim('A dry run of a name that is taken is refused all the same', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(post(on, `${path}?dryRun=All`, configMap('a')), 409, 'AlreadyExists');
  }),
  claim('A list names its kind, its revision, and its objects in the order of their names', async (on) => {
    const path = leases(await on.namespace());
    const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } });
    for (const name of ['b', 'a-b', 'a']) await done(post(on, path, lease(name)));
    const list = await done(get(on, path));
    expect(list).toMatchObject({ kind: 'LeaseList', apiVersion: 'coordination.k8s.io/v1' });
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'a-b', 'b']);
    const newest = Math.max(...list.items.map(({ metadata }) => Number(metadata.resourceVersion)));
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(newest);
  }),
  claim('Without a namespace in the path a list shows those of all namespaces, namespace by namespace', async (on) => {
    const [one, other] = [`${on.name}-a`, `${on.name}-a-b`];
    for (const name of [other, one]) {
      await done(post(on, NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
      for (const each of ['b', 'a'])
        await done(post(on, configMaps(name), configMap(each, {}, { labels: { of: on.name } })));
    }
    const { items } = await done(get(on, `/api/v1/configmaps?labelSelector=of%3D${on.name}`));
    expect(items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
      `${other}/a`,
      `${other}/b`,
      `${one}/a`,
      `${one}/b`,
    ]);
  }),
  claim('A new namespace is Active and labelled with its name', async (on) => {
    const path = `${NAMESPACES}/${await on.namespace()}`;
    const body = await done(get(on, path));
    expect(body).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
    expect(body.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': body.metadata.name });
  }),
  claim('A namespace is found in no namespace, and a ConfigMap in one', async (on) => {
    const namespace = await on.namespace();
    expect((await get(on, `/api/v1/configmaps/a`)).status).toBe(404);
    expect((await get(on, `/api/v1/namespaces/${namespace}/nodes`)).status).toBe(404);
  }),
  claim('A new pod is Pending whatever status it comes with', async (on) => {
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const body = await done(post(on, pods(await on.namespace()), { ...pod('a'), status }));
    expect(body.status).toMatchObject({ phase: 'Pending' });
    expect(body.status).not.toHaveProperty('conditions');
  }),
  claim('A new node keeps the status it comes with', async (on) => {
    const status = { nodeInfo: { kubeletVersion: 'v1.36.4' }, conditions: [{ type: 'Ready', status: 'True' }] };
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: on.name }, status };
    const body = await done(post(on, `${NODES}?dryRun=All`, node));
    expect(body.status).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }] });
    expect(body.metadata).not.toHaveProperty('generation');
  }),
  claim('A new pod gets its policy of restarts, its grace period, and five minutes on a lost node', async (on) => {
    const { spec } = await done(post(on, pods(await on.namespace()), pod('a')));
    const leaving = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
    expect(spec).toMatchObject({
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      tolerations: [leaving('node.kubernetes.io/not-ready'), leaving('node.kubernetes.io/unreachable')],
    });
  }),
  claim('A new Job begins with no status, and counts its generations from 1', async (on) => {
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'main' }] } };
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'a' },
      spec: { template },
      status: { failed: 3 },
    };
    const body = await done(post(on, jobs(await on.namespace()), job));
    expect(body).toMatchObject({ metadata: { generation: 1 }, status: {} });
    expect(body.status).not.toHaveProperty('failed');
  }),
];
