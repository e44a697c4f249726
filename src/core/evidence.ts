import { attempt } from './attempt.ts';
import type { Instant } from './world.ts';

/** A name of a certificate as kubeadm gives it; a payload may write anything, and each name becomes a label of a metric. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/;
const MOST_CERTIFICATES = 32;

/**
 * When certificates of a node expire, as the payload kubeadm-certificates says it in its termination message: the last line is
 * JSON, with `after` where it has renewed them and `certificates` where it has only looked. Anything else says nothing.
 */
export function certificatesIn(message: string): ReadonlyMap<string, Instant> {
  const last = message.trimEnd().split('\n').at(-1) ?? '';
  const read = last.startsWith('{') ? attempt(() => JSON.parse(last) as unknown) : undefined;
  const { after, certificates } = (read?.ok ? read.value : {}) as { after?: unknown; certificates?: unknown };
  const said = after ?? certificates;
  if (typeof said !== 'object' || said === null) return new Map();
  const found = Object.entries(said).flatMap(([name, at]): (readonly [string, Instant])[] => {
    const expires = typeof at === 'string' ? Date.parse(at) : Number.NaN;
    return NAME.test(name) && Number.isFinite(expires) ? [[name, expires]] : [];
  });
  return new Map(found.slice(0, MOST_CERTIFICATES));
}
