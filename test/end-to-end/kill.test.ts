import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Hold,
  type HoldOptions,
  type HoldProxy,
  startHoldProxy,
  type Write,
} from '../control-plane/hold-proxy.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { alone, atRest, begin, expectOnePassage, isAtRest } from './alone.ts';
import { apply, type Ground, type Operator, startGround, startOperator } from './ground.ts';
import { cordons, pinned, podsOf, upgradeJobs } from './scene.ts';
import { policy, profile } from './shop.ts';

/** More than any passage has, so that a loop that does not end is told. */
const MOST_WRITES = 40;
const MATRIX_SECONDS = 300;

/** An operator behind a proxy of its own. */
type Replica = { readonly operator: Operator; readonly proxy: HoldProxy };
type Killed = { readonly write: Write; readonly hold: Hold; readonly dead: Replica };

let ground: Ground;
/** The one that works, and the one that has seen nothing yet: it is started before the kill, but nothing passes its proxy. */
let now: Replica;
let next: Replica;

async function replica(args: readonly string[], silent: boolean): Promise<Replica> {
  const { plane } = ground;
  const proxy = await startHoldProxy(plane);
  proxy.silence(silent);
  return { operator: await startOperator(plane, { server: proxy.server, args }), proxy };
}

const solo = (silent: boolean) => replica(['--leader-elect', 'false'], silent);

/** Kills the one that works with -9 and lets the next begin. */
async function killed(): Promise<Replica> {
  const dead = now;
  await dead.operator.end('KILL');
  now = next;
  now.proxy.silence(false);
  next = await solo(true);
  await now.operator.ready();
  return dead;
}

beforeAll(async () => {
  ground = await startGround();
  const { plane, agent } = ground;
  agent.behave('*', { workSeconds: 0.1 });
  await plane.createNamespace('shop');
  await apply(plane, [
    policy(),
    profile({ prePull: false, drain: { mode: 'Cordon' } }, 'cordon'),
    profile({ prePull: true, drain: { mode: 'Drain', loadBalancer: { exclude: true, waitSeconds: 0 } } }, 'drain'),
  ]);
  now = await solo(false);
  next = await solo(true);
  await now.operator.ready();
  await createNodes(plane, [alone('warm')]);
  await begin(plane, 'warm', 'cordon');
  await atRest(plane, 'warm');
});

afterAll(async () => {
  for (const each of [now, next]) {
    await each?.operator.end();
    await each?.proxy.stop();
  }
  await ground?.stop();
});

function counts({ path }: Write): boolean {
  return !/\/(events|leases)(\/|$|\?)/.test(path);
}

/** Begins the upgrade of a fresh node and kills at a write; undefined if it was at rest before there was one. */
async function killedAt(node: string, profileName: string, options: HoldOptions): Promise<Killed | undefined> {
  const { plane } = ground;
  const hold = now.proxy.hold(options);
  let write: Write | undefined;
  void hold.reached.then((held) => {
    write = held;
  });
  await begin(plane, node, profileName);
  await until(async () => write !== undefined || (await isAtRest(plane, node)), {
    what: `the write is held, or the passage of ${node} is over`,
    everyMs: 20,
  });
  if (write === undefined) {
    hold.drop();
    return undefined;
  }
  return { write, hold, dead: await killed() };
}

/** Kills at the n-th write of one passage; what comes back is that write, or undefined where there are fewer. */
async function survived(n: number, at: 'before' | 'after'): Promise<string | undefined> {
  const { plane } = ground;
  const node = `${at}-${n}`;
  await createNodes(plane, [alone(node)]);
  const from = plane.audit.mark();
  const cut = await killedAt(node, 'cordon', { at, nth: n, match: counts });
  // Before: it lands now, behind the back of an operator that has already listed the world. After: nobody ever knows.
  cut?.hold.release();
  await atRest(plane, node).catch((error: unknown) => {
    throw new Error(`killed ${at} ${text(cut?.write)}: ${String(error)}\n${now.operator.log().slice(-4000)}`);
  });
  await expectOnePassage(ground, node, from);
  await cut?.dead.proxy.stop();
  return cut === undefined ? undefined : text(cut.write);
}

function text(write: Write | undefined): string {
  return write === undefined ? '' : `${write.method} ${write.path}`;
}

describe('kill -9 at every write of one passage of mode Cordon', () => {
  for (const at of ['before', 'after'] as const) {
    const what = at === 'before' ? 'before it, so that it lands late' : 'after it, so that its answer is lost';
    it(
      `${what}: another operator completes it, with one passage, one Job, one cordon and nothing left`,
      async () => {
        const writes: string[] = [];
        for (let n = 1; ; n += 1) {
          expect(n).toBeLessThan(MOST_WRITES);
          const write = await survived(n, at);
          if (write === undefined) break;
          writes.push(write);
        }
        process.stdout.write(`killed ${at}:\n  ${writes.join('\n  ')}\n`);
        expect(writes.length).toBeGreaterThan(15);
      },
      MATRIX_SECONDS * 1000,
    );
  }
});

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
  const { audit } = ground.plane;
  const [cordon] = cordons(audit, from, true);
  const [job] = upgradeJobs(audit, from);
  if (cordon === undefined || job === undefined) throw new Error('there is no cordon, or no Job');
  expect(job.time - cordon.stageTimestamp).toBeGreaterThanOrEqual(5_000);
}

describe('kill -9 before a chosen write of a passage of mode Drain, with a pod to evict', () => {
  for (const [index, [what, match]] of Object.entries(WRITES).entries()) {
    it(`${what} lands after all is over, and changes nothing: one passage, one Job, one cordon, nothing left`, async () => {
      const { plane } = ground;
      const node = `drain-${index}`;
      await createNodes(plane, [alone(node)]);
      await apply(plane, pinned(node, node));
      const runs = async () => (await podsOf(plane, node)).some(({ status }) => status.phase === 'Running');
      await until(runs, { what: `the pod of ${node} runs` });
      const from = plane.audit.mark();
      const cut = await killedAt(node, 'drain', { at: 'before', match });
      expect(cut?.write).toBeDefined();
      await atRest(plane, node);
      const late = plane.audit.mark();
      cut?.hold.release();
      const landed = () =>
        plane.audit.events({ from: late, where: ({ userAgent }) => userAgent === cut?.write.userAgent });
      await until(() => landed().length > 0, { what: 'it lands' });
      await atRest(plane, node);
      await expectOnePassage(ground, node, from);
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
