import { describe, expect, it } from 'vitest';
import type { Write } from '../control-plane/hold-proxy.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { alone, atRest, expectOnePassage } from './alone.ts';
import { type Killing, killing } from './killing.ts';

/** More than any passage has, so that a loop that does not end is told. */
const MOST_WRITES = 40;
const MATRIX_SECONDS = 600;

/** The test that kills at the first write of a passage, at the second of another, and so on to the last. */
export function killAtEveryWrite(at: 'before' | 'after', what: string): void {
  const kills = killing();
  describe('kill -9 at every write of one passage of mode Cordon', () => {
    it(
      `${what}: another operator completes it, with one passage, one Job, one cordon and nothing left`,
      async () => {
        const writes: string[] = [];
        for (let n = 1; ; n += 1) {
          expect(n).toBeLessThan(MOST_WRITES);
          const write = await survived(kills, n, at);
          if (write === undefined) break;
          writes.push(write);
        }
        process.stdout.write(`killed ${at}:\n  ${writes.join('\n  ')}\n`);
        expect(writes.length).toBeGreaterThan(15);
      },
      MATRIX_SECONDS * 1000,
    );
  });
}

function counts({ path }: Write): boolean {
  return !/\/(events|leases)(\/|$|\?)/.test(path);
}

/** Kills at the n-th write of one passage; what comes back is that write, or undefined where there are fewer. */
async function survived(kills: Killing, n: number, at: 'before' | 'after'): Promise<string | undefined> {
  const { plane } = kills.ground;
  const node = `${at}-${n}`;
  await createNodes(plane, [alone(node)]);
  const from = plane.audit.mark();
  const cut = await kills.killedAt(node, 'cordon', { at, nth: n, match: counts });
  // Before: it lands now, behind the back of an operator that has already listed the world. After: nobody ever knows.
  cut?.hold.release();
  await atRest(plane, node).catch((error: unknown) => {
    throw new Error(`killed ${at} ${text(cut?.write)}: ${String(error)}\n${kills.log().slice(-4000)}`);
  });
  await expectOnePassage(kills.ground, node, from);
  await cut?.dead.proxy.stop();
  return cut === undefined ? undefined : text(cut.write);
}

function text(write: Write | undefined): string {
  return write === undefined ? '' : `${write.method} ${write.path}`;
}
