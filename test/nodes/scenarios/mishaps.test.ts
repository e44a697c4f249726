import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../control-plane/until.ts';
import { chosen, coreDNS } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { asWords, DRYDOCK, jobPods, sentences, stored, takings } from '../history.ts';
import { apply, CGROUPS_V1, permissions, profile, REPOSITORY, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { lowest } from '../observer.ts';
import { inOrder, packagesOn, putBehind, repositoryOf } from '../packaged.ts';
import { addPackages } from '../packages.ts';
import { judge, thisHost } from '../possible.ts';
import { builtRelease, nextPatch, type Release } from '../releases.ts';
import { conditionOf, holds, nodeOf, passageIs, passageOf, passagesOf, podsIn, strike, upgradeIs } from '../seen.ts';
import { type Ground, openStage, type Stage, setGround } from '../stage.ts';

const MINUTE_MS = 60_000;
const BROKEN = `#!/bin/sh
echo 'this package wants a disk that is not there' >&2
exit 1
`;

const verdict = judge(thisHost());
const { from, to } = chosen();
const missing = nextPatch(nextPatch(to));
const title = `what goes wrong on real nodes on their way to ${to}`;

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let ground: Ground;
  let stage: Stage;
  let cluster: NodeCluster;
  let after: Release;
  /** Where the audit log was when the hop began. */
  let hop: number;
  const say = clock();

  beforeAll(async () => {
    after = await builtRelease(to, coreDNS(to));
    ground = await setGround(['cp1', 'w1', 'w2'], [to], say);
    cluster = ground.cluster;
    say(`putting the workers back to ${from}`);
    await putBehind(cluster, await builtRelease(from, coreDNS(from)), ['w1', 'w2']);
    stage = await openStage(ground, say);
    await apply(cluster, permissions(stage.payload));
  }, 10 * MINUTE_MS);

  afterAll(() => (stage ?? ground)?.stop(), 2 * MINUTE_MS);

  describe('is found before anything is cordoned, and said in one sentence:', () => {
    test('an image that is not there', async () => {
      const digest = `sha256:${'0'.repeat(64)}`;
      const work = { image: `${REPOSITORY}@${digest}`, prepareDeadlineSeconds: 20 };
      await apply(cluster, [profile(stage.payload, 'kubeadm-apt', { name: 'no-image', work })]);
      const { mark, said } = await setAside('no-image', to);
      expect(said).toContain('The node was not prepared within 20 s, so it was not touched: ');
      expect(said).toContain(digest);
      const waited = sentences(cluster.audit, 'w1', mark).filter((each) => each.includes('cannot run on the node yet'));
      expect(waited.join('\n')).toContain('ErrImagePull');
    });

    test('a release that no repository has', async () => {
      const { said } = await setAside('kubeadm-apt', missing, 'cp1');
      expect(said).toContain(`No repository of cp1 has kubeadm ${missing.slice(1)}`);
    });

    test('a node without apt', async () => {
      const machine = cluster.machine('w1');
      await machine.exec(['mv', '/usr/bin/apt-get', '/usr/bin/apt-get.away'], { what: 'apt-get goes' });
      try {
        const { said } = await setAside('kubeadm-apt', to);
        expect(said).toContain('There is no apt-get on w1');
      } finally {
        await machine.exec(['mv', '/usr/bin/apt-get.away', '/usr/bin/apt-get'], { what: 'apt-get comes back' });
      }
    });

    test('a release that is more than one minor away: no node is even looked at', async () => {
      const mark = cluster.audit.mark();
      await apply(cluster, [upgrade('far', 'kubeadm-apt', { kubernetesVersion: 'v1.99.0' })]);
      const status = await upgradeIs(cluster, 'far', 'is Invalid', ({ phase }) => phase === 'Invalid', 30);
      expect(conditionOf(status, 'Stalled')).toMatchObject({ status: 'True', reason: 'MissingHop' });
      expect(conditionOf(status, 'Stalled')?.message).toContain(`The API servers run ${to}, and v1.99.0 is more than`);
      expect(await passagesOf(cluster, 'far')).toEqual([]);
      await strike(cluster, 'far');
      expect(takings(cluster.audit, mark)).toEqual([]);
    });

    test('a way back: every node counts as done, and the payload itself refuses', async () => {
      const mark = cluster.audit.mark();
      await apply(cluster, [upgrade('back', 'kubeadm-apt', { kubernetesVersion: from })]);
      const status = await upgradeIs(cluster, 'back', 'is Ready', (each) => holds(each, 'Ready'), 30);
      expect(status.nodes).toMatchObject({ total: 3, done: 3 });
      expect(await passagesOf(cluster, 'back')).toEqual([]);
      await strike(cluster, 'back');
      expect(takings(cluster.audit, mark)).toEqual([]);
      expect(await byHand('cp1', from)).toMatchObject({
        exitCode: 1,
        message: expect.stringContaining(
          `cp1 has kubelet ${to}, which is newer than ${from}: kubeadm has no way back.`,
        ),
      });
      expect((await packagesOn(cluster.machine('cp1'))).installed).toEqual(inOrder(to).installed);
    });
  });

  test(
    'a package that cannot be installed: Halted, one node is left cordoned and says why, and nothing else begins',
    async () => {
      await addPackages(repositoryOf(cluster), after, { kubelet: BROKEN });
      hop = cluster.audit.mark();
      await apply(cluster, [upgrade('hop', 'kubeadm-apt', { kubernetesVersion: to })]);
      const status = await upgradeIs(
        cluster,
        'hop',
        'is Halted',
        ({ phase, failures }) => phase === 'Halted' && (failures ?? []).length > 0,
        180,
      );
      const why = 'installed kubelet package post-installation script subprocess returned error exit status 1';
      expect(conditionOf(status, 'Stalled')).toMatchObject({ status: 'True', reason: 'Halted' });
      for (const word of ['w1', why, 'raise rollout.retry'])
        expect(conditionOf(status, 'Stalled')?.message).toContain(word);
      expect(status.nodes).toMatchObject({ total: 3, done: 1, failed: 1, waiting: 1, inFlight: 0 });

      const passage = await passageOf(cluster, 'hop', 'w1');
      expect(passage?.status.state).toMatchObject({ phase: 'Failed', reason: 'JobFailed' });
      expect(passage?.status.job).toMatchObject({ attempt: 2, exitCode: 1, message: expect.stringContaining(why) });
      const { metadata, spec, status: is } = await nodeOf(cluster, 'w1');
      expect(spec.unschedulable).toBe(true);
      expect(metadata.annotations?.['drydock.dev/left-cordoned']).toContain(why);
      // Its kubelet goes on as it was, for it was never restarted.
      expect(is.nodeInfo.kubeletVersion).toBe(from);
      expect((await packagesOn(cluster.machine('w1'))).held).toEqual(inOrder(to).held);
      expect((await passagesOf(cluster, 'hop')).map((each) => each.spec.nodeName)).toEqual(['w1']);
      expect(new Set(takings(cluster.audit, hop))).toEqual(new Set(['w1']));
      say(`broken package: ${passage?.status.job?.message}`);
    },
    4 * MINUTE_MS,
  );

  test(
    'the repository is mended and retry raised: the node is done and given back, though dpkg had stopped half-way',
    async () => {
      await addPackages(repositoryOf(cluster), after);
      const retry = JSON.stringify({ spec: { rollout: { retry: 1 } } });
      await cluster.kubectlOrThrow(['patch', 'clusterupgrade', 'hop', '--type=merge', '-p', retry]);
      await passageIs(cluster, 'hop', 'w1', 'has succeeded', ({ state }) => state.phase === 'Succeeded', 180);
      const { metadata, spec, status } = await nodeOf(cluster, 'w1');
      expect(status.nodeInfo.kubeletVersion).toBe(to);
      expect(spec.unschedulable ?? false).toBe(false);
      expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('drydock.dev/'))).toEqual([]);
      expect(await packagesOn(cluster.machine('w1'))).toEqual(inOrder(to));
    },
    4 * MINUTE_MS,
  );

  test(
    'power is lost while dpkg unpacks: a failed attempt, never a success, and the next one ends it',
    async () => {
      const machine = cluster.machine('w2');
      const before = await machine.bootID();
      // The brackets keep the pattern from finding itself.
      const unpacks = 'until pgrep -f "dpk[g].*--unpack.*kubelet_" > /dev/null; do sleep 0.01; done';
      await machine.exec(['bash', '-c', unpacks], { what: 'dpkg unpacks the kubelet', seconds: 200 });
      const cut = Date.now();
      await machine.losePower();
      const off = (Date.now() - cut) / 1000;
      await machine.boot();
      say(
        `w2 was without power after ${off.toFixed(1)} s, and is back after ${((Date.now() - cut) / 1000).toFixed(1)} s`,
      );
      const status = await upgradeIs(cluster, 'hop', 'is Ready', (each) => holds(each, 'Ready'), 240);
      expect(status.failures).toEqual([]);

      const steps = stored(cluster.audit, 'w2', hop);
      expect(asWords(steps)).toEqual([
        'Preparing',
        'Cordoning',
        'Draining',
        'Detaching',
        'Starting 1',
        'Upgrading 1',
        'Starting 2',
        'Upgrading 2',
        'Verifying 2',
        'Uncordoning',
        'Succeeded',
      ]);
      const failed = await eventsOn('w2', /attempt 1/i);
      expect(failed).not.toEqual([]);
      say(`after the power cut: ${failed[0]}`);
      expect(await machine.bootID()).not.toBe(before);
      const node = await nodeOf(cluster, 'w2');
      expect(node.status.nodeInfo).toMatchObject({ kubeletVersion: to, bootID: await machine.bootID() });
      expect(node.spec.unschedulable ?? false).toBe(false);
      expect(await packagesOn(machine)).toEqual(inOrder(to));
      const pods = jobPods(cluster.audit).filter(({ nodeName }) => nodeName === 'w2');
      expect(pods.length).toBe(2);
      expect(pods[0]?.exitCode).not.toBe(0);
      expect(pods[1]?.exitCode).toBe(0);
      const at = (phase: string) => steps.find((each) => each.phase === phase)?.time ?? Number.NaN;
      say(`w2 took ${((at('Succeeded') - at('Preparing')) / 1000).toFixed(0)} s with both attempts`);
    },
    8 * MINUTE_MS,
  );

  test('the pod of a Job outlives the restart of the kubelet under it: one container, never restarted', async () => {
    const done = jobPods(cluster.audit).filter(({ exitCode }) => exitCode === 0);
    expect(done.map(({ nodeName }) => nodeName).toSorted()).toEqual(['w1', 'w2']);
    for (const { nodeName, containers, restarts, startedAt = Number.NaN, finishedAt = Number.NaN } of done) {
      expect([nodeName, containers.length, restarts]).toEqual([nodeName, 1, 0]);
      const asked = ['systemctl', 'show', 'kubelet', '--property=ActiveEnterTimestamp', '--timestamp=unix', '--value'];
      const { stdout } = await cluster.machine(nodeName).exec(asked, { what: 'when the kubelet was started' });
      const restarted = Number(stdout.trim().replace('@', '')) * 1000;
      expect(restarted).toBeGreaterThanOrEqual(startedAt);
      expect(restarted).toBeLessThanOrEqual(finishedAt);
    }
  });

  test('whatever went wrong, no pod left past its budget', () => {
    const { asked, other } = cluster.audit.evictions({ user: DRYDOCK });
    expect(asked.length).toBeGreaterThan(4);
    expect(other.filter(({ code }) => code !== 404)).toEqual([]);
    expect(cluster.audit.podDeletions({ user: DRYDOCK })).toEqual([]);
    const budgets = lowest(stage.observer.seen().counts);
    expect([...budgets.keys()].toSorted()).toEqual(['shop/orders', 'shop/web']);
    for (const [budget, { below, least, floor }] of budgets) {
      expect({ budget, below }).toEqual({ budget, below: 0 });
      expect(least).toBe(floor);
    }
    say(
      `${asked.length} evictions; ${[...budgets].map(([name, { counted }]) => `${name}: ${counted} counts`).join(', ')}`,
    );
  });

  test('nothing is left of it on this machine', async () => {
    await stage.stop();
    expect(await leftovers()).toEqual([]);
  });

  /** Begins an upgrade that cannot go well, waits until its node is set aside, and takes it away again. */
  async function setAside(profileName: string, target: string, nodeName = 'w1') {
    const began = Date.now();
    const mark = cluster.audit.mark();
    await apply(cluster, [upgrade('bad', profileName, { kubernetesVersion: target })]);
    const isSet = ({ setAside }: { setAside?: readonly unknown[] }) => (setAside ?? []).length > 0;
    const status = await upgradeIs(cluster, 'bad', 'has set its node aside', isSet, 90);
    const passage = await passageOf(cluster, 'bad', nodeName);
    expect(passage?.status.state).toMatchObject({ phase: 'Skipped' });
    const said = passage !== undefined && 'message' in passage.status.state ? passage.status.state.message : '';
    expect(status.setAside?.find((each) => each.nodeName === nodeName)).toMatchObject({ reason: said });
    expect(asWords(stored(cluster.audit, nodeName, mark))).toEqual(['Preparing', 'Uncordoning', 'Skipped']);
    await strike(cluster, 'bad');
    expect(takings(cluster.audit, mark)).toEqual([]);
    say(`set aside after ${((Date.now() - began) / 1000).toFixed(1)} s: ${said}`);
    return { mark, said };
  }

  /** Runs the payload on a node as a person could, past Drydock. */
  async function byHand(nodeName: string, target: string) {
    const path = '/api/v1/namespaces/drydock-jobs/pods';
    const values = {
      DRYDOCK_NODE: nodeName,
      DRYDOCK_ROLE: 'controlPlane',
      DRYDOCK_TARGET_VERSION: target,
      ...CGROUPS_V1,
    };
    const container = {
      name: 'drydock',
      image: `${REPOSITORY}@${stage.payload.digest}`,
      command: ['/drydock/kubeadm-apt', 'node'],
      env: Object.entries(values).map(([name, value]) => ({ name, value })),
      securityContext: { privileged: true },
    };
    const spec = { nodeName, hostPID: true, hostNetwork: true, restartPolicy: 'Never', containers: [container] };
    await cluster.admin.create(path, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'by-hand' }, spec });
    const ended = await until(
      async () => {
        const pod = (await podsIn(cluster, 'drydock-jobs')).find(({ metadata }) => metadata.name === 'by-hand');
        return pod?.status.containerStatuses?.[0]?.state.terminated;
      },
      { what: 'the payload has ended', seconds: 60 },
    );
    await cluster.admin.delete(`${path}/by-hand`);
    return ended;
  }

  async function eventsOn(nodeName: string, words: RegExp): Promise<readonly string[]> {
    type Event = {
      readonly involvedObject: { readonly kind: string; readonly name: string };
      readonly message: string;
    };
    const events = await cluster.admin.list<Event>('/api/v1/namespaces/default/events');
    const on = ({ involvedObject: { kind, name } }: Event) => kind === 'Node' && name === nodeName;
    return events.filter((event) => on(event) && words.test(event.message)).map(({ message }) => message);
  }
});
