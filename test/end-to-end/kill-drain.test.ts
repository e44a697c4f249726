import { describe, expect, it } from 'vitest';
import type { Write } from '../control-plane/hold-proxy.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { alone, atRest, expectOnePassage } from './alone.ts';
import { apply } from './ground.ts';
import { killing } from './killing.ts';
import { cordons, pinned, podsOf, upgradeJobs } from './scene.ts';

const kills = killing();

/** Writes of a passage of mode Drain, by what they do. */
const WRITES: { readonly [what: string]: (write: Write) => boolean } = {
  'the prepare Job': ({ method, path, body }) =>
    method === 'POST' && path.endsWith('/jobs') && jobOf(body) === 'prepare',
  'the cordon': ({ method, path, body }) => method === 'PATCH' && path.includes('/nodes/') && cordonIn(body) === true,
  'an eviction': ({ path }) => path.endsWith('/eviction'),
  'the upgrade Job': ({ method, path, body }) =>
    method === 'POST' && path.endsWith('/jobs') && jobOf(body) === 'upgrade',
  'the release of the Job': ({ method, path }) => method === 'PATCH' && path.includes('/jobs/'),
  'the uncordon': ({ method, path, body }) =>
    method === 'PATCH' && path.includes('/nodes/') && cordonIn(body) === false,
};

function jobOf(body: unknown): string | undefined {
  return (body as { metadata: { labels: Record<string, string> } }).metadata.labels['drydock.dev/job'];
}

function cordonIn(body: unknown): boolean | undefined {
  return (body as { spec?: { unschedulable?: boolean } }).spec?.unschedulable;
}

/** The Job came at least five seconds after the cordon that the API server took. */
function expectFiveSeconds(from: number): void {
  const { audit } = kills.ground.plane;
  const [cordon] = cordons(audit, from, true);
  const [job] = upgradeJobs(audit, from);
  if (cordon === undefined || job === undefined) throw new Error('there is no cordon, or no Job');
  expect(job.time - cordon.stageTimestamp).toBeGreaterThanOrEqual(5_000);
}

describe('kill -9 before a chosen write of a passage of mode Drain, with a pod to evict', () => {
  for (const [index, [what, match]] of Object.entries(WRITES).entries()) {
    it(`${what} lands after all is over, and changes nothing: one passage, one Job, one cordon, nothing left`, async () => {
      const { plane } = kills.ground;
      const node = `drain-${index}`;
      await createNodes(plane, [alone(node)]);
      await apply(plane, pinned(node, node));
      const runs = async () => (await podsOf(plane, node)).some(({ status }) => status.phase === 'Running');
      await until(runs, { what: `the pod of ${node} runs` });
      const from = plane.audit.mark();
      const cut = await kills.killedAt(node, 'drain', { at: 'before', match });
      expect(cut?.write).toBeDefined();
      await atRest(plane, node);
      const late = plane.audit.mark();
      cut?.hold.release();
      const landed = () =>
        plane.audit.events({ from: late, where: ({ userAgent }) => userAgent === cut?.write.userAgent });
      await until(() => landed().length > 0, { what: 'it lands' });
      await atRest(plane, node);
      await expectOnePassage(kills.ground, node, from);
      expectFiveSeconds(from);
      process.stdout.write(
        `${what}, late: ${landed()
          .map(({ code }) => code)
          .join()}\n`,
      );
      await cut?.dead.proxy.stop();
    });
  }
});
