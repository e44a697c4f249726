import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditEvent } from '../../control-plane/audit.ts';
import { until } from '../../control-plane/until.ts';
import { chosen } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { DRYDOCK } from '../history.ts';
import { apply, permissions, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { answering, lowest, outages, type Seen, unexplained } from '../observer.ts';
import { packageVersion } from '../packages.ts';
import { judge, thisHost } from '../possible.ts';
import { budgetsKept, componentTags, nodesNow, overstepped } from '../questions.ts';
import { rolledOut, type Step } from '../rollout.ts';
import { type Stage, setStage } from '../stage.ts';

const MINUTE_MS = 60_000;
const BEGIN_MS = 25 * MINUTE_MS;
const HOP_SECONDS = 900;
const RESTART_SECONDS = 400;
/** Long enough for an answer of each pod that is there. */
const LONG_SECONDS = 3;

const verdict = judge(thisHost());
const { from, to } = chosen();
const title = `a cluster of three real nodes goes from ${from} to ${to} by itself`;

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let stage: Stage;
  let cluster: NodeCluster;
  let seen: Seen;
  let hop: readonly Step[];
  let restart: readonly Step[];
  let bootID: string;
  const say = clock();

  beforeAll(async () => {
    stage = await setStage(['cp1', 'w1', 'w2'], from, to, say);
    cluster = stage.cluster;
    say('the upgrade begins');
    await apply(cluster, permissions(stage.payload));
    await apply(cluster, [upgrade('hop', 'kubeadm-apt', { kubernetesVersion: to })]);
    hop = await rolledOut(cluster, 'hop', HOP_SECONDS, say);
    say('the upgrade is done, and one node is restarted');
    bootID = await cluster.machine('w2').bootID();
    await apply(cluster, [upgrade('restart', 'reboot', { revision: 'restarted' }, 'w2')]);
    restart = await rolledOut(cluster, 'restart', RESTART_SECONDS, say);
    seen = stage.observer.seen();
    say(figures(seen, hop, restart));
  }, BEGIN_MS);

  afterAll(() => stage?.stop(), 2 * MINUTE_MS);

  test('every node runs the target, and is in service', async () => {
    const done = ['cp1', 'w1', 'w2'].map((name) => ({ name, release: to, isInService: true }));
    expect(await nodesNow(cluster)).toEqual(done);
  });

  test('every component of the control plane and kube-proxy run the target', async () => {
    expect(await componentTags(cluster)).toEqual(Array(6).fill(to));
  });

  test('kubeadm, kubelet and kubectl are packages of the target, and on hold (planted: unheld)', async () => {
    for (const machine of cluster.machines) {
      const held = await machine.exec(['apt-mark', 'showhold'], { what: 'packages on hold (planted: unheld)' });
      expect(held.stdout.trim().split('\n')).toEqual(['kubeadm', 'kubectl', 'kubelet']);
      const query = ['dpkg-query', '-W', 'kubeadm', 'kubectl', 'kubelet'];
      const { stdout } = await machine.exec(query, { what: 'versions of packages' });
      expect(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split('\t')[1]),
      ).toEqual(Array(3).fill(packageVersion(to)));
    }
  });

  test('no budget was ever below its floor, counted from the pods themselves', () => {
    const budgets = budgetsKept(seen);
    // They were used, too: a rollout that evicts nobody would keep them as well.
    expect(budgets.map(({ counted: _, ...kept }) => kept)).toEqual(
      ['shop/orders', 'shop/web'].map((budget) => ({ budget, below: 0, isUsed: true })),
    );
    for (const { counted } of budgets) expect(counted).toBeGreaterThan(200);
  });

  test('the workload answered all the time, but for the door of the node that was rebooting (planted: pods that end at once)', async () => {
    const doors = await excuses();
    expect(unexplained(seen.failures, doors)).toEqual([]);
    expect(seen.answers.length).toBeGreaterThan(2_000);
  });

  test('while the API server was away and nobody could count pods, as many as the budget needs answered', () => {
    const floor = lowest(seen.counts).get('shop/web')?.floor ?? 0;
    const long = outages(seen.api).filter(({ seconds }) => seconds > LONG_SECONDS);
    expect(long.length).toBeGreaterThan(0);
    for (const outage of long) expect(answering(seen.answers, outage).size).toBeGreaterThanOrEqual(floor);
  });

  test('the only API server was away while it was replaced, and Drydock went on', () => {
    const at = hop.find(({ nodeName, phase }) => nodeName === 'cp1' && phase === 'Upgrading')?.at ?? Number.NaN;
    const away = outages(seen.api).filter((outage) => outage.at > at);
    expect(away.reduce((sum, { seconds }) => sum + seconds, 0)).toBeGreaterThan(5);
    expect(hop.filter(({ phase }) => phase === 'Succeeded').map(({ nodeName }) => nodeName)[0]).toBe('cp1');
  });

  test('Drydock was evicted and moved, by the eviction API as everybody else', () => {
    const own = evictions().filter(({ namespace }) => namespace === 'drydock-system');
    expect(own.filter(({ code }) => code === 201).length).toBeGreaterThan(1);
    expect(evictions().filter(({ code }) => code !== 201 && code !== 429)).toEqual([]);
    expect(cluster.audit.podDeletions({ user: DRYDOCK })).toEqual([]);
  });

  test('its own rights were enough (planted: no right to write events)', () => {
    expect(overstepped(cluster, outages(seen.api))).toEqual([]);
  });

  test('the node that was restarted has booted anew, once', async () => {
    expect(restart.map(({ phase }) => phase)).toContain('Succeeded');
    expect(await cluster.machine('w2').bootID()).not.toBe(bootID);
    expect(await reboots('w2')).toHaveLength(1);
    expect([...(await reboots('cp1')), ...(await reboots('w1'))]).toEqual([]);
  });

  test('the observer would have seen it: pods deleted past their budget, and a Service without anybody', async () => {
    await cluster.kubectlOrThrow(['-n', 'shop', 'scale', 'deployment/web', '--replicas=0']);
    const noticed = () => (lowest(stage.observer.seen().counts).get('shop/web')?.below ?? 0) > 0;
    await until(noticed, { what: 'the observer counts too few', seconds: 30 });
    const refused = () => stage.observer.seen().failures.length > seen.failures.length;
    await until(refused, { what: 'the observer is not answered', seconds: 60 });
  });

  test('nothing is left of it on this machine (planted: a control group)', async () => {
    await stage.stop();
    expect(await leftovers()).toEqual([]);
  });

  function evictions(): readonly AuditEvent[] {
    return cluster.audit.evictions({ user: DRYDOCK }).asked;
  }

  /** When process 1 of a machine asked for a reboot, in milliseconds since 1970. */
  async function reboots(name: string): Promise<readonly number[]> {
    const log = await readFile(join(cluster.directory, `${name}.log`), 'utf8');
    return [...log.matchAll(/^(\S+) process 1 ended with 129$/gm)].map(([, at]) => Number(at) * 1000);
  }

  async function excuses() {
    return (await reboots('w2')).map((at) => ({ entry: 'w2', from: at - 5_000, until: at + MINUTE_MS }));
  }
});

function figures(seen: Seen, hop: readonly Step[], restart: readonly Step[]): string {
  const took = (steps: readonly Step[]) => (((steps.at(-1)?.at ?? 0) - (steps[0]?.at ?? 0)) / 1000).toFixed(0);
  const away = outages(seen.api).map(({ seconds }) => `${seconds.toFixed(1)} s`);
  const budgets = [...lowest(seen.counts)].map(
    ([budget, { least, floor, counted, fell }]) =>
      `${budget} never below ${least} of ${floor} needed in ${counted} counts${fell === 0 ? '' : `, but for ${fell} in which pods fell that nobody took`}`,
  );
  const doors = Object.entries(Object.groupBy(seen.failures, ({ entry }) => entry)).map(
    ([entry, failures]) => `, ${failures?.length} at the door of ${entry}`,
  );
  return `the upgrade took ${took(hop)} s, the restart ${took(restart)} s; the API was away for ${away.join(', ') || 'no time'}; ${budgets.join(', ')}; ${seen.failures.length} of ${seen.answers.length + seen.failures.length} requests failed${doors.join('')}`;
}
