import type { Request, Response } from '../../src/simulation/request.ts';

/** What one user asked of the API server. */
export type Tally = {
  requests: number;
  /** Evictions, Events and Leases apart. */
  writes: number;
  evictionCalls: number;
  granted: number;
  refused: number;
};

/** Counts the requests of one user. */
export function tallyOf(isOne: (user: string) => boolean): {
  readonly sums: Tally;
  answered(request: Request, response: Response): void;
} {
  const sums: Tally = { requests: 0, writes: 0, evictionCalls: 0, granted: 0, refused: 0 };
  return {
    sums,
    answered: ({ method, path, user }, { status }) => {
      if (!isOne(user)) return;
      sums.requests += 1;
      if (path.endsWith('/eviction')) {
        sums.evictionCalls += 1;
        if (status < 300) sums.granted += 1;
        if (status === 429) sums.refused += 1;
      } else if (method !== 'GET' && !path.endsWith('?dryRun=All') && !/\/(events|leases)(\/|$)/.test(path))
        sums.writes += 1;
    },
  };
}
