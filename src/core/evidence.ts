import type { TakenSnapshot } from '../api/etcd-snapshot.ts';
import { attempt } from './attempt.ts';
import type { Instant } from './world.ts';

/** A name of a certificate as kubeadm gives it; a payload may write anything, and each name becomes a label of a metric. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/;
const MOST_CERTIFICATES = 32;

/** What a payload says besides its sentence: the last line of its termination message, as JSON. */
function evidenceIn(message: string): Readonly<Record<string, unknown>> {
  const last = message.trimEnd().split('\n').at(-1) ?? '';
  const read = last.startsWith('{') ? attempt(() => JSON.parse(last) as Readonly<Record<string, unknown>>) : undefined;
  return read?.ok ? read.value : {};
}

/** Whether a payload says that it has armed a reboot; undefined: it says nothing of that. */
export function rebootArmedIn(message: string): boolean | undefined {
  const { rebootArmed } = evidenceIn(message);
  return typeof rebootArmed === 'boolean' ? rebootArmed : undefined;
}

/**
 * When certificates of a node expire, as the payload kubeadm-certificates says it: `after` where it has renewed them and
 * `certificates` where it has only looked. Anything else says nothing.
 */
export function certificatesIn(message: string): ReadonlyMap<string, Instant> {
  const { after, certificates } = evidenceIn(message);
  const said = after ?? certificates;
  if (typeof said !== 'object' || said === null) return new Map();
  const found = Object.entries(said).flatMap(([name, at]): (readonly [string, Instant])[] => {
    const expires = typeof at === 'string' ? Date.parse(at) : Number.NaN;
    return NAME.test(name) && Number.isFinite(expires) ? [[name, expires]] : [];
  });
  return new Map(found.slice(0, MOST_CERTIFICATES));
}

const MOST_LETTERS = 253;

/** The snapshot that a payload says it took and looked into. One that leaves out what was found in it says nothing. */
export function snapshotIn(message: string): Omit<TakenSnapshot, 'time'> | undefined {
  const { name, revision, sizeBytes, hash } = evidenceIn(message);
  if (typeof name !== 'string' || name === '' || name.length > MOST_LETTERS) return undefined;
  return isCount(revision) && isCount(sizeBytes) && isCount(hash) && revision > 0 && sizeBytes > 0
    ? { name, revision, sizeBytes, hash }
    : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
