import type { Say } from '../control-plane/binaries.ts';
import { coreDNS } from './chosen.ts';
import { type NodeCluster, settled, startNodeCluster } from './cluster.ts';
import type { Image } from './images.ts';
import { bringImages, doorsOf, installDrydock, openShop } from './installation.ts';
import { type Observer, observe } from './observer.ts';
import { builtRelease, type Release } from './releases.ts';

/** A cluster with Drydock in it. */
export type Ground = {
  readonly cluster: NodeCluster;
  readonly payload: Image;
  stop(): Promise<void>;
};

/** The same with a shop, and somebody who looks at both. */
export type Stage = Ground & { readonly observer: Observer };

/** Makes a cluster of the first release, with everything on its nodes that it and the others need, and installs Drydock. */
export async function setGround(
  names: readonly string[],
  versions: readonly [runs: string, ...later: string[]],
  say: Say,
): Promise<Ground> {
  const [from, ...later] = versions;
  const others: Release[] = [];
  const first = await builtRelease(from, coreDNS(from));
  for (const each of later) others.push(await builtRelease(each, coreDNS(each)));
  const cluster = await startNodeCluster(names, [first, ...others], say);
  try {
    say(`loading what ${versions.join(' and ')} need, Drydock and its payload onto every node`);
    const [{ payload }] = await Promise.all([
      bringImages(cluster),
      settled(cluster),
      ...cluster.machines.flatMap((machine) => later.map((each) => cluster.load(machine, `*-${each}.tar`))),
    ]);
    say('kubectl apply -k deploy');
    await installDrydock(cluster);
    return { cluster, payload, stop: () => cluster.stop() };
  } catch (error) {
    return fallen(cluster, error);
  }
}

/** Opens the shop, and has somebody look at it from now on. */
export async function openStage({ cluster, payload }: Ground, say: Say): Promise<Stage> {
  try {
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
    return fallen(cluster, error);
  }
}

/** A ground for an upgrade from one release to another, with the shop open. */
export async function setStage(names: readonly string[], from: string, to: string, say: Say): Promise<Stage> {
  return openStage(await setGround(names, [from, to], say), say);
}

async function fallen(cluster: NodeCluster, error: unknown): Promise<never> {
  const seen = await portrait(cluster);
  await cluster.stop();
  throw new Error(`${String(error)}\n${seen}`, { cause: error });
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
