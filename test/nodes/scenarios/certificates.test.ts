import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InUse, inUse, outdated } from '../certificates.ts';
import { chosen } from '../chosen.ts';
import { clock } from '../clock.ts';
import type { NodeCluster } from '../cluster.ts';
import { DRYDOCK, jobPods, takings } from '../history.ts';
import { apply, permissions, profile, upgrade } from '../installation.ts';
import { leftovers } from '../machines.ts';
import { judge, thisHost } from '../possible.ts';
import { nodesNow, overstepped } from '../questions.ts';
import { rolledOut } from '../rollout.ts';
import { passageOf } from '../seen.ts';
import { type Ground, setGround } from '../stage.ts';
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
const BEGIN_MS = 30 * MINUTE_MS;
const RENEWAL_SECONDS = 1_200;
const CONTROL_PLANES = ['cp1', 'cp2', 'cp3'];
const METRIC = 'drydock_certificate_expiry_timestamp_seconds';

const verdict = judge(thisHost());
const { from } = chosen();
const title = 'certificates of three control planes are renewed inside a window';

describe.skipIf(!verdict.runs)(verdict.runs ? title : `${title} (skipped: ${verdict.why})`, () => {
  let ground: Ground;
  let cluster: NodeCluster;
  let vigil: Vigil;
  let watched: Watched;
  let before: readonly InUse[];
  let after: readonly InUse[];
  let metrics: readonly ReadonlyMap<string, number>[];
  const say = clock();

  beforeAll(async () => {
    ground = await setGround([...CONTROL_PLANES, 'w1'], [from], say);
    cluster = ground.cluster;
    vigil = await keepVigil(cluster);
    await apply(cluster, [...permissions(ground.payload), profile(ground.payload, 'kubeadm-certificates')]);
    before = await inUse(cluster);
    const none = await expiry();
    say('the certificates are renewed');
    await apply(cluster, [upgrade('renewal', 'kubeadm-certificates', { maxAgeDays: 30 }, ...CONTROL_PLANES)]);
    await rolledOut(cluster, 'renewal', RENEWAL_SECONDS, say);
    const first = await expiry();
    after = await inUse(cluster);
    // The metric is of the certificate that expires first, so that it moves when that one is renewed.
    say('those of the first control plane are renewed again');
    await apply(cluster, [upgrade('again', 'kubeadm-certificates', { maxAgeDays: 30 }, oldest())]);
    await rolledOut(cluster, 'again', RENEWAL_SECONDS, say);
    metrics = [none, first, await expiry()];
    watched = vigil.seen();
    say(figures());
  }, BEGIN_MS);

  afterAll(async () => {
    await vigil?.stop();
    await ground?.stop();
  }, 2 * MINUTE_MS);

  test('every component shows the new certificate, which is the one on its disk and expires later', () => {
    expect(before.map(({ of }) => of)).toEqual(after.map(({ of }) => of));
    for (const [index, { of, serial, onDisk, until }] of after.entries()) {
      const old = before[index];
      expect({ of, serial }).toEqual({ of, serial: onDisk });
      expect(serial).not.toBe(old?.serial);
      expect(until).toBeGreaterThan(old?.until ?? Number.NaN);
    }
  });

  test('those that only ask run since their certificates were written', async () => {
    expect(await outdated(cluster)).toEqual([]);
  });

  test('the evidence says of each certificate that it expires later than before', async () => {
    for (const name of CONTROL_PLANES) {
      const message = (await passageOf(cluster, 'renewal', name))?.status.job?.message ?? '';
      const told = JSON.parse(message.trim().split('\n').at(-1) ?? '') as Told;
      expect(told.node).toBe(name);
      // The certificate of the first administrator is on the first control plane alone.
      const renewed = Object.entries(told.after).filter(([, until]) => until !== 'missing');
      expect(renewed.length).toBeGreaterThan(8);
      for (const [certificate, until] of renewed) {
        const old = told.before[certificate];
        // Authorities are made for ten years and not renewed with the rest.
        if (certificate.endsWith('ca')) expect(until).toBe(old);
        else expect(Date.parse(until)).toBeGreaterThan(Date.parse(old ?? ''));
      }
    }
  });

  test('the metric is the first expiry that is in use, and moves', () => {
    const [none, first, second] = metrics;
    expect(none?.size).toBe(0);
    const soonest = Math.min(...after.filter(({ of }) => of.startsWith('kube-apiserver')).map(({ until }) => until));
    // kubeadm tells minutes.
    expect(first?.get('apiserver')).toBe(Math.floor(soonest / MINUTE_MS) * 60);
    expect(second?.get('apiserver')).toBeGreaterThan(first?.get('apiserver') ?? Number.NaN);
    for (const [certificate, until] of second ?? []) {
      expect(until).toBeGreaterThanOrEqual(first?.get(certificate) ?? Number.NaN);
    }
  });

  test('one control plane at a time', () => {
    expect(together(watched.glimpses, CONTROL_PLANES)).toEqual([]);
    for (const name of CONTROL_PLANES) expect(watched.glimpses.some(({ worked }) => worked.includes(name))).toBe(true);
    const pods = jobPods(cluster.audit).toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
    expect(pods.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    pods.forEach(({ startedAt }, index) => {
      if (index > 0) expect(startedAt).toBeGreaterThanOrEqual(pods[index - 1]?.finishedAt ?? Number.NaN);
    });
  });

  test('nothing was cordoned and nothing evicted', async () => {
    expect(takings(cluster.audit)).toEqual([]);
    expect(cluster.audit.evictions({ user: DRYDOCK }).asked).toEqual([]);
    expect(watched.glimpses.filter(({ out }) => out.length > 0)).toEqual([]);
    expect((await nodesNow(cluster)).filter(({ isInService }) => !isInService)).toEqual([]);
  });

  test('etcd never lost its quorum, nobody was kept from writing for as long as a Lease lasts, and rights were enough', () => {
    expect(withoutQuorum(watched.quorums)).toEqual([]);
    expect(fewerThan(2, watched.quorums)).toEqual([]);
    expect(watched.writes.length).toBeGreaterThan(500);
    expect(longestWithout(watched.writes)).toBeLessThan(RENEW_SECONDS);
    expect(overstepped(cluster, unready(watched.servers, CONTROL_PLANES))).toEqual([]);
  });

  test('the look would have seen it: renewed certificates that nobody uses (planted: kubeadm certs renew alone)', async () => {
    const [machine] = cluster.controlPlanes;
    // API server and etcd take up what lies there by themselves; who only asks does not.
    await machine?.exec(['kubeadm', 'certs', 'renew', 'all'], { what: 'certificates that nobody takes into use' });
    expect(await outdated(cluster)).toEqual(['kube-controller-manager of cp1', 'kube-scheduler of cp1']);
  });

  test('nothing is left of it on this machine', async () => {
    await vigil.stop();
    await ground.stop();
    expect(await leftovers()).toEqual([]);
  });

  /** The control plane whose API server's certificate expires first. */
  function oldest(): string {
    const [first] = after
      .filter(({ of }) => of.startsWith('kube-apiserver'))
      .toSorted((a, b) => a.until - b.until)
      .map(({ of }) => of.replace('kube-apiserver of ', ''));
    return first ?? '';
  }

  /** What Drydock's metrics say, by the name of the certificate; every replica has the same caches. */
  async function expiry(): Promise<ReadonlyMap<string, number>> {
    const list = ['-n', 'drydock-system', 'get', 'pods', '-o', 'jsonpath={.items[0].metadata.name}'];
    const pod = await cluster.kubectlOrThrow(list);
    const raw = ['get', '--raw', `/api/v1/namespaces/drydock-system/pods/${pod}:8080/proxy/metrics`];
    const page = await cluster.kubectlOrThrow(raw);
    const lines = page.matchAll(new RegExp(`^${METRIC}\\{certificate="([^"]*)"\\} (\\S+)$`, 'gm'));
    return new Map([...lines].map(([, certificate = '', value]) => [certificate, Number(value)]));
  }

  function figures(): string {
    const { quorums, servers, writes } = watched;
    const spans = unready(servers, CONTROL_PLANES).map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`);
    const twice = writes.filter(({ tries }) => tries === 2).length;
    const took = jobPods(cluster.audit).map(
      ({ nodeName, startedAt = 0, finishedAt = 0 }) => `${nodeName} ${(finishedAt - startedAt) / 1000} s`,
    );
    return `the renewals took ${took.join(', ')}; API servers by themselves were away: ${spans.join(', ')}; of ${writes.length} writes ${twice} were tried twice and ${writes.filter(({ written }) => !written).length} failed, the longest time without one was ${longestWithout(writes).toFixed(1)} s; ${quorums.length} looks at etcd`;
  }
});

type Told = {
  readonly node: string;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
};
