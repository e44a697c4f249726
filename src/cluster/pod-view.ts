import type { Controller, PodView } from '../core/world.ts';
import { condition, instant, list, number, type Raw, record, text, words } from './raw.ts';
import { evictedAfterSeconds, toleratesCordon } from './toleration.ts';
import type { Door } from './views.ts';

const COMPONENTS = new Set(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']);
/** The kubelet bounds termination messages by the same number. */
const LONGEST_MESSAGE = 4096;

/** The part of a Pod that Drydock keeps: there are many more pods than anything else. */
export function podView(raw: Raw, { pool, jobsNamespace }: Door): Omit<PodView, 'name' | 'uid' | 'resourceVersion'> {
  const metadata = record(raw['metadata']);
  const spec = record(raw['spec']);
  const status = record(raw['status']);
  const namespace = pool.text(text(metadata['namespace']));
  const labels = pool.words(words(metadata['labels']));
  const controller = controllerOf(metadata, pool.text);
  const volumes = list(spec['volumes']).map(record);
  const finalizers = list(metadata['finalizers']).map(text);
  const evictedAfter = evictedAfterSeconds(spec['tolerations']);
  const component = namespace === 'kube-system' ? componentVersion(labels, spec) : undefined;
  return {
    namespace,
    nodeName: pool.text(text(spec['nodeName'])),
    phase: pool.text(text(status['phase'])),
    ready: condition(status, 'Ready')['status'] === 'True',
    createdAt: instant(metadata['creationTimestamp']),
    ...(evictedAfter === undefined ? {} : { evictedAfterSeconds: evictedAfter }),
    ...(metadata['deletionTimestamp'] == null ? {} : { deletedAt: instant(metadata['deletionTimestamp']) }),
    labels,
    toleratesCordon: toleratesCordon(spec['tolerations']),
    mirror: record(metadata['annotations'])['kubernetes.io/config.mirror'] !== undefined,
    ...(controller === undefined ? {} : { controller }),
    emptyDir: volumes.some((volume) => volume['emptyDir'] != null),
    claims: keepNone(volumes.flatMap((volume) => claim(volume, text(metadata['name'])))),
    finalizers: keepNone(finalizers),
    ...(component === undefined ? {} : { componentVersion: pool.text(component) }),
    ...(namespace === jobsNamespace ? firstContainer(status) : {}),
  };
}

const NONE: readonly string[] = [];

/** One empty list for all: an empty array of its own costs each of 150,000 pods 16 bytes twice. */
function keepNone(found: readonly string[]): readonly string[] {
  return found.length === 0 ? NONE : found;
}

function controllerOf(metadata: Raw, intern: (value: string) => string): Controller | undefined {
  const owner = list(metadata['ownerReferences'])
    .map(record)
    .find((each) => each['controller'] === true);
  if (owner === undefined) return undefined;
  return { kind: intern(text(owner['kind'])), name: intern(text(owner['name'])), uid: intern(text(owner['uid'])) };
}

/** A claim that the pod names, or the one that Kubernetes makes for a generic ephemeral volume: pod, hyphen, volume. */
function claim(volume: Raw, pod: string): string[] {
  const named = text(record(volume['persistentVolumeClaim'])['claimName']);
  if (named !== '') return [named];
  return volume['ephemeral'] == null ? [] : [`${pod}-${text(volume['name'])}`];
}

function componentVersion(labels: Readonly<Record<string, string>>, spec: Raw): string | undefined {
  if (!COMPONENTS.has(labels['component'] ?? '')) return undefined;
  const image = text(record(list(spec['containers'])[0])['image']).split('@')[0] ?? '';
  const tag = image.slice(image.lastIndexOf('/') + 1).split(':')[1];
  return tag === undefined || tag === '' ? undefined : tag;
}

function firstContainer(status: Raw): Pick<PodView, 'ended' | 'waiting'> {
  const state = record(record(list(status['containerStatuses'])[0])['state']);
  const scheduled = condition(status, 'PodScheduled');
  if (scheduled['status'] === 'False') return { waiting: why(scheduled) };
  if (state['terminated'] != null) {
    const { exitCode, message, reason } = record(state['terminated']);
    return {
      ended: { exitCode: number(exitCode), message: (text(message) || text(reason)).slice(0, LONGEST_MESSAGE) },
    };
  }
  return state['waiting'] == null ? {} : { waiting: why(record(state['waiting'])) };
}

function why({ reason, message }: Raw): NonNullable<PodView['waiting']> {
  return { reason: text(reason), message: text(message).slice(0, LONGEST_MESSAGE) };
}
