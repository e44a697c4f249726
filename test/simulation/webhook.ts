import type { PodObject } from '../../src/simulation/objects.ts';
import type { Mishap, Mishaps } from './network.ts';
import { SETTING_MS, START } from './scenario.ts';
import type { World } from './world.ts';

const EVICTION = /\/namespaces\/([^/]+)\/pods\/([^/]+)\/eviction$/;
const NAME = 'evict.test.drydock.dev';
/** What the API server says where a webhook denies, where it does not answer, and where a policy refuses. */
const ANSWERS = {
  denies: { code: 403, message: `admission webhook "${NAME}" denied the request: the workload is moved first` },
  fails: { code: 500, message: `Internal error occurred: failed calling webhook "${NAME}": connection refused` },
  refuses: { code: 403, message: `pods is forbidden: ValidatingAdmissionPolicy '${NAME}' denied request` },
} as const;

/** The luck of a process, with evictions denied from outside as long as the scene says. */
export function denying(world: World): Mishaps {
  const { luck, server, timeline, scenario } = world;
  if (scenario.denials.length === 0) return luck;
  const moving = new Set<string>();
  const denied = (path: string): Mishap | undefined => {
    const [, namespace, name] = EVICTION.exec(path) ?? [];
    const pod = server.registry.get<PodObject>('pods', `${namespace}/${name}`);
    if (pod === undefined || luck.isOver()) return undefined;
    const at = timeline.now() - START - SETTING_MS;
    const app = pod.metadata.labels?.['app'];
    const found = scenario.denials.find((each) => each.app === app && at >= each.fromMs && at < each.untilMs);
    const { uid } = pod.metadata;
    if (found?.movesAfterMs !== undefined && !moving.has(uid)) {
      moving.add(uid);
      const preconditions = { uid };
      timeline.after(found.movesAfterMs, () => {
        world.ask('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, { preconditions }, true);
      });
    }
    return found === undefined ? undefined : { instead: ANSWERS[found.how] };
  };
  return {
    ...luck,
    request: (sent) => denied(sent.path) ?? luck.request(sent),
  };
}
