import { describe, expect, test } from 'vitest';
import type { Plan, Work } from '../../src/api/node-maintenance.ts';
import type { Manifest } from '../../src/core/effect.ts';
import { prepareJob, upgradeJob } from '../../src/core/job.ts';
import { PASSAGE } from '../support/build.ts';
import { plan } from '../support/build-own.ts';

const PASSAGE_OF = {
  name: PASSAGE,
  uid: 'uid-passage',
  spec: { nodeName: 'ip-10-0-0-1.internal', upgradeName: 'to-1-36' },
};
type Shape = {
  metadata: Manifest & { labels: Manifest };
  spec: Manifest & {
    template: {
      metadata: Manifest;
      spec: Manifest & { containers: readonly (Manifest & { env: readonly { name: string; value?: string }[] })[] };
    };
  };
};
const made = (of: Plan = plan(), attempt = 1): Shape =>
  upgradeJob(of, workOf(of), PASSAGE_OF, 'drydock-jobs', attempt) as Shape;
const prepared = (of: Plan = plan()): Shape => prepareJob(of, workOf(of), PASSAGE_OF, 'drydock-jobs') as Shape;
const containerOf = ({ spec }: Shape) => {
  const [container] = spec.template.spec.containers;
  if (container === undefined) throw new Error('no container');
  return container;
};
const envOf = (of: Shape) => Object.fromEntries(containerOf(of).env.map(({ name, value }) => [name, value]));
const COMMANDS = { firstControlPlane: ['apply'], controlPlane: ['node', 'cp'], worker: ['node'], check: [] };

describe('the upgrade Job', () => {
  test('[rule 55] is made suspended: it is recorded before it may run', () => {
    expect(made().spec).toMatchObject({ suspend: true, parallelism: 1, completions: 1 });
  });

  test('has no owner: a foreground deletion would end a running upgrade before any finalizer is asked', () => {
    expect(made().metadata).not.toHaveProperty('ownerReferences');
  });

  test('[rule 56] has no TTL: a result that vanishes before it is recorded is lost', () => {
    expect(made().spec).not.toHaveProperty('ttlSecondsAfterFinished');
  });

  test('[rule 54] is tried once, and no second pod begins while the first is ending', () => {
    expect(made().spec).toMatchObject({ backoffLimit: 0, podReplacementPolicy: 'Failed', activeDeadlineSeconds: 1800 });
    expect(made().spec.template.spec).toMatchObject({ restartPolicy: 'Never' });
  });

  test('[rule 52] tolerates everything, without a limit of time', () => {
    expect(made().spec.template.spec['tolerations']).toEqual([{ operator: 'Exists' }]);
  });

  test('[rules 49, 53] is pinned by the name of the node, not by a hostname nor past the scheduler', () => {
    const { affinity, nodeName } = made().spec.template.spec;
    expect(nodeName).toBeUndefined();
    expect(affinity).toEqual({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['ip-10-0-0-1.internal'] }] },
          ],
        },
      },
    });
  });

  test('has no rights of its own', () => {
    expect(made().spec.template.spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(made().spec.template.spec).not.toHaveProperty('serviceAccountName');
  });

  test('[rule 59] the kubelet gives the last of its log itself', () => {
    expect(containerOf(made())).toMatchObject({ name: 'drydock', terminationMessagePolicy: 'FallbackToLogsOnError' });
  });

  test('is found again by its labels, and so are its pods', () => {
    const labels = {
      'app.kubernetes.io/managed-by': 'drydock',
      'drydock.dev/passage': 'uid-passage',
      'drydock.dev/job': 'upgrade',
      'drydock.dev/node-uid': 'uid-worker-1',
      'drydock.dev/upgrade': 'to-1-36',
    };
    expect(made().metadata).toMatchObject({ name: `${PASSAGE}-1`, namespace: 'drydock-jobs', labels });
    expect(made().spec.template.metadata).toEqual({ labels });
  });

  test('each attempt is another', () => {
    expect(made(plan(), 2).metadata['name']).toBe(`${PASSAGE}-2`);
    expect(envOf(made(plan(), 2))).toMatchObject({ DRYDOCK_ATTEMPT: '2' });
  });

  test.each<[Plan['role'], Partial<Work['commands']>, readonly string[]]>([
    ['worker', COMMANDS, ['node']],
    ['controlPlane', COMMANDS, ['node', 'cp']],
    ['firstControlPlane', COMMANDS, ['apply']],
    ['firstControlPlane', { worker: ['node'], check: [] }, ['node']],
    ['controlPlane', { worker: ['node'], check: [] }, ['node']],
  ])('[rule 67] a %s of %j runs %j', (role, commands, expected) => {
    const of = plan({ role }, { commands: commands as Work['commands'] });
    expect(containerOf(made(of))['command']).toEqual(expected);
    expect(envOf(made(of))).toMatchObject({ DRYDOCK_ROLE: role });
  });

  test('is told what it is for', () => {
    expect(envOf(made())).toEqual({
      DRYDOCK_NODE: 'ip-10-0-0-1.internal',
      DRYDOCK_ROLE: 'worker',
      DRYDOCK_TARGET_VERSION: 'v1.36.4',
      DRYDOCK_CURRENT_VERSION: 'v1.35.7',
      DRYDOCK_REVISION: '',
      DRYDOCK_ATTEMPT: '1',
    });
    const { version: _, ...os } = plan({ target: '2026-11-os' });
    expect(envOf(made(os))).toMatchObject({ DRYDOCK_TARGET_VERSION: '', DRYDOCK_REVISION: '2026-11-os' });
  });

  test('caught: of an age it is told when this pass began, not a sentence', () => {
    const { version: _, ...base } = plan({ target: 'every 30 days' });
    const aged = {
      ...base,
      memory: { label: 'drydock.node-restriction.kubernetes.io/certs', value: '20261121T040000Z' },
    };
    expect(envOf(made(aged))).toMatchObject({ DRYDOCK_TARGET_VERSION: '', DRYDOCK_REVISION: '20261121T040000Z' });
  });

  test('variables of the profile come behind its own', () => {
    const env = [
      { name: 'HTTP_PROXY', value: 'http://proxy' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    ];
    expect(containerOf(made(plan({}, { env }))).env.slice(-2)).toEqual(env);
  });

  test('image, privileges, volumes and resources are those of the profile, and nothing is there that it does not name', () => {
    const { volumes: _, ...bare } = made().spec.template.spec;
    expect(_).toBeUndefined();
    expect(bare).not.toHaveProperty('imagePullSecrets');
    expect(containerOf(made())).not.toHaveProperty('volumeMounts');
    const of = plan(
      {},
      {
        hostPID: true,
        imagePullSecrets: [{ name: 'pull' }],
        volumes: [{ name: 'root', hostPath: { path: '/' } }],
        volumeMounts: [{ name: 'root', mountPath: '/host' }],
        securityContext: { privileged: true },
        resources: { requests: { cpu: '100m' } },
      },
    );
    expect(made(of).spec.template.spec).toMatchObject({
      hostPID: true,
      hostNetwork: false,
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [{ name: 'root' }],
    });
    expect(containerOf(made(of))).toMatchObject({
      volumeMounts: [{ mountPath: '/host' }],
      securityContext: { privileged: true },
      resources: { requests: { cpu: '100m' } },
    });
  });
});

describe('[rule 58] the prepare Job', () => {
  test('runs at once, in the same place, with the same image and volumes', () => {
    expect(prepared().spec).toMatchObject({ suspend: false, backoffLimit: 0 });
    expect(prepared().spec.template.spec['affinity']).toEqual(made().spec.template.spec['affinity']);
    expect(containerOf(prepared())['image']).toBe(containerOf(made())['image']);
    expect(prepared().metadata).toMatchObject({ name: `${PASSAGE}-prepare`, labels: { 'drydock.dev/job': 'prepare' } });
  });

  test('runs the check, or nothing but the image', () => {
    expect(containerOf(prepared())['command']).toEqual(['true']);
    expect(containerOf(prepared(plan({}, { commands: { ...COMMANDS, check: ['/check'] } })))['command']).toEqual([
      '/check',
    ]);
  });

  test('caught: asks for nothing, so that it fits on a node that is still full', () => {
    const of = plan({}, { resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } } });
    const asksNothing = { requests: { cpu: '0', memory: '0' }, limits: { memory: '1Gi' } };
    expect(containerOf(prepared(of))['resources']).toEqual(asksNothing);
    expect(containerOf(made({ ...of, drain: { ...of.drain, mode: 'Cordon' } }))['resources']).toEqual(asksNothing);
    expect(containerOf(prepared(plan({}, { resources: {} })))['resources']).toEqual({});
    expect(containerOf(made(of))['resources']).toEqual({ requests: { cpu: '100m' }, limits: { memory: '1Gi' } });
  });

  test('ends by itself a while after nobody waits for it any more', () => {
    expect(prepared().spec).toMatchObject({ activeDeadlineSeconds: 660 });
  });
});

function workOf({ work }: Plan): Work {
  if (work === undefined) throw new Error('no work');
  return work;
}
