import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { controlPlaneForTests, hasControlPlane } from '../control-plane/ladder.ts';
import { until } from '../control-plane/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OPERATOR = '--as=system:serviceaccount:drydock-system:drydock';
const DIGEST = `sha256:${'0'.repeat(64)}`;
const IMAGE = `ghcr.io/drydock-dev/drydock-node@${DIGEST}`;

let plane: ControlPlane;

async function kubectl(args: readonly string[], input?: unknown): Promise<string> {
  const said = await plane.kubectl(args, input === undefined ? {} : { input: JSON.stringify(input) });
  return said.code === 0 ? 'accepted' : said.stderr;
}

type Pod = Readonly<Record<string, unknown>>;

/** The Job of a stolen token: what Drydock would make, but for what is said here. */
function job({ image = IMAGE, ...pod }: Pod & { readonly image?: string }, metadata: Pod = {}) {
  const containers = [{ name: 'drydock', image, command: ['true'] }];
  const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, containers, ...pod };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'worker-7', namespace: 'drydock-jobs', ...metadata },
    spec: { suspend: true, template: { spec } },
  };
}

/** What the API server says to the operator's own service account, without keeping anything. */
function create(object: unknown, as = OPERATOR): Promise<string> {
  return kubectl(['create', '--dry-run=server', '-f', '-', ...(as === '' ? [] : [as])], object);
}

describe.skipIf(!(await hasControlPlane()))('what deploy/ ships, on a real API server', () => {
  beforeAll(async () => {
    plane = await controlPlaneForTests();
    expect(await kubectl(['apply', '-k', `${ROOT}deploy`])).toBe('accepted');
    expect(await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s'])).toBe('accepted');
    expect(await kubectl(['apply', '-f', `${ROOT}deploy/examples`])).toBe('accepted');
    const isGuarded = async () => (await create(job({ image: 'busybox' }))).includes('Drydock may not run busybox');
    await until(isGuarded, { what: 'the admission policy is at work', seconds: 60 });
  });

  afterAll(async () => {
    await plane?.stop();
  });

  test.each([IMAGE, `ghcr.io/drydock-dev/drydock-node:0.1.0@${DIGEST}`])('the operator may run %s', async (image) => {
    expect(await create(job({ image }))).toBe('accepted');
  });

  test.each([
    `ghcr.io/drydock-dev/drydock-node-evil@${DIGEST}`,
    `ghcr.io/drydock-dev/drydock-node/evil@${DIGEST}`,
    `ghcr.io/drydock-dev/drydock-node:5000/evil@${DIGEST}`,
    `evil.example/ghcr.io/drydock-dev/drydock-node@${DIGEST}`,
    `GHCR.io/drydock-dev/drydock-node@${DIGEST}`,
    `drydock-node@${DIGEST}`,
    'ghcr.io/drydock-dev/drydock-node',
    'ghcr.io/drydock-dev/drydock-node:0.1.0',
    'ghcr.io/drydock-dev/drydock-node@sha256:00',
    `ghcr.io/drydock-dev/drydock-node:@${DIGEST}`,
    `evil@ghcr.io/drydock-dev/drydock-node@${DIGEST}`,
  ])('the operator may not run %s', async (image) => {
    expect(await create(job({ image }))).toContain(`Drydock may not run ${image}`);
  });

  test('the operator may not run it beside what it may, or before it', async () => {
    const evil = [{ name: 'evil', image: `evil@${DIGEST}` }];
    const good = [{ name: 'drydock', image: IMAGE }];
    expect(await create(job({ containers: [...good, ...evil] }))).toContain('may not run evil@');
    expect(await create(job({ initContainers: evil }))).toContain('may not run evil@');
    expect(await create(job({ initContainers: [{ ...good[0], name: 'first' }] }))).toBe('accepted');
  });

  test.each<[Pod, string]>([
    [{ serviceAccountName: 'drydock' }, 'no service account but default'],
    [{ automountServiceAccountToken: true }, 'no service-account token'],
    [{ automountServiceAccountToken: undefined }, 'no service-account token'],
    [
      { volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }] },
      'no volume projected',
    ],
  ])('the operator may not give a Job %j', async (pod, complaint) => {
    expect(await create(job(pod))).toContain(complaint);
  });

  test('a person may run what a person may: the policy is about the operator alone', async () => {
    expect(await create(job({ image: 'busybox' }), '')).toBe('accepted');
  });

  test('the operator may not add images to the list that guards it, nor change any other spec', async () => {
    const change = (kind: string, name: string, spec: unknown) =>
      kubectl(['patch', kind, name, '--type=merge', OPERATOR, '-p', JSON.stringify({ spec })]);
    const refused = 'Drydock writes finalizers and status, never a spec';
    expect(await change('maintenancepolicy', 'cluster', { images: ['evil'] })).toContain(refused);
    expect(await change('clusterupgrade', 'to-1-36', { mode: 'Run' })).toContain(refused);
    const metadata = { finalizers: ['drydock.dev/ledger'] };
    const keep = ['patch', 'maintenancepolicy', 'cluster', '--type=merge', OPERATOR, '-p'];
    expect(await kubectl([...keep, JSON.stringify({ metadata })])).toBe('accepted');
    expect(await kubectl([...keep, JSON.stringify({ metadata: { finalizers: [] } })])).toBe('accepted');
  });

  test('without the policy nothing runs, and the one that the operator makes allows nothing', async () => {
    const policy = (spec: unknown) => ({
      apiVersion: 'drydock.dev/v1alpha1',
      kind: 'MaintenancePolicy',
      metadata: { name: 'cluster' },
      spec,
    });
    expect(await kubectl(['delete', 'maintenancepolicy', 'cluster'])).toBe('accepted');
    const isNoticed = async () => (await create(job({}))) !== 'accepted';
    await until(isNoticed, { what: 'the absence of the policy is noticed', seconds: 30 });
    expect(await create(policy({ images: ['evil'] }))).toContain('allows no image');
    expect(await kubectl(['create', '-f', '-', OPERATOR], policy({}))).toBe('accepted');
    const saysNone = async () => (await create(job({}))).includes('which has none');
    await until(saysNone, { what: 'the new policy is noticed', seconds: 30 });
    expect(await kubectl(['apply', '-f', `${ROOT}deploy/examples/policy.yaml`])).toBe('accepted');
    await until(async () => (await create(job({}))) === 'accepted', { what: 'the images are noticed', seconds: 30 });
  });

  test('the pods of the operator satisfy the restricted standard of their namespace', async () => {
    const pods = () => plane.admin.list('/api/v1/namespaces/drydock-system/pods');
    await until(async () => (await pods()).length === 2, { what: 'both pods are admitted', seconds: 60 });
    const { spec } = parse(readFileSync(`${ROOT}deploy/operator/deployment.yaml`, 'utf8').split('---\n')[1] ?? '');
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', namespace: 'drydock-system' } };
    const { securityContext: _, ...bare } = spec.template.spec;
    expect(await create({ ...pod, spec: bare }, '')).toContain('violates PodSecurity "restricted');
  });

  test('removing the operator leaves definitions, objects, and the namespace of the Jobs', async () => {
    const removed = await kubectl(['delete', '-k', `${ROOT}deploy/operator`, '--wait=false']);
    expect(removed).toBe('accepted');
    for (const what of [
      ['get', 'crd', 'clusterupgrades.drydock.dev'],
      ['get', 'clusterupgrade', 'to-1-36'],
      ['get', 'validatingadmissionpolicy', 'drydock-jobs'],
    ]) {
      expect(await kubectl(what)).toBe('accepted');
    }
    const jobs = await plane.admin.get<{ status: { phase: string } }>('/api/v1/namespaces/drydock-jobs');
    expect(jobs.status.phase).toBe('Active');
  });
});
