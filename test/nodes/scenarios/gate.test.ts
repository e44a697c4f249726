import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TakenSnapshot } from '../../../src/api/etcd-snapshot.ts';
import { chosen } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { DRYDOCK, takings } from '../history.ts';
import { apply, permissions, profile, startDrydock, stopDrydock, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { judge, thisHost } from '../possible.ts';
import { componentTags, nodesNow } from '../questions.ts';
import { restore, SCRIPT } from '../restoring.ts';
import { rolledOut } from '../rollout.ts';
import { passageIs, upgradeIs, upgradeOf } from '../seen.ts';
import { type Ground, setGround } from '../stage.ts';
import { changeTown, EARLY, foundTown, revisionNow, rightAgain, townNow } from '../town.ts';

const MINUTE_MS = 60_000;
const BEGIN_MS = 25 * MINUTE_MS;
const HOP_SECONDS = 600;
const BACKUPS = 'var/backups/etcd';

const verdict = judge(thisHost());
const { from, to } = chosen();
const title = `an upgrade from ${from} to ${to} begins with a snapshot of etcd, and the only member goes back to it`;

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let ground: Ground;
  let cluster: NodeCluster;
  let taken: TakenSnapshot | undefined;
  let mark: number;
  const say = clock();

  beforeAll(async () => {
    ground = await setGround(['cp1', 'w1'], [from, to], say);
    cluster = ground.cluster;
    await apply(cluster, [...permissions(ground.payload), profile(ground.payload, 'etcd-snapshot')]);
    await foundTown(cluster);
    say('the upgrade begins');
    await apply(cluster, [gated()]);
    await rolledOut(cluster, 'hop', HOP_SECONDS, say);
    taken = (await upgradeOf(cluster, 'hop'))?.status?.etcdSnapshot;
    say(`the upgrade is done; it began with ${JSON.stringify(taken)}`);
  }, BEGIN_MS);

  afterAll(() => ground?.stop(), 2 * MINUTE_MS);

  test('the snapshot was written down before the first control plane was taken out', () => {
    const written = cluster.audit
      .events({ user: DRYDOCK, verb: 'update', resource: 'clusterupgrades', subresource: 'status', code: 200 })
      .find(({ requestObject }) => hasSnapshot(requestObject));
    const [cordon] = cluster.audit.events({
      user: DRYDOCK,
      verb: 'patch',
      resource: 'nodes',
      name: 'cp1',
      where: ({ requestObject }) =>
        (requestObject as { spec?: { unschedulable?: boolean } }).spec?.unschedulable === true,
    });
    expect(written?.time).toBeLessThan(cordon?.time ?? 0);
    expect(takings(cluster.audit)).toEqual(['cp1']);
  });

  test('what stands in the status is what etcdutl finds in the file that lies on the node', async () => {
    const file = `/${BACKUPS}/${taken?.name}`;
    const ask = `exec "/proc/$(pgrep -x etcd | head -n 1)/root/usr/local/bin/etcdutl" snapshot status ${file} -w json`;
    const { stdout } = await cluster.machine('cp1').exec(['bash', '-euc', ask], { what: 'etcdutl snapshot status' });
    const { hash, revision: at } = JSON.parse(stdout) as { hash: number; revision: number };
    expect(taken).toMatchObject({ hash, revision: at });
    expect((await readFile(join(cluster.machine('cp1').disk, file))).length).toBe(taken?.sizeBytes);
  });

  test(
    'restored by the runbook, what was is back in the API and in the runtimes, under programs that stay new',
    async () => {
      await changeTown(cluster);
      const revision = await revisionNow(cluster);
      say('Drydock is stopped, and etcd restored');
      await stopDrydock(cluster);
      mark = cluster.audit.mark();
      await restore(cluster, SCRIPT, `/${BACKUPS}/${taken?.name}`, say);
      expect(await rightAgain(cluster)).toEqual({ unknown: [], missing: [] });
      expect(await townNow(cluster)).toEqual(EARLY);
      expect(await revisionNow(cluster)).toBeGreaterThan(revision);
      expect(await nodesNow(cluster)).toMatchObject([
        { name: 'cp1', release: to, isInService: true },
        { name: 'w1', release: from, isInService: true },
      ]);
    },
    10 * MINUTE_MS,
  );

  test(
    'kubeadm is told once more of the release that runs, as the runbook has it, and Drydock repeats no Job',
    async () => {
      say('kubeadm upgrade apply, as the runbook has it for a snapshot of before an upgrade');
      const again = ['kubeadm', 'upgrade', 'apply', to, '--yes', '--ignore-preflight-errors=SystemVerification'];
      await cluster.machine('cp1').exec(again, { what: 'kubeadm upgrade apply', seconds: 400 });
      await startDrydock(cluster);
      const failed = ({ state }: { readonly state: { readonly phase: string } }) => state.phase === 'Failed';
      await passageIs(cluster, 'hop', 'cp1', 'is given up: its Job was deleted', failed, 120);
      const path = '/apis/drydock.dev/v1alpha1';
      await cluster.admin.patch(`${path}/maintenancepolicies/cluster`, { spec: { paused: false } });
      await upgradeIs(cluster, 'hop', 'has halted', ({ phase }) => phase === 'Halted', 60);
      await cluster.admin.patch(`${path}/clusterupgrades/hop`, { spec: { rollout: { retry: 1 } } });
      await upgradeIs(cluster, 'hop', 'is complete', ({ phase }) => phase === 'Complete', 120);
      expect(cluster.audit.events({ user: DRYDOCK, verb: 'create', resource: 'jobs', code: 201, from: mark })).toEqual(
        [],
      );
      expect(takings(cluster.audit, mark)).toEqual([]);
      expect(new Set(await componentTags(cluster))).toEqual(new Set([to]));
    },
    15 * MINUTE_MS,
  );

  test('nothing is left of it on this machine', async () => {
    await ground.stop();
    expect(await leftovers()).toEqual([]);
  });
});

/** The upgrade of the control plane, etcd saved first. */
function gated(): unknown {
  const made = upgrade('hop', 'kubeadm-apt', { kubernetesVersion: to }, 'cp1') as { readonly spec: object };
  return { ...made, spec: { ...made.spec, etcdSnapshot: { profileName: 'etcd-snapshot' } } };
}

function hasSnapshot(requestObject: unknown): boolean {
  const { status } = requestObject as { readonly status?: { readonly etcdSnapshot?: unknown } };
  return status?.etcdSnapshot !== undefined;
}
