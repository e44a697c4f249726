import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INVALID, type Invalid, KUBEADM, VALID } from '../api/invalid-objects.ts';
import { objectOf, type Written } from '../api/objects.ts';
import { hasControlPlane } from '../control-plane/ladder.ts';
import { createNodes, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { type Ground, type Operator, startGround, startOperator } from './ground.ts';
import { OURS, printed, resourceOf } from './written.ts';

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };
type Seen = {
  readonly metadata: { readonly generation: number };
  /** Absent where Drydock has not looked yet and the kind has no default. */
  readonly status?: {
    readonly observedGeneration?: number;
    readonly phase?: string;
    readonly open?: boolean;
    readonly state?: { readonly phase: string };
    readonly conditions: readonly Condition[];
  };
};
type Named = Written & { readonly name: string };

let ground: Ground;
let operator: Operator;

const pathOf = ({ kind, name }: Named) => `${OURS}/${resourceOf(kind)}/${name}`;
const create = (written: Named) =>
  ground.plane.admin.create(`${OURS}/${resourceOf(written.kind)}`, objectOf(written, ''));
const read = (written: Named) => ground.plane.admin.get<Seen>(pathOf(written));
const condition = ({ status }: Seen, type: string) => status?.conditions.find((each) => each.type === type);

/** The object once Drydock has looked at what it says now. */
function lookedAt(written: Named, is: (seen: Seen) => boolean = () => true): Promise<Seen> {
  const looked = async () => {
    const seen = await read(written);
    // A passage that is Pending is looked at again and again: what counts is what it says of itself.
    return condition(seen, 'Ready')?.reason !== 'Pending' && is(seen) ? seen : undefined;
  };
  return until(looked, { what: `${written.kind} ${written.name} was looked at` });
}

describe.skipIf(!(await hasControlPlane()))('what only the cluster or a calendar can tell', () => {
  beforeAll(async () => {
    ground = await startGround();
    await createNodes(ground.plane, [
      { name: 'new-1', labels: { pool: 'new' } },
      { name: 'old-1', labels: { pool: 'old' }, kubeletVersion: 'v1.33.0' },
    ]);
    await create(KUBEADM);
    for (const { with: others = [], written } of INVALID) for (const each of [...others, written]) await create(each);
    operator = await startOperator(ground.plane);
    await operator.ready();
  });

  afterAll(async () => {
    await operator?.end();
    await ground?.stop();
  });

  test.each(INVALID.map((invalid) => [invalid.what, invalid] as const))('%s', async (_, invalid: Invalid) => {
    const stalled = (seen: Seen) => condition(seen, 'Stalled')?.status === 'True';
    const seen = await lookedAt(invalid.written, stalled);
    expect(condition(seen, 'Stalled')).toMatchObject({
      reason: invalid.reason,
      message: expect.stringMatching(invalid.says),
    });
    expect(condition(seen, 'Ready')).toMatchObject({ status: 'False', reason: invalid.reason });
    expect(condition(seen, 'Reconciling')?.status ?? 'False').toBe('False');
    expect(seen.status?.observedGeneration).toBe(seen.metadata.generation);
    switch (invalid.written.kind) {
      case 'ClusterUpgrade':
        expect(seen.status?.phase).toBe('Invalid');
        break;
      case 'MaintenanceWindow':
        expect(seen.status?.open).toBe(false);
        break;
      default:
        expect(seen.status?.state).toMatchObject({ phase: 'Pending' });
    }
  });

  test('nothing was touched for any of them', async () => {
    for (const name of ['new-1', 'old-1'])
      expect((await readNode(ground.plane, name)).spec.unschedulable).toBe(undefined);
    const policy = await ground.plane.admin.get<{ status?: { tickets?: unknown } }>(
      `${OURS}/maintenancepolicies/cluster`,
    );
    expect(policy.status?.tickets ?? []).toEqual([]);
  });

  test('kubectl shows it in one line', async () => {
    expect(await printed(ground.plane, ['get', 'dcu', 'no-profile'])).toMatch(/^no-profile v1\.36\.4 Invalid /m);
    expect(await printed(ground.plane, ['get', 'dnm', 'no-node'])).toMatch(/ nobody Pending .*NodeNotFound /);
  });

  test('who corrects it is served: nothing is Invalid for ever', async () => {
    const wrong: Named = { ...VALID, name: 'corrected', spec: { ...(VALID.spec as object), profileName: 'typo' } };
    await create(wrong);
    await lookedAt(wrong, ({ status }) => status?.phase === 'Invalid');
    await ground.plane.admin.patch(pathOf(wrong), { spec: { profileName: 'kubeadm-apt', mode: 'Paused' } });
    const seen = await lookedAt(wrong, ({ status }) => status?.observedGeneration === 2 && status.phase !== 'Invalid');
    expect(condition(seen, 'Stalled')?.status).toBe('False');
    const late: Named = { kind: 'MaintenanceWindow', name: 'weeknights', spec: { timeZone: 'UTC', openings: [NIGHT] } };
    await create(late);
    const waiting: Named = { ...VALID, name: 'no-window' };
    await lookedAt(waiting, ({ status }) => status?.phase !== 'Invalid');
  });
});

const NIGHT = { from: '2020-01-01T00:00:00Z', until: '2020-01-02T00:00:00Z' };
