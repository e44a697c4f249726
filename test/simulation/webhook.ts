import type { PodObject } from '../../src/simulation/objects.ts';
import type { Mishaps } from './network.ts';
import { SETTING_MS, START } from './scenario.ts';
import type { World } from './world.ts';

const EVICTION = /\/namespaces\/([^/]+)\/pods\/([^/]+)\/eviction$/;
const MESSAGE = 'admission webhook "evict.test.drydock.dev" denied the request: the workload is moved first';

/** The luck of a process, with evictions denied from outside as long as the scene says. */
export function denying(world: World): Mishaps {
  const { luck, server, timeline, scenario } = world;
  if (scenario.denials.length === 0) return luck;
  const moving = new Set<string>();
  const denied = (path: string): boolean => {
    const [, namespace, name] = EVICTION.exec(path) ?? [];
    const pod = server.registry.get<PodObject>('pods', `${namespace}/${name}`);
    if (pod === undefined || luck.isOver()) return false;
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
    return found !== undefined;
  };
  return {
    ...luck,
    request: (sent) => (denied(sent.path) ? { instead: { code: 403, message: MESSAGE } } : luck.request(sent)),
  };
}
