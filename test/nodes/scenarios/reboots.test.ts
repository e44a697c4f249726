import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause, until } from '../../control-plane/until.ts';
import { chosen, coreDNS } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { asWords, DRYDOCK, stored, takings } from '../history.ts';
import { apply, permissions, profile, SOON, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { lowest } from '../observer.ts';
import { inOrder, packagesOn, repositoryOf } from '../packaged.ts';
import { addAll, addPackages } from '../packages.ts';
import { judge, thisHost } from '../possible.ts';
import { builtRelease } from '../releases.ts';
import { rolledOut } from '../rollout.ts';
import { conditionOf, holds, isReady, nodeOf, passageIs, passageOf, podsIn, type SeenPod, upgradeIs } from '../seen.ts';
import { type Ground, openStage, type Stage, setGround } from '../stage.ts';

const MINUTE_MS = 60_000;
/** How long a pod stays on a node that is away, unless it says otherwise itself. */
const TOLERATED_MS = 300_000;
const TOOL = 'drydock-test-tool';
const CORDONED = ['Preparing', 'Cordoning', 'Starting 1', 'Upgrading 1'];

const verdict = judge(thisHost());
const { from, to } = chosen();
const title = 'real nodes that are updated, reboot, and lose their power';

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let ground: Ground;
  let stage: Stage;
  let cluster: NodeCluster;
  const say = clock();

  beforeAll(async () => {
    const after = await builtRelease(to, coreDNS(to));
    ground = await setGround(['cp1', 'w1', 'w2'], [from], say);
    cluster = ground.cluster;
    await offerTool('1.0');
    const install = `apt-get update -qq; apt-get install -qqy ${TOOL} > /dev/null`;
    for (const name of ['w1', 'w2'])
      await cluster.machine(name).exec(['bash', '-euc', install], { what: `${TOOL} is installed` });
    // A release that only its hold keeps from being installed with everything else.
    await addPackages(repositoryOf(cluster), after);
    await offerTool('2.0');
    stage = await openStage(ground, say);
    const cordon = { name: 'restart', env: SOON, drain: { mode: 'Cordon' }, work: { rebootDeadlineSeconds: 90 } };
    await apply(cluster, [
      ...permissions(stage.payload),
      profile(stage.payload, 'os-apt', { env: SOON }),
      profile(stage.payload, 'reboot', cordon),
    ]);
  }, 10 * MINUTE_MS);

  afterAll(() => (stage ?? ground)?.stop(), 2 * MINUTE_MS);

  test(
    'packages are updated on drained nodes; the one whose packages want a reboot has one, and the other has none',
    async () => {
      const before = await bootIDs();
      await cluster.machine('w2').exec(['touch', '/run/reboot-required'], { what: 'a package wants a reboot' });
      const began = Date.now();
      await apply(cluster, [upgrade('os', 'os-apt', { revision: '2026-11-os' }, 'w1', 'w2')]);
      await rolledOut(cluster, 'os', 300, say);
      say(`the update of two nodes took ${since(began)} s`);
      const after = await bootIDs();
      expect([after['cp1'] === before['cp1'], after['w1'] === before['w1']]).toEqual([true, true]);
      expect(after['w2']).not.toBe(before['w2']);
      expect([await reboots('w1'), await reboots('w2')]).toEqual([0, 1]);
      expect(asWords(stored(cluster.audit, 'w1'))).not.toContain('Rebooting 1');
      expect(asWords(stored(cluster.audit, 'w2'))).toContain('Rebooting 1');
      for (const [name, armed] of [
        ['w1', false],
        ['w2', true],
      ] as const) {
        expect((await passageOf(cluster, 'os', name))?.status.job?.message).toContain(`"rebootArmed":${armed}`);
        const machine = cluster.machine(name);
        const { stdout } = await machine.exec(['dpkg-query', '-W', TOOL], { what: 'the version of a package' });
        expect(stdout.trim()).toBe(`${TOOL}\t2.0`);
        expect(await packagesOn(machine)).toEqual(inOrder(from));
        // Only the hold kept them: without it the same command would have raised them.
        const unheld = ['apt-get', '--ignore-hold', '--simulate', 'upgrade'];
        expect((await machine.exec(unheld, { what: 'a rehearsal' })).stdout).toContain(`Inst kubelet`);
      }
    },
    6 * MINUTE_MS,
  );

  test('for that the pods left, each asked and none past its budget', () => {
    const { accepted, other } = cluster.audit.evictions({ user: DRYDOCK });
    expect(accepted.length).toBeGreaterThan(4);
    expect(other.filter(({ code }) => code !== 404)).toEqual([]);
    expect(cluster.audit.podDeletions({ user: DRYDOCK })).toEqual([]);
    for (const [budget, { below, counted, least, floor }] of lowest(stage.observer.seen().counts)) {
      expect({ budget, below, least }).toEqual({ budget, below: 0, least: floor });
      say(`${budget}: never below ${least} in ${counted} counts`);
    }
  });

  test(
    'a quick reboot with the pods on the node: nobody is asked to leave, all are there again, under new addresses',
    async () => {
      const before = await podsOn('w1');
      expect(before.map(({ metadata }) => metadata.namespace)).toContain('shop');
      const [mark, bootID, began] = [cluster.audit.mark(), await cluster.machine('w1').bootID(), Date.now()];
      await apply(cluster, [upgrade('quick', 'restart', { revision: 'once' }, 'w1')]);
      const looking = new AbortController();
      const looks = lookAt('w1', looking.signal);
      await rolledOut(cluster, 'quick', 240, say);
      looking.abort();
      const [ready, away] = await looks;
      say(`the quick reboot took ${since(began)} s; of ${ready + away} looks ${away} found the node not Ready`);
      expect(await cluster.machine('w1').bootID()).not.toBe(bootID);
      expect(asWords(stored(cluster.audit, 'w1', mark))).toEqual([
        ...CORDONED,
        'Rebooting 1',
        'Verifying 1',
        'Uncordoning',
        'Succeeded',
      ]);
      expect(cluster.audit.evictions({ user: DRYDOCK, from: mark }).asked).toEqual([]);
      expect(new Set(takings(cluster.audit, mark))).toEqual(new Set(['w1']));
      expect((await nodeOf(cluster, 'w1')).spec.unschedulable ?? false).toBe(false);
      const allThere = async () => {
        const now = await podsOn('w1');
        return now.every(isReady) && now.length === before.length ? now : undefined;
      };
      const after = await until(allThere, { what: 'every pod of w1 is Ready again', seconds: 90 });
      for (const pod of before) {
        const same = after.find(({ metadata }) => metadata.uid === pod.metadata.uid);
        const { name } = pod.metadata;
        expect({ name, now: same?.metadata.name }).toEqual({ name, now: name });
        const restarts = restartsOf(same) - restartsOf(pod);
        // Who needs the API server to start may have found none the first time.
        expect({ name, restarts: isDrydock(pod) ? Math.min(restarts, 1) : restarts }).toEqual({ name, restarts: 1 });
        expect({ name, ip: same?.status.podIP === pod.status.podIP }).toEqual({ name, ip: false });
      }
      say(`${before.length} pods were restarted where they were, Drydock's own among them: ${before.some(isDrydock)}`);
    },
    6 * MINUTE_MS,
  );

  test(
    'one that takes too long: who will be deleted is said while there is time, and the node is given back when it is there',
    async () => {
      await cluster.kubectlOrThrow(['-n', 'shop', 'rollout', 'restart', 'deployment']);
      await cluster.kubectlOrThrow(['-n', 'shop', 'rollout', 'status', 'deployment/web', '--timeout=120s']);
      await cluster.kubectlOrThrow(['-n', 'shop', 'rollout', 'status', 'deployment/orders', '--timeout=120s']);
      const before = await podsOn('w2');
      expect([before.length > 0, before.some(isDrydock)]).toEqual([true, false]);
      const mark = cluster.audit.mark();
      await apply(cluster, [upgrade('long', 'restart', { revision: 'once' }, 'w2')]);
      await passageIs(cluster, 'long', 'w2', 'is to reboot', ({ state }) => state.phase === 'Rebooting', 120);
      const cut = Date.now();
      await cluster.machine('w2').losePower();

      const warns = (status: object) => conditionOf(status, 'Blocked')?.reason === 'PodsWillBeDeleted';
      const warned = await passageIs(cluster, 'long', 'w2', 'says whom that costs', warns, 120);
      const warnedAt = Date.now();
      const { message = '' } = conditionOf(warned.status, 'Blocked') ?? {};
      say(`warned ${since(cut)} s after the power was cut: ${message}`);
      const at = Date.parse(/from (\S+) on/.exec(message)?.[1] ?? '');
      expect(at - warnedAt).toBeGreaterThan(TOLERATED_MS / 2);
      expect(at - cut).toBeGreaterThan(TOLERATED_MS);
      expect(message).toContain(`Kubernetes deletes ${before.length} pod`);
      const names = before.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).toSorted();
      expect(warned.status.blockers.map(({ pod }) => pod).toSorted()).toEqual(names);
      for (const { owner, advice } of warned.status.blockers) {
        expect(owner).toMatch(/^Deployment\/./);
        expect(advice).toBe('Bring the node back before then.');
      }

      await passageIs(cluster, 'long', 'w2', 'is Lost', ({ state }) => state.phase === 'Lost', 90);
      const lost = await upgradeIs(cluster, 'long', 'counts it', ({ nodes }) => nodes?.failed === 1, 30);
      expect(conditionOf(lost, 'Ready')?.message).toContain('w2: The node has not come back.');
      say(`Lost ${since(cut)} s after the power was cut`);
      const boot = Date.now();
      await cluster.machine('w2').boot();
      await upgradeIs(cluster, 'long', 'is Ready', (each) => holds(each, 'Ready'), 120);
      say(`given back ${since(boot)} s after the power was back`);
      const again = ['Lost 1', 'Verifying 1', 'Uncordoning', 'Succeeded'];
      expect(asWords(stored(cluster.audit, 'w2', mark))).toEqual([...CORDONED, 'Rebooting 1', ...again]);
      expect((await nodeOf(cluster, 'w2')).spec.unschedulable ?? false).toBe(false);
      const kept = (await podsOn('w2')).map(({ metadata }) => metadata.uid);
      for (const { metadata } of before) expect(kept).toContain(metadata.uid);
      expect(cluster.audit.evictions({ user: DRYDOCK, from: mark }).asked).toEqual([]);
    },
    8 * MINUTE_MS,
  );

  test('nothing is left of it on this machine', async () => {
    await stage.stop();
    expect(await leftovers()).toEqual([]);
  });

  function offerTool(version: string): Promise<void> {
    return addAll(repositoryOf(cluster), [{ name: TOOL, version, description: 'a package that is updated in tests' }]);
  }

  async function bootIDs(): Promise<Readonly<Record<string, string>>> {
    const ids = cluster.machines.map(async (machine) => [machine.name, await machine.bootID()]);
    return Object.fromEntries(await Promise.all(ids));
  }

  /** How often process 1 of a machine asked for a reboot. */
  async function reboots(name: string): Promise<number> {
    const log = await readFile(join(cluster.directory, `${name}.log`), 'utf8');
    return [...log.matchAll(/ process 1 ended with 129$/gm)].length;
  }

  /** Pods that a node has for the cluster, not for itself. */
  async function podsOn(name: string): Promise<readonly SeenPod[]> {
    return (await podsIn(cluster)).filter(({ spec }) => spec.nodeName === name && spec.hostNetwork !== true);
  }

  /** How often a node was Ready, and how often not, of all the times it was looked at. */
  async function lookAt(name: string, signal: AbortSignal): Promise<readonly [ready: number, away: number]> {
    let [ready, away] = [0, 0];
    while (!signal.aborted) {
      if (isReady(await nodeOf(cluster, name))) ready++;
      else away++;
      await pause(100);
    }
    return [ready, away];
  }
});

function since(began: number): string {
  return ((Date.now() - began) / 1000).toFixed(0);
}

function restartsOf(pod: SeenPod | undefined): number {
  return pod?.status.containerStatuses?.[0]?.restartCount ?? Number.NaN;
}

function isDrydock({ metadata }: SeenPod): boolean {
  return metadata.namespace === 'drydock-system';
}
