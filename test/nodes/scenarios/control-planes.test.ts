import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UpgradeStatus } from '../../../src/api/cluster-upgrade.ts';
import { until } from '../../control-plane/until.ts';
import { chosen } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { hashes } from '../etcd.ts';
import { DRYDOCK, jobPods, stored, takings } from '../history.ts';
import { apply, permissions, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { freeze, giveBack, takeAway, thaw } from '../members.ts';
import { outages, type Seen, unanswered } from '../observer.ts';
import { judge, thisHost } from '../possible.ts';
import { budgetsKept, componentTags, nodesNow, overstepped } from '../questions.ts';
import { rolledOut, type Step } from '../rollout.ts';
import { passageOf, passagesOf, upgradeIs } from '../seen.ts';
import { type Stage, setStage } from '../stage.ts';
import {
  fewerThan,
  keepVigil,
  longestWithout,
  RENEW_SECONDS,
  together,
  unready,
  type Vigil,
  type Watched,
  withoutQuorum,
} from '../vigil.ts';

const MINUTE_MS = 60_000;
const BEGIN_MS = 40 * MINUTE_MS;
const HOP_SECONDS = 1_800;
/** A watch of Drydock may hang at the API server whose member of etcd hangs, for as long as a watch may be silent. */
const REFUSAL_SECONDS = 300;
/** Of a quarter of an hour. */
const MOST_STALLED_MS = 10_000;
const POLICY = '/apis/drydock.dev/v1alpha1/maintenancepolicies/cluster';
const CONTROL_PLANES = ['cp1', 'cp2', 'cp3'];
const WORKERS = ['w1', 'w2'];

const verdict = judge(thisHost());
const { from, to } = chosen();
const title = `a cluster of three control planes goes from ${from} to ${to} by itself`;

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let stage: Stage;
  let cluster: NodeCluster;
  let vigil: Vigil;
  let seen: Seen;
  let watched: Watched;
  let hop: readonly Step[];
  let refused: Refused;
  const say = clock();

  beforeAll(async () => {
    stage = await setStage([...CONTROL_PLANES, ...WORKERS], from, to, say);
    cluster = stage.cluster;
    vigil = await keepVigil(cluster);
    await apply(cluster, permissions(stage.payload));
    // The node of a member that is away is out of service too: there must be room beside it, or nothing would be begun at all.
    await cluster.admin.patch(POLICY, { spec: { maxUnavailable: 2 } });
    say('etcd of cp3 is taken away, and the upgrade begins');
    await takeAway(cluster.machine('cp3'));
    await apply(cluster, [beside(upgrade('hop', 'kubeadm-apt', { kubernetesVersion: to }))]);
    refused = await refusal(cluster);
    say(`${refused.nodeName} was set aside: ${refused.said}`);
    await giveBack(cluster, cluster.machine('cp3'));
    say('etcd of cp3 is back');
    hop = await rolledOut(cluster, 'hop', HOP_SECONDS, say);
    seen = stage.observer.seen();
    watched = vigil.seen();
    say(figures(seen, watched, hop));
  }, BEGIN_MS);

  afterAll(async () => {
    await vigil?.stop();
    await stage?.stop();
  }, 2 * MINUTE_MS);

  test('while a member of etcd is away the check refuses, by a sentence that names it, and nothing is cordoned', () => {
    const member = cluster.machine('cp3').address;
    expect(refused.said).toContain('a member of etcd is not healthy');
    expect(refused.said).toContain(`https://${member}:2379`);
    expect(refused.inUpgrade).toContain(refused.said);
    expect(refused.taken).toEqual([]);
    expect(refused.evicted).toBe(0);
    // Asked again when all is done, the same questions find every node, and evictions.
    expect(takings(cluster.audit).toSorted()).toEqual([...CONTROL_PLANES, ...WORKERS]);
    expect(cluster.audit.evictions({ user: DRYDOCK }).accepted.length).toBeGreaterThan(0);
  });

  test('the node that was set aside is returned to', async () => {
    const phases = (await passagesOf(cluster, 'hop'))
      .filter(({ spec }) => spec.nodeName === refused.nodeName)
      .map(({ status }) => status.state.phase);
    expect(phases.toSorted()).toEqual(['Skipped', 'Succeeded']);
  });

  test('every node and every component run the target, and every node is in service', async () => {
    expect(await nodesNow(cluster)).toEqual(
      [...CONTROL_PLANES, ...WORKERS].map((name) => ({ name, release: to, isInService: true })),
    );
    const count = 3 * CONTROL_PLANES.length + CONTROL_PLANES.length + WORKERS.length;
    expect(await componentTags(cluster)).toEqual(Array(count).fill(to));
  });

  test('the first control plane by kubeadm upgrade apply, the others by node, and the workers after them all', async () => {
    const begun = jobs();
    const [first, ...others] = begun.map(({ word }) => word);
    expect(first).toBe('apply');
    expect(new Set(others)).toEqual(new Set(['node']));
    const nodes = begun.map(({ nodeName }) => nodeName);
    expect(nodes.slice(0, 3).toSorted()).toEqual(CONTROL_PLANES);
    expect(nodes.slice(3).toSorted()).toEqual(WORKERS);
    for (const name of [...CONTROL_PLANES, ...WORKERS]) {
      const message = (await passageOf(cluster, 'hop', name))?.status.job?.message ?? '';
      const word = begun.find(({ nodeName }) => nodeName === name)?.word;
      expect(message).toContain(`to ${to} by kubeadm upgrade ${word}.`);
      expect(JSON.parse(message.trim().split('\n').at(-1) ?? '')).toEqual({
        node: name,
        kubelet: to,
        kubeadm: to,
        etcdMembers: CONTROL_PLANES.includes(name) ? 3 : 0,
      });
    }
  });

  test('one control plane at a time: by what was seen, by the ledger as it was written, and by when the pods of the Jobs ran', () => {
    expect(together(watched.glimpses, CONTROL_PLANES)).toEqual([]);
    expect(watched.glimpses.length).toBeGreaterThan(300);
    for (const name of CONTROL_PLANES) {
      expect(watched.glimpses.some(({ out, worked }) => out.includes(name) && worked.includes(name))).toBe(true);
    }
    expect(ledgers().length).toBeGreaterThan(5);
    expect(ledgers().filter((tickets) => tickets.filter(({ controlPlane }) => controlPlane).length > 1)).toEqual([]);
    const pods = jobPods(cluster.audit)
      .filter(({ nodeName }) => CONTROL_PLANES.includes(nodeName))
      .toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
    expect(pods.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    pods.forEach(({ startedAt }, index) => {
      if (index > 0) expect(startedAt).toBeGreaterThanOrEqual(pods[index - 1]?.finishedAt ?? Number.NaN);
    });
  });

  test('no worker is taken out before the last control plane is back', () => {
    const last = Math.max(...CONTROL_PLANES.map((name) => when(name, 'Succeeded')));
    expect(Math.min(...WORKERS.map((name) => when(name, 'Cordoning')))).toBeGreaterThanOrEqual(last);
  });

  test("kubeadm's addons stay old until the last control plane is upgraded", () => {
    const renewed = watched.glimpses.find(({ addons }) => addons === to)?.at ?? Number.NaN;
    const done = CONTROL_PLANES.map((name) => when(name, 'Succeeded')).toSorted((a, b) => a - b);
    const begun = CONTROL_PLANES.map((name) => when(name, 'Upgrading')).toSorted((a, b) => a - b);
    expect(renewed).toBeGreaterThan(done[1] ?? Number.NaN);
    expect(renewed).toBeGreaterThan(begun[2] ?? Number.NaN);
    expect(new Set(watched.glimpses.map(({ addons }) => addons))).toEqual(new Set([from, to]));
  });

  test('etcd never lost its quorum, and two members of three were healthy all the time', () => {
    expect(watched.quorums.length).toBeGreaterThan(300);
    expect(withoutQuorum(watched.quorums)).toEqual([]);
    expect(fewerThan(2, watched.quorums)).toEqual([]);
    // Each of them was away: it was replaced.
    for (const name of CONTROL_PLANES)
      expect(watched.quorums.some(({ healthy }) => !healthy.includes(name))).toBe(true);
  });

  test('all members have the same', async () => {
    const found = await hashes(cluster);
    expect(found.size).toBe(3);
    expect(new Set(found.values()).size).toBe(1);
  });

  test('nobody who writes was kept from it for as long as a leader has to renew its Lease', () => {
    expect(watched.writes.length).toBeGreaterThan(1_000);
    expect(longestWithout(watched.writes)).toBeLessThan(RENEW_SECONDS);
  });

  test('no budget was ever below its floor, and each was used', () => {
    const budgets = budgetsKept(seen);
    expect(budgets.map(({ counted: _, ...kept }) => kept)).toEqual(
      ['shop/orders', 'shop/web'].map((budget) => ({ budget, below: 0, isUsed: true })),
    );
    for (const { counted } of budgets) expect(counted).toBeGreaterThan(500);
  });

  test('the workload answered all the time', () => {
    expect(unanswered(seen)).toEqual([]);
    expect(seen.answers.length).toBeGreaterThan(5_000);
  });

  test('those who asked ran nearly all the time: what nobody answered meanwhile says nothing', () => {
    for (const { stalls } of [seen, watched]) {
      expect(stalls.reduce((sum, { ms }) => sum + ms, 0)).toBeLessThan(MOST_STALLED_MS);
    }
  });

  test('its own rights were enough, and Drydock deleted no pod', () => {
    expect(overstepped(cluster, unready(watched.servers, CONTROL_PLANES))).toEqual([]);
    expect(cluster.audit.podDeletions({ user: DRYDOCK })).toEqual([]);
  });

  test('the watch would have seen it: two control planes out at once (planted: two that a person cordons)', async () => {
    for (const name of ['cp1', 'cp2']) await cluster.kubectlOrThrow(['cordon', name]);
    const noticed = () => together(vigil.seen().glimpses, CONTROL_PLANES).length > 0;
    await until(noticed, { what: 'two control planes that are out are noticed', seconds: 30 });
    for (const name of ['cp1', 'cp2']) await cluster.kubectlOrThrow(['uncordon', name]);
  });

  test('and a quorum that is lost, with a client that cannot write (planted: two members that hang)', async () => {
    const away = ['cp2', 'cp3'].map((name) => cluster.machine(name));
    await freeze(...away);
    const lost = () => withoutQuorum(vigil.seen().quorums).length > 0 && fewerThan(2, vigil.seen().quorums).length > 0;
    await until(lost, { what: 'a lost quorum is noticed', seconds: 60 });
    const without = () => longestWithout(vigil.seen().writes) > RENEW_SECONDS;
    await until(without, { what: 'a client that cannot write is noticed', seconds: 60 });
    await thaw(cluster, ...away);
  });

  test('nothing is left of it on this machine', async () => {
    await vigil.stop();
    await stage.stop();
    expect(await leftovers()).toEqual([]);
  });

  /** When a passage of a node was stored in a phase, the last time: one that was set aside is returned to. */
  function when(name: string, phase: string): number {
    return stored(cluster.audit, name).findLast((step) => step.phase === phase)?.time ?? Number.NaN;
  }

  /** The Jobs that change a node, in the order in which they were made, with the last word of their commands. */
  function jobs() {
    type Job = {
      readonly metadata: { readonly labels: Labels; readonly annotations: Labels };
      readonly spec: {
        readonly template: {
          readonly spec: { readonly containers: readonly { readonly command: readonly string[] }[] };
        };
      };
    };
    return cluster.audit
      .events({ user: DRYDOCK, verb: 'create', resource: 'jobs', code: 201 })
      .map(({ requestObject }) => requestObject as Job)
      .filter(({ metadata }) => metadata.labels['drydock.dev/job'] === 'upgrade')
      .map(({ metadata, spec }) => ({
        nodeName: metadata.annotations['drydock.dev/node'] ?? '',
        word: spec.template.spec.containers[0]?.command.at(-1),
      }));
  }

  /** The tickets of the ledger, each time that it was written. */
  function ledgers() {
    type Written = { readonly status?: { readonly tickets?: readonly { readonly controlPlane: boolean }[] } };
    return cluster.audit
      .events({ user: DRYDOCK, resource: 'maintenancepolicies', subresource: 'status', code: 200 })
      .map(({ requestObject }) => (requestObject as Written).status?.tickets ?? []);
  }
});

type Labels = Readonly<Record<string, string>>;

/** An upgrade that goes on beside nodes which somebody else has taken out of service. */
function beside(made: unknown): unknown {
  const { spec, ...rest } = made as { readonly spec: { readonly rollout: object } };
  return { ...rest, spec: { ...spec, rollout: { ...spec.rollout, foreign: 'Ignore' } } };
}

type Refused = {
  readonly nodeName: string;
  readonly said: string;
  readonly inUpgrade: readonly string[];
  /** The nodes that were taken out of service so far. */
  readonly taken: readonly string[];
  readonly evicted: number;
};

/** The first control plane that the check has refused, and what had been done to the cluster by then. */
async function refusal(cluster: NodeCluster): Promise<Refused> {
  const isSetAside = ({ setAside = [] }: Partial<UpgradeStatus>) => setAside.length > 0;
  const { setAside = [] } = await upgradeIs(cluster, 'hop', 'has set a node aside', isSetAside, REFUSAL_SECONDS);
  const passages = (await passagesOf(cluster, 'hop')).filter(({ status }) => status.state.phase === 'Skipped');
  const [passage] = passages;
  const state = passage?.status.state;
  return {
    nodeName: passage?.spec.nodeName ?? '',
    said: state?.phase === 'Skipped' ? state.message : '',
    inUpgrade: setAside.map(({ reason }) => reason),
    taken: takings(cluster.audit),
    evicted: cluster.audit.evictions({ user: DRYDOCK }).asked.length,
  };
}

function figures(seen: Seen, { quorums, servers, writes, stalls }: Watched, hop: readonly Step[]): string {
  const took = (((hop.at(-1)?.at ?? 0) - (hop[0]?.at ?? 0)) / 1000).toFixed(0);
  const spans = (found: ReturnType<typeof outages>) => found.map(({ seconds }) => `${seconds.toFixed(1)} s`).join(', ');
  const twice = writes.filter(({ tries }) => tries === 2).length;
  const failed = writes.filter(({ written }) => !written).length;
  return [
    `the upgrade took ${took} s`,
    `a client that gives up after 1 s went without the API for ${spans(outages(seen.api)) || 'no time'}`,
    `API servers by themselves were away: ${unready(servers, CONTROL_PLANES)
      .map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`)
      .join(', ')}`,
    `of ${writes.length} writes ${twice} were tried twice and ${failed} failed, the longest time without one was ${longestWithout(writes).toFixed(1)} s`,
    `etcd was without a quorum for ${spans(withoutQuorum(quorums)) || 'no time'} in ${quorums.length} looks`,
    `with fewer than three members for ${spans(fewerThan(3, quorums))}`,
    `${seen.failures.length} of ${seen.answers.length + seen.failures.length} requests to the workload failed`,
    `whoever asked did not run for ${stalls.map(({ at, ms }) => `${ms} ms at ${new Date(at).toISOString()}`).join(', ') || 'no time'}`,
    budgetsKept(seen)
      .map(({ budget, counted, below }) => `${budget} below its floor in ${below} of ${counted} counts`)
      .join(', '),
  ].join('; ');
}
