import { setTimeout as sleep } from 'node:timers/promises';
import { SEEN_KINDS } from '../../src/cluster/kinds.ts';
import { dice } from '../../src/simulation/dice.ts';
import type { AtDoor, Streamed } from './fates.ts';
import { hurried, startGround, watched } from './ground.ts';
import { Truth } from './oracle.ts';
import { type Breaker, startProxy } from './proxy.ts';

/** How long, by the operator's own clock, until it turned away from a server, and until it watched again. */
export type Noticed = { readonly noticedMs: number; readonly resumedMs: number };

const SEED = 5;
const POLL_MS = 5;

/**
 * Every watch of an operator falls silent: once after it was open, bookmarks swallowed; once before it was answered. The
 * kernel of this machine answers for the proxy, so TCP keep-alive finds nothing wrong: only the operator's own patience can.
 */
export async function deadlines(hurry: number): Promise<{ readonly silent: Noticed; readonly mute: Noticed }> {
  const measured = await Promise.all([
    measure(hurry, 'silent', (proxy) => proxy.does({ is: 'streamed', by: 'silent', afterMs: 0 })),
    measure(hurry, 'mute', (proxy) => proxy.does({ is: 'door', by: 'mute' })),
  ]);
  const [silent, mute] = measured;
  return { silent, mute };
}

async function measure(hurry: number, by: Streamed | AtDoor, begin: (proxy: Breaker) => void): Promise<Noticed> {
  const chance = dice(SEED);
  const ground = await startGround(chance.fork('model'));
  const truth = new Truth(ground.api.registry.etcd);
  const proxy = await startProxy({ upstream: ground.url, dice: chance.fork('proxy'), life: [0, 0] });
  const violate = ({ text }: { readonly text: string }) => {
    throw new Error(text);
  };
  const parts = { name: by, proxy, truth, clock: hurried(hurry), dice: chance.fork('operator'), violate };
  const one = watched(parts);
  await one.synced;
  const every = SEEN_KINDS.length;
  const until = async (holds: () => boolean) => {
    while (!holds()) await sleep(POLL_MS);
  };
  await until(() => ground.api.watches.count === every);
  // A watch that is older than a moment resumes without a pause, also when it is reset.
  await sleep(2_000 / hurry);
  begin(proxy);
  await until(() => (proxy.counts.get(by) ?? 0) >= every);
  proxy.does(undefined);
  await until(() => (proxy.back.get(by)?.resumed.length ?? 0) >= every);
  const { askedAgain = [], resumed = [] } = proxy.back.get(by) ?? {};
  await one.stop();
  await proxy.stop();
  await ground.stop();
  return { noticedMs: Math.max(...askedAgain) * hurry, resumedMs: Math.max(...resumed) * hurry };
}
