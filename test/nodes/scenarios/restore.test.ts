import { readdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../control-plane/until.ts';
import { chosen } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { etcdctl, hashes, membersOf } from '../etcd.ts';
import { DRYDOCK } from '../history.ts';
import { apply, permissions, profile, REPOSITORY, startDrydock, stopDrydock, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { judge, thisHost } from '../possible.ts';
import { nodesNow } from '../questions.ts';
import { restore, SCRIPT } from '../restoring.ts';
import { rolledOut } from '../rollout.ts';
import { type Difference, differences } from '../running.ts';
import { passageIs, strike, upgradeIs } from '../seen.ts';
import { type Ground, setGround } from '../stage.ts';
import { changeTown, EARLY, foundTown, listed, revisionNow, rightAgain, townNow } from '../town.ts';

const MINUTE_MS = 60_000;
const BEGIN_MS = 25 * MINUTE_MS;
const WORK_SECONDS = 300;
/** How long what runs must stay wrong, for nobody to say that it only needed a little more time. */
const WRONG_MS = 30_000;
const CONTROL_PLANES = ['cp1', 'cp2', 'cp3'];
const BACKUPS = 'var/backups/etcd';
const COUNTED = 'var/lib/counted';
const BUMP = ' --bump-revision 1000000000 --mark-compacted';

const verdict = judge(thisHost());
const { from } = chosen();
const title = 'etcd of three members is restored from a snapshot that Drydock had taken';

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let ground: Ground;
  let cluster: NodeCluster;
  let revision: number;
  let wrong: Difference;
  let mark: number;
  let verified: readonly string[];
  const say = clock();

  beforeAll(async () => {
    ground = await setGround([...CONTROL_PLANES, 'w1'], [from], say);
    cluster = ground.cluster;
    await apply(cluster, [
      ...permissions(ground.payload),
      profile(ground.payload, 'etcd-snapshot'),
      counting(ground.payload.digest),
    ]);
    await foundTown(cluster);
    say('one node is worked on and done, one is at work, and the snapshots are taken');
    await apply(cluster, [upgrade('earlier', 'counting', { revision: 'earlier' }, 'w1')]);
    await rolledOut(cluster, 'earlier', WORK_SECONDS, say);
    await hold('during');
    await apply(cluster, [upgrade('during', 'counting', { revision: 'during' }, 'w1')]);
    await until(async () => (await runs()).includes('during'), { what: 'the second work has begun', seconds: 120 });
    await apply(cluster, [upgrade('backup', 'etcd-snapshot', { maxAgeDays: 1 }, ...CONTROL_PLANES)]);
    await rolledOut(cluster, 'backup', WORK_SECONDS, say);
    say('the work is done, and more of it; the town changes');
    await letGo('during');
    await rolledOut(cluster, 'during', WORK_SECONDS, say);
    await apply(cluster, [upgrade('later', 'counting', { revision: 'later' }, 'w1')]);
    await rolledOut(cluster, 'later', WORK_SECONDS, say);
    await changeTown(cluster);
    revision = await revisionNow(cluster);
    say('Drydock is stopped, and etcd restored');
    await stopDrydock(cluster);
    mark = cluster.audit.mark();
    verified = await restore(cluster, SCRIPT, `/${BACKUPS}/${(await snapshotsOf('cp1'))[0]}`, say);
    wrong = await rightAgain(cluster);
    say(`what runs differs from what the API says in ${JSON.stringify(wrong)}`);
  }, BEGIN_MS);

  afterAll(() => ground?.stop(), 2 * MINUTE_MS);

  test('the snapshot is the one that the payload told of, whole and of three members', async () => {
    for (const name of CONTROL_PLANES) {
      const [file = ''] = await snapshotsOf(name);
      const told = JSON.parse(await readFile(join(disk(name), BACKUPS, `${file}.json`), 'utf8')) as object;
      expect(told).toMatchObject({ name: file, members: 3 });
    }
  });

  test('what was made since is gone, what was deleted is back, and what was changed is as it was', async () => {
    expect(await townNow(cluster)).toEqual(EARLY);
    expect(await upgradesNow()).toEqual(['backup', 'during', 'earlier']);
  });

  test('what really runs on every machine is what the API says, and so are old and new', async () => {
    expect(wrong).toEqual({ unknown: [], missing: [] });
    const { stdout } = await cluster
      .machine('w1')
      .exec(['pgrep', '-fc', 'the-town-of-(early|web|late)'], { what: 'processes of the town' });
    expect(Number(stdout)).toBe(4);
  });

  test('all members have the same, are healthy, and their revision has not gone backwards', async () => {
    const found = await hashes(cluster);
    expect(found.size).toBe(3);
    expect(new Set(found.values()).size).toBe(1);
    expect(await (await membersOf(cluster))()).toEqual(CONTROL_PLANES);
    expect(await etcdctl(cluster.machine('cp1'), 'alarm', 'list')).toBe('');
    expect(await revisionNow(cluster)).toBeGreaterThan(revision);
    for (const said of verified) expect(said).toContain('What really runs there must be the same');
  });

  test('every node is Ready and in service', async () => {
    await cluster.kubectlOrThrow(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s']);
    expect((await nodesNow(cluster)).map(({ name, isInService }) => [name, isInService])).toEqual(
      [...CONTROL_PLANES, 'w1'].map((name) => [name, true]),
    );
  });

  test(
    'nothing is done twice: not what was at work, nor what was done before or after',
    async () => {
      expect(await runs()).toEqual(['earlier', 'during', 'later']);
      await startDrydock(cluster);
      const failed = ({ state }: { readonly state: { readonly phase: string } }) => state.phase === 'Failed';
      await passageIs(cluster, 'during', 'w1', 'is given up', failed, 120);
      await passageIs(cluster, 'backup', 'cp1', 'is given up', failed, 120);
      await cluster.admin.patch('/apis/drydock.dev/v1alpha1/maintenancepolicies/cluster', { spec: { paused: false } });
      await upgradeIs(cluster, 'backup', 'has halted', ({ phase }) => phase === 'Halted', 60);
      await upgradeIs(cluster, 'earlier', 'is complete', ({ phase }) => phase === 'Complete', 60);
      expect(jobsMade()).toEqual([]);
      expect(await runs()).toEqual(['earlier', 'during', 'later']);
      expect(await snapshotsOf('cp1')).toHaveLength(1);
    },
    10 * MINUTE_MS,
  );

  test(
    'and goes on: what a person says is done again, what is new is done',
    async () => {
      await strike(cluster, 'during');
      await apply(cluster, [upgrade('next', 'counting', { revision: 'next' }, 'w1')]);
      await rolledOut(cluster, 'next', WORK_SECONDS, say);
      await cluster.admin.patch('/apis/drydock.dev/v1alpha1/clusterupgrades/backup', {
        spec: { rollout: { retry: 1 } },
      });
      await upgradeIs(cluster, 'backup', 'goes on', ({ phase }) => phase !== 'Halted', 60);
      await rolledOut(cluster, 'backup', WORK_SECONDS, say);
      expect(await runs()).toEqual(['earlier', 'during', 'later', 'next']);
      expect(jobsMade().toSorted()).toEqual(['backup cp1', 'backup cp2', 'backup cp3', 'next w1']);
      for (const name of CONTROL_PLANES) expect(await snapshotsOf(name)).toHaveLength(2);
    },
    10 * MINUTE_MS,
  );

  test(
    'the comparison would have seen it: restored plainly, what runs is not what the API says, and every node is Ready (planted: a plain restore)',
    async () => {
      await changeTown(cluster);
      await stopDrydock(cluster);
      const [snapshot] = (await snapshotsOf('cp1')).toReversed();
      const plain = SCRIPT.replace(BUMP, '');
      expect(plain).not.toBe(SCRIPT);
      await restore(cluster, plain, `/${BACKUPS}/${snapshot}`, say);
      const end = Date.now() + WRONG_MS;
      const found = await until(async () => Date.now() > end && (await differences(cluster)), { what: 'enough time' });
      say(`restored plainly: ${JSON.stringify(found)}`);
      expect([...found.unknown, ...found.missing].filter((each) => each.startsWith('town/'))).not.toEqual([]);
      const ready = await cluster.kubectlOrThrow(['get', 'nodes', '--no-headers']);
      expect(ready.match(/ Ready /g)).toHaveLength(4);
      for (const machine of cluster.machines) {
        await machine.exec(['systemctl', 'restart', 'kubelet'], { what: 'the cure of the runbook' });
      }
      expect(await rightAgain(cluster)).toEqual({ unknown: [], missing: [] });
    },
    15 * MINUTE_MS,
  );

  test('nothing is left of it on this machine', async () => {
    await ground.stop();
    expect(await leftovers()).toEqual([]);
  });

  function disk(name: string): string {
    return cluster.machine(name).disk;
  }

  /** The snapshots that lie on a control plane, the oldest first. */
  async function snapshotsOf(name: string): Promise<readonly string[]> {
    return readdirSync(join(disk(name), BACKUPS))
      .filter((file) => file.endsWith('.db'))
      .toSorted();
  }

  /** What the work has written on the worker, a line each time that it was begun. */
  async function runs(): Promise<readonly string[]> {
    const text = await readFile(join(disk('w1'), COUNTED, 'runs'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  async function hold(name: string): Promise<void> {
    await mkdir(join(disk('w1'), COUNTED), { recursive: true });
    await writeFile(join(disk('w1'), COUNTED, `hold-${name}`), '');
  }

  async function letGo(name: string): Promise<void> {
    await rm(join(disk('w1'), COUNTED, `hold-${name}`));
  }

  async function upgradesNow(): Promise<readonly string[]> {
    const found = await listed<{ readonly metadata: { readonly name: string } }>(
      cluster,
      '/apis/drydock.dev/v1alpha1/clusterupgrades',
    );
    return found.map(({ metadata }) => metadata.name);
  }

  /** The upgrade Jobs that Drydock has made since the restore, by upgrade and node. */
  function jobsMade(): readonly string[] {
    type Job = { readonly metadata: { readonly labels: Labels; readonly annotations: Labels } };
    return cluster.audit
      .events({ user: DRYDOCK, verb: 'create', resource: 'jobs', code: 201, from: mark })
      .map(({ requestObject }) => (requestObject as Job).metadata)
      .filter(({ labels }) => labels['drydock.dev/job'] === 'upgrade')
      .map(({ labels, annotations }) => `${labels['drydock.dev/upgrade']} ${annotations['drydock.dev/node']}`);
  }
});

type Labels = Readonly<Record<string, string>>;

/** Work that can be counted on the node, and that lasts as long as a file is there. */
function counting(digest: string): unknown {
  const script = `echo "$DRYDOCK_REVISION" >> /counted/runs
while [ -e "/counted/hold-$DRYDOCK_REVISION" ]; do sleep 1; done`;
  return {
    apiVersion: 'drydock.dev/v1alpha1',
    kind: 'MaintenanceProfile',
    metadata: { name: 'counting' },
    spec: {
      drain: { mode: 'Leave' },
      image: `${REPOSITORY}@${digest}`,
      commands: { worker: ['sh', '-euc', script] },
      volumes: [{ name: 'counted', hostPath: { path: `/${COUNTED}`, type: 'DirectoryOrCreate' } }],
      volumeMounts: [{ name: 'counted', mountPath: '/counted' }],
      readySeconds: 5,
    },
  };
}
