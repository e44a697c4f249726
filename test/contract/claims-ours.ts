import { expect } from 'vitest';
import { type Asker, type Claim, claim } from './asker.ts';
import {
  causes,
  done,
  get,
  held,
  JSON_PATCH,
  OURS,
  PASSAGES,
  patch,
  post,
  put,
  refused,
  WINDOWS,
  window,
} from './words.ts';

const SINCE = '2026-11-21T00:00:00Z';
const POLICIES = `${OURS}/maintenancepolicies`;
const PROFILES = `${OURS}/maintenanceprofiles`;
const IMAGE = `ghcr.io/example/drydock-node@sha256:${'0123456789abcdef'.repeat(4)}`;
const STEPS = 'status.state can only take the steps of the state diagram';

const policy = (name: string, spec?: object) => ({
  apiVersion: 'drydock.dev/v1alpha1',
  kind: 'MaintenancePolicy',
  metadata: { name },
  ...(spec === undefined ? {} : { spec }),
});
const profile = (name: string, spec: object = {}) => ({
  apiVersion: 'drydock.dev/v1alpha1',
  kind: 'MaintenanceProfile',
  metadata: { name },
  spec: { image: IMAGE, commands: { worker: ['/upgrade'] }, ...spec },
});

/** A hold, and the path of its status. */
async function passage(on: Asker): Promise<string> {
  await done(post(on, PASSAGES, held(on.name)));
  return `${PASSAGES}/${on.name}`;
}

const step = (on: Asker, path: string, state: unknown) => patch(on, `${path}/status`, { status: { state } });
const at = (phase: string, more: object = {}) => ({ phase, since: SINCE, ...more });

/** What holds of our own kinds, as the files of crds/ define them. */
export const OURS_CLAIMS: readonly Claim[] = [
  claim('What a window does not say is filled in', async (on) => {
    const { spec } = await done(post(on, WINDOWS, window(on.name)));
    expect(spec).toMatchObject({ timeZone: 'UTC', openings: [], onClose: 'TurnBack', paused: false });
  }),
  claim('What a profile does not say is filled in, also within what it says', async (on) => {
    const { spec } = await done(post(on, PROFILES, profile(on.name, { drain: { mode: 'Cordon' } })));
    expect(spec).toMatchObject({
      drain: { mode: 'Cordon', deadlineSeconds: 3600, loadBalancer: { exclude: false, waitSeconds: 10 } },
      attempts: 1,
      resources: { requests: { cpu: '100m', memory: '128Mi' } },
    });
  }),
  claim('A field that the schema does not know is not kept', async (on) => {
    const body = await done(post(on, WINDOWS, window(on.name, { dragons: 3 })));
    expect(body.spec).not.toHaveProperty('dragons');
    expect((await done(get(on, `${WINDOWS}/${on.name}`))).spec).not.toHaveProperty('dragons');
    const patched = await done(patch(on, `${WINDOWS}/${on.name}`, { spec: { dragons: 3 } }));
    expect(patched.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
  }),
  claim('With fieldValidation=Strict an unknown field is 400', async (on) => {
    const body = await refused(
      post(on, `${WINDOWS}?fieldValidation=Strict`, window(on.name, { dragons: 3 })),
      400,
      'BadRequest',
    );
    expect(body.message).toContain('strict decoding error: unknown field "spec.dragons"');
  }),
  claim('A value that an enum does not have is 422 FieldValueNotSupported', async (on) => {
    const body = await refused(post(on, WINDOWS, window(on.name, { onClose: 'Panic' })), 422, 'Invalid');
    expect(causes(body)[0]).toEqual({
      reason: 'FieldValueNotSupported',
      field: 'spec.onClose',
      message: 'Unsupported value: "Panic": supported values: "TurnBack", "Finish"',
    });
  }),
  claim('A value of another type is 422', async (on) => {
    const body = await refused(post(on, WINDOWS, window(on.name, { paused: 'yes' })), 422, 'Invalid');
    expect(causes(body)).toContainEqual(
      expect.objectContaining({ reason: 'FieldValueTypeInvalid', field: 'spec.paused' }),
    );
  }),
  claim('A field that must be there is 422 FieldValueRequired', async (on) => {
    const body = await refused(post(on, WINDOWS, window(on.name, { timeZone: undefined })), 422, 'Invalid');
    expect(causes(body)).toContainEqual({
      reason: 'FieldValueRequired',
      field: 'spec.timeZone',
      message: 'Required value',
    });
  }),
  claim('A number out of bounds is 422', async (on) => {
    const body = await refused(post(on, PROFILES, profile(on.name, { attempts: 11 })), 422, 'Invalid');
    expect(causes(body)).toMatchObject([{ field: 'spec.attempts' }]);
  }),
  claim('A rule is told in its own words, of its own field', async (on) => {
    const body = await refused(post(on, WINDOWS, window(on.name, { freezes: [] })), 422, 'Invalid');
    expect(body.message).toBe(
      `MaintenanceWindow.drydock.dev "${on.name}" is invalid: spec: Invalid value: openings and freezes are both empty, so this window says nothing: add an opening, or a freeze for a window that is open at all other times`,
    );
    expect(causes(body)).toMatchObject([{ reason: 'FieldValueInvalid', field: 'spec' }]);
  }),
  claim('A rule of a field within a list is told of that field', async (on) => {
    const freezes = [{ name: 'f', from: 'tomorrow', until: '2027-01-04T00:00:00Z' }];
    const body = await refused(post(on, WINDOWS, window(on.name, { freezes })), 422, 'Invalid');
    expect(causes(body).map(({ field }) => field)).toContain('spec.freezes[0].from');
  }),
  claim('A rule holds for changes as for what is new', async (on) => {
    await done(post(on, WINDOWS, window(on.name)));
    await refused(patch(on, `${WINDOWS}/${on.name}`, { spec: { freezes: [] } }), 422, 'Invalid');
  }),
  claim('There is one MaintenancePolicy, and its name is cluster', async (on) => {
    const body = await refused(post(on, POLICIES, policy(on.name, {})), 422, 'Invalid');
    expect(body.message).toContain(
      'there is one MaintenancePolicy in a cluster and its name is "cluster": write metadata.name: cluster',
    );
    const made = await done(post(on, `${POLICIES}?dryRun=All`, policy('cluster')));
    expect(made.spec).toMatchObject({ maxUnavailable: '20%', paused: false });
  }),
  claim('A hold needs a reason', async (on) => {
    const body = await refused(post(on, PASSAGES, held(on.name, { reason: undefined })), 422, 'Invalid');
    expect(body.message).toContain('a hold needs a reason');
    expect(causes(body)).toMatchObject([{ field: 'spec' }]);
  }),
  claim('A new passage begins at Pending, whatever status it comes with', async (on) => {
    const body = await done(post(on, PASSAGES, { ...held(on.name), status: { state: at('Held') } }));
    expect(body.status).toMatchObject({ state: { phase: 'Pending' } });
  }),
  claim('The spec of a passage cannot be changed', async (on) => {
    const path = await passage(on);
    const body = await refused(patch(on, path, { spec: { reason: 'another' } }), 422, 'Invalid', {
      message: `NodeMaintenance.drydock.dev "${on.name}" is invalid: spec: Invalid value: the spec of a NodeMaintenance cannot be changed: delete it and write another`,
    });
    expect(causes(body)).toMatchObject([{ reason: 'FieldValueInvalid', field: 'spec' }]);
    await done(patch(on, path, { metadata: { annotations: { a: 'b' } } }));
  }),
  claim('A passage takes the steps of the state diagram', async (on) => {
    const path = await passage(on);
    for (const phase of ['Preparing', 'Cordoning', 'Draining']) {
      const { status } = await step(on, path, at(phase));
      expect({ phase, status }).toEqual({ phase, status: 200 });
    }
  }),
  claim('A passage takes no other steps', async (on) => {
    const path = await passage(on);
    const body = await refused(step(on, path, at('Draining')), 422, 'Invalid');
    expect(body.message).toContain(STEPS);
    expect((await done(get(on, path))).status).toMatchObject({ state: { phase: 'Pending' } });
  }),
  claim('A passage cannot be begun again by losing its state, or its status', async (on) => {
    const path = await passage(on);
    await done(step(on, path, at('Preparing')));
    for (const operation of [
      { op: 'remove', path: '/status/state' },
      { op: 'remove', path: '/status' },
    ]) {
      const { status } = await patch(on, `${path}/status`, [operation], JSON_PATCH);
      expect(status).toBe(422);
    }
    const whole = await done(get(on, path));
    const { status: _, ...without } = whole;
    const { status } = await put(on, `${path}/status`, without);
    expect(status).toBe(422);
    expect((await done(get(on, path))).status).toMatchObject({ state: { phase: 'Preparing' } });
  }),
  claim('A status of ours is refused for the schema of its state too', async (on) => {
    const path = await passage(on);
    const body = await refused(step(on, path, at('Sleeping')), 422, 'Invalid');
    expect(causes(body).some(({ field }) => field?.startsWith('status.state'))).toBe(true);
  }),
  claim('Numbers of pods that are not said are filled in within a status', async (on) => {
    const path = await passage(on);
    const body = await done(patch(on, `${path}/status`, { status: { pods: { remaining: 3 } } }));
    expect(body.status).toMatchObject({ pods: { remaining: 3, terminating: 0, blocked: 0 } });
  }),
  claim('The name of a ClusterUpgrade becomes part of a label: at most 63 characters', async (on) => {
    const spec = {
      profileName: 'kubeadm-apt',
      target: { kubernetesVersion: 'v1.36.4' },
      nodes: { selector: {} },
      windowNames: [],
    };
    const upgrade = (name: string) => ({
      apiVersion: 'drydock.dev/v1alpha1',
      kind: 'ClusterUpgrade',
      metadata: { name },
      spec,
    });
    const path = `${OURS}/clusterupgrades?dryRun=All`;
    const name = `${on.name}-${'a'.repeat(62 - on.name.length)}`;
    await done(post(on, path, upgrade(name)));
    await refused(post(on, path, upgrade(`${name}a`)), 422, 'Invalid');
  }),
];
