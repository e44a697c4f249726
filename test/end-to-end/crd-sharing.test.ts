import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hold, IMAGE, objectOf, policy, profile, upgrade, type Written, window } from '../api/objects.ts';
import { PATCH } from '../control-plane/client.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { hasControlPlane } from '../control-plane/ladder.ts';
import { OURS, printed, resourceOf, sentence, served } from './written.ts';

let plane: ControlPlane;
const kubectl = (args: readonly string[]) => printed(plane, args);

describe.skipIf(!(await hasControlPlane()))('objects of ours in many hands', () => {
  beforeAll(async () => {
    plane = await served();
  });

  afterAll(async () => {
    await plane?.stop();
  });

  describe('two who apply one object', () => {
    type Seen = { readonly spec: Readonly<Record<string, unknown>> };
    const apply = async (manager: string, name: string, written: Written, force = false) => {
      const path = `${OURS}/${resourceOf(written.kind)}/${name}?fieldManager=${manager}&force=${force}`;
      const object = objectOf({ ...written, name }, '');
      const reply = await plane.admin.request('PATCH', path, object, PATCH.apply);
      return { said: sentence(reply), spec: (reply.body as Seen).spec };
    };
    const part = (kind: Written['kind'], spec: object): Written => ({ kind, spec });
    const freeze = (name: string) => ({ name, from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' });
    const night = { schedule: '0 22 * * *', durationMinutes: 60 };

    test('each own some of a set, and take away only what is theirs', async () => {
      await apply('git', 'set', upgrade({ windowNames: ['weeknights'] }));
      const both = await apply('person', 'set', part('ClusterUpgrade', { windowNames: ['weekends'] }));
      expect(both.spec).toMatchObject({ windowNames: ['weeknights', 'weekends'] });
      expect((await apply('git', 'set', upgrade({}))).spec).toMatchObject({ windowNames: ['weekends'] });
    });

    test('each own fields of one rollout; one who wants another value is told whose it is', async () => {
      await apply('git', 'rollout', upgrade({ rollout: { maxUnavailable: 2 } }));
      const raised = await apply('person', 'rollout', part('ClusterUpgrade', { rollout: { retry: 1 } }));
      expect(raised.spec).toMatchObject({ rollout: { maxUnavailable: 2, retry: 1, foreign: 'Count' } });
      const other = await apply('person', 'rollout', part('ClusterUpgrade', { rollout: { maxUnavailable: 3 } }));
      expect(other.said).toBe('Apply failed with 1 conflict: conflict with "git": .spec.rollout.maxUnavailable');
    });

    test('each own items of a map, by name or by path', async () => {
      await apply('git', 'map', window({ openings: [night], freezes: [freeze('a')] }));
      const frozen = await apply('person', 'map', part('MaintenanceWindow', { freezes: [freeze('b')] }));
      expect(frozen.spec).toMatchObject({ freezes: [{ name: 'a' }, { name: 'b' }] });
      const volumes = [{ name: 'host', hostPath: { path: '/' } }];
      const mounts = (...paths: string[]) => paths.map((mountPath) => ({ name: 'host', mountPath }));
      await apply('git', 'map', profile({ volumes, volumeMounts: mounts('/a'), env: [{ name: 'A', value: '1' }] }));
      const more = { volumeMounts: mounts('/b'), env: [{ name: 'B', value: '2' }] };
      const mounted = await apply('person', 'map', part('MaintenanceProfile', more));
      expect(mounted.spec).toMatchObject({ volumeMounts: mounts('/a', '/b'), env: [{ name: 'A' }, { name: 'B' }] });
    });

    test('share no opening and no command: the list is one value, and belongs to one', async () => {
      await apply('git', 'atomic', window({ openings: [night] }));
      await apply('git', 'atomic', profile({}));
      const other = part('MaintenanceWindow', { openings: [{ ...night, durationMinutes: 120 }] });
      expect((await apply('person', 'atomic', other)).said).toContain('conflict with "git": .spec.openings');
      expect((await apply('person', 'atomic', other, true)).spec).toMatchObject({
        openings: [{ durationMinutes: 120 }],
      });
      const command = part('MaintenanceProfile', { commands: { worker: ['/other'] } });
      expect((await apply('person', 'atomic', command)).said).toContain('conflict with "git": .spec.commands.worker');
    });
  });

  describe('the columns of kubectl get', () => {
    const shown = async (written: Written, status: object) => {
      const path = `${OURS}/${resourceOf(written.kind)}`;
      const { metadata } = await plane.admin.create(path, objectOf({ ...written, name: 'column' }, ''));
      const fresh = await kubectl(['get', written.kind, 'column']);
      const body = { ...objectOf({ ...written, name: 'column' }, ''), metadata, status };
      await plane.admin.request('PUT', `${path}/column/status`, body);
      const [header, row] = (await kubectl(['get', written.kind, 'column'])).split('\n');
      return [header, fresh.split('\n')[1], row].map((line) => line?.replaceAll(/\b\d+[smh]\d*s?\b/g, 'AGE'));
    };
    const ready = (reason: string) => ({
      conditions: [{ type: 'Ready', status: 'False', reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    });

    test('of a window', async () => {
      const night = window({ openings: [{ schedule: '0 22 * * *', durationMinutes: 60 }] });
      expect(await shown(night, { open: true, closesAt: '2026-12-05T14:00:00Z' })).toEqual([
        'NAME OPEN CLOSES OPENS ZONE AGE',
        'column Asia/Seoul AGE',
        'column true 2026-12-05T14:00:00Z Asia/Seoul AGE',
      ]);
    });

    test('of a profile, with its image when there is room', async () => {
      expect(await shown(profile({}), {})).toEqual([
        'NAME MODE REBOOT AGE',
        ...Array(2).fill('column Drain Never AGE'),
      ]);
      expect(await kubectl(['get', 'dmp', 'column', '-o', 'wide'])).toContain(`Drain Never ${IMAGE}`);
    });

    test('of the policy', async () => {
      await plane.admin.create(`${OURS}/maintenancepolicies`, objectOf(policy({}), ''));
      expect((await kubectl(['get', 'dpol'])).split('\n')).toEqual([
        'NAME MAX PAUSED READY AGE',
        expect.stringMatching(/^cluster 20% false \d+\w+$/),
      ]);
    });

    test('of an upgrade', async () => {
      const nodes = { total: 10, done: 4, inFlight: 2, waiting: 3, setAside: 0, failed: 1 };
      expect(await shown(upgrade({}), { target: 'v1.36.4', phase: 'Rolling', nodes, progress: '40%' })).toEqual([
        'NAME TARGET PHASE DONE TOTAL IN FLIGHT FAILED PROGRESS AGE',
        'column AGE',
        'column v1.36.4 Rolling 4 10 2 1 40% AGE',
      ]);
    });

    test('of a hold', async () => {
      const status = { state: { phase: 'Pending' }, pods: { remaining: 3, blocked: 1 }, ...ready('Blocked') };
      expect(await shown(hold({}), status)).toEqual([
        'NAME NODE PHASE SINCE PODS BLOCKED REASON AGE',
        'column worker-7 Pending Pending AGE',
        'column worker-7 Pending 3 1 Blocked AGE',
      ]);
    });
  });
});
