import { dice } from '../../src/simulation/dice.ts';
import { profile } from '../end-to-end/shop.ts';

/** What the container of a payload that saves etcd is told, by which it is known. */
export const SAVES = 'SAVES';
/** What it says when it has. */
export const SAVED = 'Saved.\n{"name":"etcd.db","revision":812,"sizeBytes":4096,"hash":77}';

type Spec = Readonly<Record<string, unknown>>;

/** The part of the scene in which etcd is saved before the first control plane, where a seed draws it. */
export type Saving = { readonly profiles: readonly unknown[]; readonly upgrade: Spec };

/** Draws whether the upgrade to a release begins with a snapshot of etcd, and how old that may be. */
export function drawSaving(seed: number, controlPlanes: number): Saving {
  const chance = dice(seed).fork('snapshot');
  if (controlPlanes === 0 || !chance.chance(0.25)) return { profiles: [], upgrade: {} };
  const spec = {
    drain: { mode: 'Leave' },
    env: [{ name: SAVES, value: 'etcd' }],
    readySeconds: chance.pick([1, 10]),
    attempts: chance.pick([1, 2]),
    prePull: chance.chance(0.5),
  };
  const etcdSnapshot = { profileName: 'etcd-snapshot', maxAgeSeconds: chance.pick([300, 3600]) };
  return { profiles: [profile(spec, 'etcd-snapshot')], upgrade: { etcdSnapshot } };
}
