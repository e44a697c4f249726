import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../control-plane/until.ts';
import { chosen } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { asWords, DRYDOCK, stored } from '../history.ts';
import { apply, CGROUPS_V1, permissions, profile, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { lowest, outages } from '../observer.ts';
import { inOrder, packagesOn } from '../packaged.ts';
import { judge, thisHost } from '../possible.ts';
import { rolledOut, type Step } from '../rollout.ts';
import { conditionOf, isReady, nodeOf, passageIs, podsIn, upgradeIs, upgradeOf } from '../seen.ts';
import { type Ground, openStage, type Stage, setGround } from '../stage.ts';

const MINUTE_MS = 60_000;
const TAINT = 'node-role.kubernetes.io/control-plane';
/** What kubeadm runs to see whether the cluster takes a workload. */
const HEALTH_CHECK = 'upgrade-health-check-';

const verdict = judge(thisHost());
const { from, to } = chosen();
const title = `where pods have no other node to go to, real nodes still get from ${from} to ${to}`;

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let ground: Ground;
  let stage: Stage | undefined;
  let cluster: NodeCluster;
  const say = clock();

  beforeAll(async () => {
    ground = await setGround(['cp1', 'w1'], [from, to], say);
    cluster = ground.cluster;
    await apply(cluster, [
      ...permissions(ground.payload),
      profile(ground.payload, 'kubeadm-apt', {
        name: 'patient',
        env: CGROUPS_V1,
        drain: { deadlineSeconds: 15, onDeadline: 'Wait' },
      }),
    ]);
  }, 10 * MINUTE_MS);

  afterAll(() => (stage ?? ground)?.stop(), 2 * MINUTE_MS);

  test(
    'a cluster of one node upgrades it, with Drydock on it all the time',
    async () => {
      say('w1 goes, and cp1 is all there is');
      await cluster.machine('w1').losePower();
      await cluster.kubectlOrThrow(['delete', 'node', 'w1']);
      await cluster.kubectlOrThrow(['taint', 'node', 'cp1', `${TAINT}-`]);
      await settleDrydock('cp1');
      const [mark, before] = [cluster.audit.mark(), await ours()];
      // By its name: whoever is selected and comes later is taken in, and w1 comes later.
      await apply(cluster, [upgrade('single', 'kubeadm-apt', { kubernetesVersion: to }, 'cp1')]);
      const steps = await rolledOut(cluster, 'single', 600, say);
      say(`one node alone took ${took(steps)} s`);

      const node = await nodeOf(cluster, 'cp1');
      expect(node.status.nodeInfo.kubeletVersion).toBe(to);
      expect(node.spec.unschedulable ?? false).toBe(false);
      expect(await packagesOn(cluster.machine('cp1'))).toEqual(inOrder(to));
      expect(await ours()).toEqual(before);
      const { accepted } = cluster.audit.evictions({ user: DRYDOCK, from: mark });
      // The other pods did leave, as they are asked to anywhere, and started again when the node was back.
      expect(new Set(accepted.map(({ namespace }) => namespace))).toEqual(new Set(['kube-system']));
      await cluster.kubectlOrThrow(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=60s']);
    },
    12 * MINUTE_MS,
  );

  test('kubeadm tried a workload there before the cordon, and did without while nothing could be scheduled', () => {
    const cordoned = stored(cluster.audit, 'cp1').find(({ phase }) => phase === 'Draining')?.time ?? Number.NaN;
    const tried = cluster.audit
      .events({ verb: 'create', resource: 'jobs', namespace: 'kube-system', code: 201 })
      .filter(({ requestObject }) => nameIn(requestObject).startsWith(HEALTH_CHECK));
    expect(tried.length).toBeGreaterThan(0);
    for (const { time } of tried) expect(time).toBeLessThan(cordoned);
    say(`kubeadm tried a workload ${tried.length} times before the cordon`);
  });

  test(
    'the only node that takes pods: budgets that nothing can fill are named, with Drydock staying where it is',
    async () => {
      say('w1 comes back, and is the only one that takes pods');
      await cluster.machine('w1').boot();
      const isBack = async () => isReady(await nodeOf(cluster, 'w1'));
      await until(() => isBack().catch(() => false), { what: 'w1 is registered anew', seconds: 90 });
      await cluster.kubectlOrThrow(['taint', 'node', 'cp1', `${TAINT}=:NoSchedule`]);
      await settleDrydock('w1');
      stage = await openStage(ground, say);
      const [mark, before] = [cluster.audit.mark(), await ours()];
      await apply(cluster, [upgrade('only', 'patient', { kubernetesVersion: to })]);
      const overdue = (status: object) => conditionOf(status, 'Blocked')?.reason === 'DrainOverdue';
      const passage = await passageIs(cluster, 'only', 'w1', 'says that it is overdue', overdue, 120);
      const { message = '' } = conditionOf(passage.status, 'Blocked') ?? {};
      say(`blocked: ${message}`);
      expect(message).toContain('The node should have been empty within 15 s, and onDeadline says to wait.');
      for (const app of ['web', 'orders'])
        expect(message).toMatch(
          new RegExp(`shop/${app}-\\S+: PodDisruptionBudget shop/${app} .*no other node could take`),
        );
      const status = await upgradeIs(cluster, 'only', 'says so', ({ blockers = [] }) => blockers.length > 0, 30);
      expect(conditionOf(status, 'Blocked')).toMatchObject({ status: 'True' });
      expect(conditionOf(status, 'Blocked')?.message).toContain('no other node could take its pods');
      expect(new Set(status.blockers?.map(({ selfClearing }) => selfClearing))).toEqual(new Set([false]));
      for (const [budget, { below }] of lowest(stage.observer.seen().counts))
        expect({ budget, below }).toEqual({ budget, below: 0 });
      expect(cluster.audit.podDeletions({ user: DRYDOCK, from: mark })).toEqual([]);
      expect(await ours()).toEqual(before);
    },
    8 * MINUTE_MS,
  );

  test(
    'whoever runs the pods lets them be away: the node is upgraded and they are back, and Drydock was never asked to leave',
    async () => {
      const before = await ours();
      await cluster.kubectlOrThrow(['-n', 'shop', 'delete', 'poddisruptionbudgets', '--all']);
      const steps = await rolledOut(cluster, 'only', 300, say);
      say(`the only node that takes pods took ${took(steps)} s from then on`);
      expect((await upgradeOf(cluster, 'only'))?.status?.nodes).toMatchObject({ total: 2, done: 2 });
      const phases = asWords(stored(cluster.audit, 'w1'));
      expect(phases.slice(-4)).toEqual(['Upgrading 1', 'Verifying 1', 'Uncordoning', 'Succeeded']);
      expect(phases.filter((phase) => phase === 'Draining').length).toBe(1);
      expect(await packagesOn(cluster.machine('w1'))).toEqual(inOrder(to));
      expect((await nodeOf(cluster, 'w1')).spec.unschedulable ?? false).toBe(false);
      for (const name of ['web', 'orders'])
        await cluster.kubectlOrThrow(['-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=60s']);
      expect(await ours()).toEqual(before);
      expect(cluster.audit.evictions({ user: DRYDOCK, namespace: 'drydock-system' }).asked).toEqual([]);
      const away = outages(stage?.observer.seen().api ?? []).map(({ seconds }) => seconds.toFixed(1));
      say(`the API was away for ${away.join(', ') || 'no time'} while the worker was upgraded`);
    },
    8 * MINUTE_MS,
  );

  test('nothing is left of it on this machine', async () => {
    await (stage ?? ground).stop();
    expect(await leftovers()).toEqual([]);
  });

  /** Drydock's own pods, by which it is known whether one of them had to be made anew. */
  async function ours(): Promise<readonly string[]> {
    return (await podsIn(cluster, 'drydock-system')).map(({ metadata }) => metadata.uid).toSorted();
  }

  /** Has both replicas made anew where they can be now, and waits until nothing of the old ones is left. */
  async function settleDrydock(nodeName: string): Promise<void> {
    const [namespace, deployment] = ['drydock-system', 'deployment/drydock'];
    await cluster.kubectlOrThrow(['-n', namespace, 'delete', 'pods', '--all', '--force', '--grace-period=0']);
    await cluster.kubectlOrThrow(['-n', namespace, 'rollout', 'status', deployment, '--timeout=120s']);
    const settled = async () => {
      const pods = await podsIn(cluster, namespace);
      return pods.length === 2 && pods.every((pod) => isReady(pod) && pod.spec.nodeName === nodeName);
    };
    await until(settled, { what: `Drydock is on ${nodeName}`, seconds: 60 });
  }
});

function nameIn(requestObject: unknown): string {
  return (requestObject as { metadata?: { name?: string } } | undefined)?.metadata?.name ?? '';
}

function took(steps: readonly Step[]): string {
  return (((steps.at(-1)?.at ?? 0) - (steps[0]?.at ?? 0)) / 1000).toFixed(0);
}
