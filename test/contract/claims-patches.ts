import { expect } from 'vitest';
import { type Claim, claim } from './asker.ts';
import {
  APPLY,
  budget,
  budgets,
  causes,
  configMap,
  configMaps,
  done,
  get,
  JSON_PATCH,
  NODES,
  patch,
  pod,
  pods,
  post,
  refused,
  STRATEGIC,
  WINDOWS,
  window,
} from './words.ts';

const node = (name: string, spec: object = {}) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec });
const taint = (key: string, effect = 'NoSchedule', value?: string) => ({
  key,
  effect,
  ...(value === undefined ? {} : { value }),
});
const conditionsOf = (status: unknown) =>
  (status as { readonly conditions: readonly { readonly type: string }[] }).conditions;
const taintsOf = (spec: unknown) =>
  ((spec as { readonly taints?: readonly { readonly key: string }[] }).taints ?? []).map(({ key }) => key);

/** What holds of the four kinds of patches. */
export const PATCHES: readonly Claim[] = [
  claim('A merge patch changes what it names, keeps the rest, and removes what it says is null', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1', l: '1', m: '1' }, { labels: { a: '1', b: '1' } })));
    const { status, body } = await patch(on, `${path}/a`, {
      data: { k: '2', l: null },
      metadata: { labels: { a: null } },
    });
    expect(status).toBe(200);
    expect(body.data).toEqual({ k: '2', m: '1' });
    expect(body.metadata.labels).toEqual({ b: '1' });
  }),
  claim('A merge patch that removes what is not there changes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a', { k: '1' })));
    const body = await done(
      patch(on, `${path}/a`, { data: { none: null }, metadata: { annotations: { none: null } } }),
    );
    expect(body.metadata.resourceVersion).toBe(metadata.resourceVersion);
  }),
  claim('A merge patch replaces lists whole', async (on) => {
    await done(post(on, NODES, node(on.name, { taints: [taint('a.dev/a'), taint('a.dev/b')] })));
    const { spec } = await done(patch(on, `${NODES}/${on.name}`, { spec: { taints: [taint('a.dev/c')] } }));
    expect(taintsOf(spec)).toEqual(['a.dev/c']);
  }),
  claim('A merge patch with the present resourceVersion is taken, one with another is 409 Conflict', async (on) => {
    const path = configMaps(await on.namespace());
    const { resourceVersion } = (await done(post(on, path, configMap('a')))).metadata;
    await done(patch(on, `${path}/a`, { metadata: { resourceVersion }, data: { k: '1' } }));
    await refused(patch(on, `${path}/a`, { metadata: { resourceVersion }, data: { k: '2' } }), 409, 'Conflict', {
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    });
  }),
  claim('A merge patch with an old resourceVersion is 409 even if it changes nothing else', async (on) => {
    const path = configMaps(await on.namespace());
    const { resourceVersion } = (await done(post(on, path, configMap('a')))).metadata;
    await done(patch(on, `${path}/a`, { data: { k: '1' } }));
    await refused(patch(on, `${path}/a`, { metadata: { resourceVersion }, data: { k: '1' } }), 409, 'Conflict');
  }),
  claim('A merge patch with another UID is 422 of metadata.uid', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    const body = await refused(patch(on, `${path}/a`, { metadata: { uid: 'other' } }), 422, 'Invalid', {
      message: 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "other": field is immutable',
    });
    for (const cause of causes(body)) {
      expect(cause).toMatchObject({ reason: 'FieldValueInvalid', field: 'metadata.uid' });
    }
    expect(causes(body)).not.toEqual([]);
    expect(body.details).toMatchObject({ name: 'a', kind: 'ConfigMap' });
  }),
  claim('A merge patch of ours with another UID is refused so that metadata.uid is named', async (on) => {
    await done(post(on, WINDOWS, window(on.name)));
    const body = await refused(patch(on, `${WINDOWS}/${on.name}`, { metadata: { uid: 'other' } }), 422, 'Invalid');
    expect(causes(body).map(({ field }) => field)).toContain('metadata.uid');
  }),
  claim('A merge patch cannot rename', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(patch(on, `${path}/a`, { metadata: { name: 'b' } }), 400, 'BadRequest', {
      message: 'the name of the object (b) does not match the name on the URL (a)',
    });
  }),
  claim('A patch of what is not there is 404', async (on) => {
    const path = configMaps(await on.namespace());
    await refused(patch(on, `${path}/none`, { data: {} }), 404, 'NotFound', { message: 'configmaps "none" not found' });
  }),
  claim('A patch of an unknown type is 415 UnsupportedMediaType', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a')));
    await refused(patch(on, `${path}/a`, {}, 'application/json'), 415, 'UnsupportedMediaType');
  }),
  claim('A strategic merge patch of ours is 415 UnsupportedMediaType', async (on) => {
    await done(post(on, WINDOWS, window(on.name)));
    await refused(patch(on, `${WINDOWS}/${on.name}`, {}, STRATEGIC), 415, 'UnsupportedMediaType');
  }),
  claim('A merge patch of the status path changes status and not spec', async (on) => {
    const path = budgets(await on.namespace());
    await done(post(on, path, budget('a')));
    const body = await done(
      patch(on, `${path}/a/status`, { spec: { minAvailable: 5 }, status: { currentHealthy: 2 } }),
    );
    expect(body).toMatchObject({ spec: { minAvailable: 1 }, status: { currentHealthy: 2 } });
  }),
  claim('A dry run of a patch answers as if and changes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    const made = await done(post(on, path, configMap('a', { k: '1' })));
    expect((await done(patch(on, `${path}/a?dryRun=All`, { data: { k: '2' } }))).data).toEqual({ k: '2' });
    expect((await get(on, `${path}/a`)).body).toEqual(made);
  }),
  claim('A JSON patch adds, replaces and removes, in order', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1', l: '1' }, { finalizers: [] })));
    const body = await done(
      patch(
        on,
        `${path}/a`,
        [
          { op: 'replace', path: '/data/k', value: '2' },
          { op: 'remove', path: '/data/l' },
          { op: 'add', path: '/data/m', value: '3' },
          { op: 'add', path: '/metadata/annotations', value: {} },
          { op: 'add', path: '/metadata/annotations/a.dev~1b', value: 'c' },
        ],
        JSON_PATCH,
      ),
    );
    expect(body.data).toEqual({ k: '2', m: '3' });
    expect(body.metadata.annotations).toEqual({ 'a.dev/b': 'c' });
  }),
  claim('A JSON patch adds to lists in front, in between and at the end', async (on) => {
    await done(post(on, NODES, node(on.name, { taints: [taint('a.dev/a'), taint('a.dev/b')] })));
    const { spec } = await done(
      patch(
        on,
        `${NODES}/${on.name}`,
        [
          { op: 'add', path: '/spec/taints/0', value: taint('a.dev/0') },
          { op: 'add', path: '/spec/taints/-', value: taint('a.dev/9') },
          { op: 'remove', path: '/spec/taints/1' },
        ],
        JSON_PATCH,
      ),
    );
    const ours = taintsOf(spec).filter((key) => key.startsWith('a.dev'));
    expect(ours).toEqual(['a.dev/0', 'a.dev/b', 'a.dev/9']);
  }),
  claim('A JSON patch whose test holds is done', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(post(on, path, configMap('a', { k: '1' })));
    const tests = [
      { op: 'test', path: '/metadata/uid', value: metadata.uid },
      { op: 'test', path: '/data/k', value: '1' },
      { op: 'replace', path: '/data/k', value: '2' },
    ];
    expect((await done(patch(on, `${path}/a`, tests, JSON_PATCH))).data).toEqual({ k: '2' });
  }),
  claim('A JSON patch whose test fails is 422 and changes nothing', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1' })));
    const tests = [
      { op: 'replace', path: '/data/k', value: '2' },
      { op: 'test', path: '/metadata/uid', value: 'other' },
    ];
    await refused(patch(on, `${path}/a`, tests, JSON_PATCH), 422, 'Invalid', {
      message: 'the server rejected our request due to an error in our request',
    });
    expect((await done(get(on, `${path}/a`))).data).toEqual({ k: '1' });
  }),
  claim('A JSON patch of a path that is not there is 422', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1' })));
    const each = (operation: object) => patch(on, `${path}/a`, [operation], JSON_PATCH);
    await refused(each({ op: 'remove', path: '/data/none' }), 422, 'Invalid');
    await refused(each({ op: 'add', path: '/none/deeper', value: '2' }), 422, 'Invalid');
  }),
  claim('A JSON patch that replaces a field that is not there adds it', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1' })));
    const operation = { op: 'replace', path: '/data/l', value: '2' };
    expect((await done(patch(on, `${path}/a`, [operation], JSON_PATCH))).data).toEqual({ k: '1', l: '2' });
  }),
  claim('A JSON patch that is no list is 400', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1' })));
    await refused(patch(on, `${path}/a`, { data: {} }, JSON_PATCH), 400, 'BadRequest');
  }),
  claim('A strategic merge patch merges conditions by their type', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const condition = (type: string, status: string) => ({ type, status });
    await done(
      patch(
        on,
        `${path}/a/status`,
        { status: { conditions: [condition('Ready', 'False'), condition('A', 'True')] } },
        STRATEGIC,
      ),
    );
    const { status } = await done(
      patch(on, `${path}/a/status`, { status: { conditions: [condition('Ready', 'True')] } }, STRATEGIC),
    );
    const sorted = conditionsOf(status).toSorted((one, other) => one.type.localeCompare(other.type));
    expect(sorted).toMatchObject([condition('A', 'True'), condition('Ready', 'True')]);
  }),
  claim('A strategic merge patch deletes the item that it marks', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const conditions = ['A', 'B'].map((type) => ({ type, status: 'True' }));
    await done(patch(on, `${path}/a/status`, { status: { conditions } }, STRATEGIC));
    const gone = { status: { conditions: [{ type: 'A', $patch: 'delete' }] } };
    const { status } = await done(patch(on, `${path}/a/status`, gone, STRATEGIC));
    expect(conditionsOf(status).map(({ type }) => type)).toEqual(['B']);
  }),
  claim('A strategic merge patch replaces taints whole: they have no key to be merged by', async (on) => {
    await done(post(on, NODES, node(on.name, { taints: [taint('a.dev/a'), taint('a.dev/b')] })));
    const { spec } = await done(patch(on, `${NODES}/${on.name}`, { spec: { taints: [taint('a.dev/c')] } }, STRATEGIC));
    expect(taintsOf(spec)).toEqual(['a.dev/c']);
  }),
  claim('A strategic merge patch joins finalizers, and takes away those it names so', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, { finalizers: ['a.dev/a'] })));
    const joined = await done(patch(on, `${path}/a`, { metadata: { finalizers: ['a.dev/b'] } }, STRATEGIC));
    expect([...(joined.metadata.finalizers ?? [])].sort()).toEqual(['a.dev/a', 'a.dev/b']);
    const away = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a.dev/a', 'a.dev/b'] } };
    expect((await done(patch(on, `${path}/a`, away, STRATEGIC))).metadata).not.toHaveProperty('finalizers');
  }),
  claim('A strategic merge patch removes what it says is null', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1', l: '1' })));
    expect((await done(patch(on, `${path}/a`, { data: { k: null } }, STRATEGIC))).data).toEqual({ l: '1' });
  }),
  claim('An apply makes what is not there, with 201, and changes what is, with 200', async (on) => {
    const path = `${configMaps(await on.namespace())}/a?fieldManager=one`;
    expect(await patch(on, path, configMap('a', { k: '1' }), APPLY)).toMatchObject({
      status: 201,
      body: { data: { k: '1' } },
    });
    expect(await patch(on, path, configMap('a', { k: '2' }), APPLY)).toMatchObject({
      status: 200,
      body: { data: { k: '2' } },
    });
  }),
  claim('An apply that changes nothing keeps the revision', async (on) => {
    const path = `${configMaps(await on.namespace())}/a?fieldManager=one`;
    const { metadata } = await done(patch(on, path, configMap('a', { k: '1' }), APPLY));
    const again = await done(patch(on, path, configMap('a', { k: '1' }), APPLY));
    expect(again.metadata.resourceVersion).toBe(metadata.resourceVersion);
  }),
  claim('An apply without a fieldManager is 422', async (on) => {
    const path = `${configMaps(await on.namespace())}/a`;
    await refused(patch(on, path, configMap('a', { k: '1' }), APPLY), 422, 'Invalid');
  }),
  claim('An apply leaves alone what others own and it does not name', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', { k: '1' })));
    const { data } = await done(patch(on, `${path}/a?fieldManager=one`, configMap('a', { l: '2' }), APPLY));
    expect(data).toEqual({ k: '1', l: '2' });
  }),
  claim('An apply with force changes what another manager applied', async (on) => {
    const path = `${configMaps(await on.namespace())}/a`;
    await done(patch(on, `${path}?fieldManager=one`, configMap('a', { k: '1' }), APPLY));
    const { data } = await done(patch(on, `${path}?fieldManager=two&force=true`, configMap('a', { k: '2' }), APPLY));
    expect(data).toEqual({ k: '2' });
  }),
  claim(
    'An apply against what another manager applied is 409 Conflict, unless both want the same',
    async (on) => {
      const path = `${configMaps(await on.namespace())}/a`;
      await done(patch(on, `${path}?fieldManager=one`, configMap('a', { k: '1' }), APPLY));
      await done(patch(on, `${path}?fieldManager=two`, configMap('a', { k: '1' }), APPLY));
      const body = await refused(
        patch(on, `${path}?fieldManager=three`, configMap('a', { k: '2' }), APPLY),
        409,
        'Conflict',
      );
      expect(body.message).toMatch(/^Apply failed with 2 conflicts/);
      expect(causes(body)).toMatchObject([
        { reason: 'FieldManagerConflict', field: '.data.k' },
        { reason: 'FieldManagerConflict', field: '.data.k' },
      ]);
    },
    'field managers',
  ),
  claim(
    'An apply takes away what the same manager applied before and does not name any more',
    async (on) => {
      const path = `${configMaps(await on.namespace())}/a?fieldManager=one`;
      await done(patch(on, path, configMap('a', { k: '1', l: '1' }), APPLY));
      expect((await done(patch(on, path, configMap('a', { k: '1' }), APPLY))).data).toEqual({ k: '1' });
    },
    'field managers',
  ),
];
