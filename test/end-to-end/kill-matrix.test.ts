import { describe, expect, it } from 'vitest';
import type { Write } from '../control-plane/hold-proxy.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { alone, atRest, begin, expectOnePassage } from './alone.ts';
import { USER } from './ground.ts';
import { killing, type LifeOf } from './killing.ts';

/** How many writes the later operators of a second passage live for: what comes of a kill shows in them, and not at once. */
const LONGER = 4;
const METHODS: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE' };

const kills = killing();

async function survived(node: string, at: 'before' | 'after', lifeOf: LifeOf): Promise<readonly string[]> {
  const { plane } = kills.ground;
  await createNodes(plane, [alone(node)]);
  const from = plane.audit.mark();
  const killed = await kills.killedAgain(node, 'cordon', lifeOf);
  const writes = killed.map(text);
  await atRest(plane, node).catch((error: unknown) => {
    throw new Error(`killed ${at}:\n${writes.join('\n')}\n${String(error)}\n${kills.log().slice(-4000)}`);
  });
  await expectOnePassage(kills.ground, node, from);
  process.stdout.write(`killed ${at}:\n  ${writes.join('\n  ')}\n`);
  return writes;
}

/** What an operator writes whom nobody kills. */
async function undisturbed(node: string): Promise<readonly string[]> {
  const { plane } = kills.ground;
  await createNodes(plane, [alone(node)]);
  const from = plane.audit.mark();
  await begin(plane, node, 'cordon');
  await atRest(plane, node);
  const written = plane.audit.writes({ user: USER, from });
  return written.map(({ verb, uri }) => text({ method: METHODS[verb] ?? verb, path: uri }));
}

describe('kill -9 at every write of one passage of mode Cordon, of each operator at the one after that of the last', () => {
  it.each([
    { at: 'before', so: 'that it lands late' },
    { at: 'after', so: 'that its answer is lost' },
  ] as const)(
    '$at it, so $so: the last completes it, with one passage, one Job, one cordon and nothing left',
    async ({ at }) => {
      // A write that is yet to land is tried by the next operator as well.
      const atNext: LifeOf = (last) => ({
        at,
        match: (write) => counts(write) && (last === undefined || meaning(write) !== meaning(last)),
      });
      const later: LifeOf = (last) => ({ at, nth: last === undefined ? 1 : LONGER, match: counts });
      const expected = await undisturbed(`${at}-0`);
      const writes = await survived(`${at}-1`, at, atNext);
      expect(new Set(writes.map(kindOf))).toEqual(new Set(expected.map(kindOf)));
      expect(writes.length).toBeGreaterThan(15);
      expect((await survived(`${at}-2`, at, later)).length).toBeGreaterThanOrEqual(4);
    },
  );
});

function counts({ path }: Pick<Write, 'path'>): boolean {
  return !/\/(events|leases)(\/|$|\?)/.test(path);
}

function text({ method, path }: Pick<Write, 'method' | 'path'>): string {
  return `${method} ${path.replace(/\?.*/, '')}`;
}

/** What a write does, and to which version: the same for a write and for another operator's try at it. */
function meaning(write: Write): string {
  const version = /"resourceVersion":"(\d+)"/.exec(JSON.stringify(write.body) ?? '')?.[1];
  return `${text(write)} ${version}`;
}

/** A write without the name of the object. */
function kindOf(write: string): string {
  return write.replace(/\/(nodes|jobs|nodemaintenances|clusterupgrades|maintenancepolicies)\/[^/]+/, '/$1/*');
}
