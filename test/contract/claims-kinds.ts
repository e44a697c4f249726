import { expect } from 'vitest';
import { type Claim, claim } from './asker.ts';
import { causes, done, drop, get, jobs, NODES, patch, pod, pods, post, refused, STRATEGIC } from './words.ts';

const binding = (name: string, node: string) => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata: { name },
  target: { apiVersion: 'v1', kind: 'Node', name: node },
});

const job = (name: string, spec: object = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    suspend: true,
    template: {
      metadata: { labels: { own: 'label' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'main' }] },
    },
    ...spec,
  },
});

const node = (name: string, spec: object = {}) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec });

/** What holds of single kinds: bindings, nodes, Jobs. */
export const KINDS_OF_KUBERNETES: readonly Claim[] = [
  claim('A binding gives a pod its node, with 201 and a Status', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const { status, body } = await post(on, `${path}/a/binding`, binding('a', `${on.name}-1`));
    expect(status).toBe(201);
    expect(body).toMatchObject({ kind: 'Status', status: 'Success', code: 201 });
    const after = await done(get(on, `${path}/a`));
    expect(after.spec).toMatchObject({ nodeName: `${on.name}-1` });
    expect(after.status).toMatchObject({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] });
    expect(after.metadata.generation).toBe(1);
  }),
  claim('A second binding of a pod is 409 Conflict', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a', { nodeName: `${on.name}-1` })));
    await refused(post(on, `${path}/a/binding`, binding('a', `${on.name}-2`)), 409, 'Conflict', {
      message: `Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "${on.name}-1"`,
    });
    expect((await done(get(on, `${path}/a`))).spec).toMatchObject({ nodeName: `${on.name}-1` });
  }),
  claim('A binding of a pod that is not there is 404', async (on) => {
    await refused(post(on, `${pods(await on.namespace())}/none/binding`, binding('none', 'n')), 404, 'NotFound');
  }),
  claim('A binding of a pod that is leaving is 409 Conflict', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a', {}, { finalizers: ['a.dev/a'] })));
    await done(drop(on, `${path}/a`));
    await refused(post(on, `${path}/a/binding`, binding('a', `${on.name}-2`)), 409, 'Conflict');
    await done(patch(on, `${path}/a`, { metadata: { finalizers: null } }));
  }),
  claim('A new node is not ready: it has the taint that says so', async (on) => {
    const { spec } = await done(post(on, NODES, node(on.name)));
    expect(spec).toEqual({ taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] });
  }),
  claim('A cordon is a merge patch with the revision that was read, and 409 if the node changed since', async (on) => {
    const { resourceVersion } = (await done(post(on, NODES, node(on.name)))).metadata;
    const cordon = { metadata: { resourceVersion }, spec: { unschedulable: true } };
    expect((await done(patch(on, `${NODES}/${on.name}`, cordon))).spec).toMatchObject({ unschedulable: true });
    await refused(patch(on, `${NODES}/${on.name}`, cordon), 409, 'Conflict', {
      message: `Operation cannot be fulfilled on nodes "${on.name}": the object has been modified; please apply your changes to the latest version and try again`,
    });
  }),
  claim('An uncordon leaves no trace in the spec of a node', async (on) => {
    await done(post(on, NODES, node(on.name, { unschedulable: true })));
    for (const value of [false, null]) {
      const { spec } = await done(patch(on, `${NODES}/${on.name}`, { spec: { unschedulable: value } }));
      expect(spec).not.toHaveProperty('unschedulable');
    }
  }),
  claim('Taints are written and read back in their order', async (on) => {
    await done(post(on, NODES, node(on.name)));
    const taints = [
      { key: 'drydock.dev/maintenance', value: 'a', effect: 'NoSchedule' },
      { key: 'a.dev/b', effect: 'NoExecute' },
    ];
    const { spec } = await done(patch(on, `${NODES}/${on.name}`, { spec: { taints } }));
    expect((spec as { readonly taints: readonly object[] }).taints).toMatchObject(taints);
  }),
  claim('Two taints of one key and effect are 422', async (on) => {
    await done(post(on, NODES, node(on.name)));
    const taints = ['a', 'b'].map((value) => ({ key: 'a.dev/a', value, effect: 'NoSchedule' }));
    const body = await refused(patch(on, `${NODES}/${on.name}`, { spec: { taints } }), 422, 'Invalid');
    expect(causes(body)[0]).toMatchObject({ reason: 'FieldValueDuplicate' });
  }),
  claim('The status of a node is written by its own path, its spec is not', async (on) => {
    await done(post(on, NODES, node(on.name)));
    const change = { spec: { unschedulable: true }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const written = await done(patch(on, `${NODES}/${on.name}/status`, change, STRATEGIC));
    expect(written.status).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }] });
    expect(written.spec).not.toHaveProperty('unschedulable');
    const kept = await done(patch(on, `${NODES}/${on.name}`, { status: { conditions: [] } }));
    expect(kept.status).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }] });
  }),
  claim('A provider ID, once there, stays', async (on) => {
    await done(post(on, NODES, node(on.name, { providerID: 'one://a' })));
    await refused(patch(on, `${NODES}/${on.name}`, { spec: { providerID: 'one://b' } }), 422, 'Invalid');
  }),
  claim('A new Job gets a selector and its pods labels that are its own', async (on) => {
    const { metadata, spec } = await done(post(on, jobs(await on.namespace()), job('a')));
    expect(spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      suspend: true,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid } },
      template: {
        metadata: {
          labels: {
            own: 'label',
            'batch.kubernetes.io/controller-uid': metadata.uid,
            'batch.kubernetes.io/job-name': 'a',
            'controller-uid': metadata.uid,
            'job-name': 'a',
          },
        },
      },
    });
  }),
  claim('A Job is not suspended unless it says so', async (on) => {
    const { spec } = await done(post(on, `${jobs(await on.namespace())}?dryRun=All`, job('a', { suspend: undefined })));
    expect(spec).toMatchObject({ suspend: false });
  }),
  claim('A suspended Job is let go by a patch, which is a generation', async (on) => {
    const path = jobs(await on.namespace());
    await done(post(on, path, job('a')));
    const { spec, metadata } = await done(patch(on, `${path}/a`, { spec: { suspend: false } }));
    expect(spec).toMatchObject({ suspend: false });
    expect(metadata.generation).toBe(2);
  }),
  claim('The template of a Job cannot be changed', async (on) => {
    const path = jobs(await on.namespace());
    await done(post(on, path, job('a', { suspend: false })));
    const template = { spec: { containers: [{ name: 'main', image: 'other' }] } };
    const body = await refused(patch(on, `${path}/a`, { spec: { template } }), 422, 'Invalid');
    expect(causes(body)).toMatchObject([{ reason: 'FieldValueInvalid', field: 'spec.template' }]);
    expect(body.message).toContain('field is immutable');
  }),
  claim('The completions and the selector of a Job cannot be changed, its parallelism can', async (on) => {
    const path = jobs(await on.namespace());
    await done(post(on, path, job('a')));
    await refused(patch(on, `${path}/a`, { spec: { completions: 2 } }), 422, 'Invalid');
    await refused(patch(on, `${path}/a`, { spec: { selector: { matchLabels: { a: 'b' } } } }), 422, 'Invalid');
    expect((await done(patch(on, `${path}/a`, { spec: { parallelism: 0 } }))).spec).toMatchObject({ parallelism: 0 });
  }),
  claim('A Job whose pods would start again for ever is 422', async (on) => {
    const template = { spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'main' }] } };
    const body = await refused(post(on, jobs(await on.namespace()), job('a', { template })), 422, 'Invalid');
    expect(causes(body)[0]?.field).toBe('spec.template.spec.restartPolicy');
  }),
  claim('A Job that is deleted orphans nothing unless it is told to', async (on) => {
    const path = jobs(await on.namespace());
    await done(post(on, path, job('a')));
    const body = await done(drop(on, `${path}/a`, { propagationPolicy: 'Background' }));
    expect(body).toMatchObject({ kind: 'Status', status: 'Success' });
    await refused(get(on, `${path}/a`), 404, 'NotFound');
  }),
];
