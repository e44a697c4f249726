import { ApiServer } from '../../src/simulation/api-server.ts';
import { DELAYS } from '../../src/simulation/controllers/delays.ts';
import { startGarbage } from '../../src/simulation/controllers/garbage.ts';
import { startNamespaces } from '../../src/simulation/controllers/namespaces.ts';
import { stage } from '../../src/simulation/controllers/scene.ts';
import { dice } from '../../src/simulation/dice.ts';
import { Etcd } from '../../src/simulation/etcd.ts';
import type { WatchEvent, Watching } from '../../src/simulation/request.ts';
import { Timeline } from '../../src/simulation/timeline.ts';
import type { Answer, Asker, Body, Line, Reader } from './asker.ts';
import { NAMESPACES } from './words.ts';

const START = Date.parse('2026-11-21T09:00:00Z');
const USER = 'drydock-test-admin';
const LONGEST_MS = 3_600_000;

/** A simulated API server, ready for claims. */
export type Simulated = { asker(name: string): Asker };

/** Puts something between a model and who asks it. */
export type Bend = (server: ApiServer) => Pick<ApiServer, 'handle' | 'watch'>;

/** Makes an API server in virtual time, in which nobody else writes but the garbage collector and who ends namespaces. */
export function startSimulated(bend: Bend = (server) => server): Simulated {
  const timeline = new Timeline(START);
  const api = new ApiServer({ etcd: new Etcd(), timeline, dice: dice(1), release: 'v1.36.4' });
  const server = bend(api);
  const scene = stage({ registry: api.registry, timeline, dice: dice(2), delays: DELAYS });
  startNamespaces(scene);
  startGarbage(scene);
  scene.resync();
  const ask = ({ method, path, body, contentType = 'application/json' }: Parameters<Asker['ask']>[0]): Answer => {
    const { status, body: said } = server.handle({ method, path, user: USER, contentType, body: plain(body) });
    return { status, body: plain(said) as Body };
  };
  for (const name of ['default', 'kube-system']) ask({ method: 'POST', path: NAMESPACES, body: namespace(name) });
  return {
    asker: (name) => ({
      name,
      ask: async (question) => ask(question),
      namespace: async () => {
        ask({ method: 'POST', path: NAMESPACES, body: namespace(name) });
        return name;
      },
      settle: async (what, condition) => {
        const end = timeline.now() + LONGEST_MS;
        while (!(await condition())) {
          if (timeline.now() > end || !timeline.step()) throw new Error(`never: ${what}`);
        }
      },
      watch: async (path) => {
        const watching = server.watch({
          method: 'GET',
          path: `${path}${path.includes('?') ? '&' : '?'}watch=true`,
          user: USER,
        });
        return 'begin' in watching
          ? reader(watching, timeline)
          : { status: watching.status, body: plain(watching.body) as Body };
      },
    }),
  };
}

/** What travels as JSON loses what JSON does not have. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

function reader(watching: Watching, timeline: Timeline): Reader {
  const told: WatchEvent[] = [];
  let isOver = false;
  watching.begin(
    (event) => told.push(event),
    () => {
      isOver = true;
    },
  );
  return {
    next: async () => {
      while (told.length === 0 && !isOver && timeline.step());
      return plain(told.shift()) as Line | undefined;
    },
    stop: () => watching.stop(),
  };
}
