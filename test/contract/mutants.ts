import type { ApiServer } from '../../src/simulation/api-server.ts';
import { type BudgetObject, keyOf } from '../../src/simulation/objects.ts';
import type { Request } from '../../src/simulation/request.ts';

/** What a client sees of an API server. */
export type Face = Pick<ApiServer, 'handle' | 'watch'>;

/** A model with one mistake, and a claim that must find it. */
export type Mutant = { readonly mistake: string; readonly found: string; readonly bend: (server: ApiServer) => Face };

const BUDGETS = 'poddisruptionbudgets.policy';

function face(server: ApiServer, handle: Face['handle']): Face {
  return { handle, watch: (request) => server.watch(request) };
}

/** Sends each request on, bent. */
function bent(server: ApiServer, bend: (request: Request) => Request): Face {
  return face(server, (request) => server.handle(bend(request)));
}

type Named = { readonly metadata?: Readonly<Record<string, unknown>> };

/** Models that are wrong in one thing each: the claims must tell them from a true one. */
export const MUTANTS: readonly Mutant[] = [
  {
    mistake: 'evictions take nothing from the budget',
    found: 'An eviction that the budget allows takes one from its allowance and notes the pod',
    bend: (server) =>
      face(server, (request) => {
        const before = request.path.includes('/eviction') ? server.registry.list<BudgetObject>(BUDGETS) : [];
        const response = server.handle(request);
        for (const { status, ...budget } of before) {
          server.registry.write<BudgetObject>(BUDGETS, keyOf(budget), 'mutant', (now) => ({ ...now, status }));
        }
        return response;
      }),
  },
  {
    mistake: 'a PUT does not look at the resourceVersion',
    found: 'A PUT with an old resourceVersion is 409 Conflict',
    bend: (server) =>
      bent(server, (request) => {
        if (request.method !== 'PUT') return request;
        const { metadata, ...body } = request.body as Named;
        const { resourceVersion: _, ...others } = metadata ?? {};
        return { ...request, body: { ...body, metadata: others } };
      }),
  },
  {
    mistake: 'a deletion does not look at its preconditions',
    found: 'A deletion with another UID is 409 Conflict and deletes nothing',
    bend: (server) =>
      bent(server, (request) => {
        if (request.method !== 'DELETE') return request;
        return { ...request, body: { ...(request.body as object | undefined), preconditions: {} } };
      }),
  },
  {
    mistake: 'a dry run is meant',
    found: 'A dry run of a deletion deletes nothing',
    bend: (server) => bent(server, (request) => ({ ...request, path: request.path.replace('dryRun=All', '') })),
  },
  {
    mistake: 'a pod always has its grace period',
    found: 'A pod deleted with a grace period of 0 is gone at once',
    bend: (server) => bent(server, (request) => (request.method === 'DELETE' ? { ...request, body: {} } : request)),
  },
  {
    mistake: 'what leaves a selector is not told',
    found: 'What enters a selector is ADDED, what leaves it is DELETED as it was within, at the new revision',
    bend: (server) => ({
      handle: (request) => server.handle(request),
      watch: (request) => {
        const watching = server.watch(request);
        if (!('begin' in watching)) return watching;
        return {
          begin: (tell, ended) =>
            watching.begin((event) => (event.type === 'DELETED' ? undefined : tell(event)), ended),
          stop: () => watching.stop(),
        };
      },
    }),
  },
];
