import type { Say } from '../control-plane/binaries.ts';
import { coreDNS } from './chosen.ts';
import { type NodeCluster, settled, startNodeCluster } from './cluster.ts';
import type { Image } from './images.ts';
import { bringImages, doorsOf, installDrydock, openShop } from './installation.ts';
import { type Observer, observe } from './observer.ts';
import { builtRelease } from './releases.ts';

/** A cluster with Drydock and a shop in it, and somebody who looks at both. */
export type Stage = {
  readonly cluster: NodeCluster;
  readonly payload: Image;
  readonly observer: Observer;
  stop(): Promise<void>;
};

/** Makes a cluster of one release, with everything on its nodes that the other one needs, installs Drydock and opens the shop. */
export async function setStage(names: readonly string[], from: string, to: string, say: Say): Promise<Stage> {
  const [before, after] = [await builtRelease(from, coreDNS(from)), await builtRelease(to, coreDNS(to))];
  const cluster = await startNodeCluster(names, [before, after], say);
  try {
    say(`loading what ${to} needs, Drydock and its payload onto every node`);
    const [{ payload }] = await Promise.all([
      bringImages(cluster),
      settled(cluster),
      ...cluster.machines.map((machine) => cluster.load(machine, `*-${to}.tar`)),
    ]);
    say('kubectl apply -k deploy');
    await installDrydock(cluster);
    say('opening the shop');
    await openShop(cluster);
    const observer = observe({
      server: cluster.server,
      ca: cluster.ca,
      token: await cluster.token(),
      namespace: 'shop',
      entries: doorsOf(cluster),
    });
    const stop = async () => {
      await observer.stop();
      await cluster.stop();
    };
    return { cluster, payload, observer, stop };
  } catch (error) {
    const seen = await portrait(cluster);
    await cluster.stop();
    throw new Error(`${String(error)}\n${seen}`, { cause: error });
  }
}

const LINES = '--tail=40';

/** What a person would look at first when something has gone wrong. */
export async function portrait(cluster: NodeCluster): Promise<string> {
  const questions = [
    ['get', 'nodes,pods', '-A', '-o', 'wide'],
    ['-n', 'drydock-system', 'logs', '-l', 'app.kubernetes.io/name=drydock', '--prefix', LINES],
    ['-n', 'drydock-jobs', 'logs', '-l', 'app.kubernetes.io/managed-by=drydock', '--prefix', LINES],
    ['get', 'events', '-A', '--sort-by=.lastTimestamp', '--field-selector=type=Warning'],
  ];
  const answers: string[] = [];
  for (const question of questions) {
    const { stdout, stderr } = await cluster.kubectl([...question, '--request-timeout=10s']);
    answers.push(`$ kubectl ${question.join(' ')}\n${stdout}${stderr}`);
  }
  return answers.join('\n');
}
