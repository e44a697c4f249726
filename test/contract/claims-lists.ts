import { expect } from 'vitest';
import { type Asker, type Body, type Claim, claim } from './asker.ts';
import {
  configMap,
  configMaps,
  done,
  drop,
  get,
  NODES,
  patch,
  pod,
  pods,
  post,
  refused,
  WINDOWS,
  window,
} from './words.ts';

const names = ({ items }: Body) =>
  items.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt');

/** Five ConfigMaps, told apart by labels. */
async function five(on: Asker): Promise<string> {
  const path = configMaps(await on.namespace());
  const make = (name: string, labels: object) => done(post(on, path, configMap(name, {}, { labels })));
  await make('a', { tier: 'web', env: 'prod' });
  await make('b', { tier: 'web', env: 'test' });
  await make('c', { tier: 'db', env: 'prod' });
  await make('d', { tier: 'db' });
  await make('e', { 'example.com/team': 'x' });
  return path;
}

/** Lists by a label selector. */
async function labelled(on: Asker, selector: string): Promise<readonly string[]> {
  return names(await done(get(on, `${await five(on)}?labelSelector=${encodeURIComponent(selector)}`)));
}

const SELECTORS: readonly (readonly [string, readonly string[]])[] = [
  ['tier=web', ['a', 'b']],
  ['tier==web', ['a', 'b']],
  ['tier!=web', ['c', 'd', 'e']],
  ['tier in (web,db),env notin (test)', ['a', 'c', 'd']],
  ['env', ['a', 'b', 'c']],
  ['!env', ['d', 'e']],
  ['tier=db,env=prod', ['c']],
  ['example.com/team=x', ['e']],
  ['tier=none', []],
  ['env notin (prod)', ['b', 'd', 'e']],
];

/** What holds of lists: pages, selectors, and from when they are. */
export const LISTS: readonly Claim[] = [
  ...SELECTORS.map(([selector, expected]) =>
    claim(`The label selector "${selector}" selects ${expected.join(', ') || 'nothing'} of five`, async (on) => {
      expect(await labelled(on, selector)).toEqual(expected);
    }),
  ),
  claim('A label selector that is none is 400', async (on) => {
    const path = configMaps(await on.namespace());
    await refused(get(on, `${path}?labelSelector=${encodeURIComponent('a in (')}`), 400, 'BadRequest');
    await refused(get(on, `${path}?labelSelector=${encodeURIComponent('a==b==c')}`), 400, 'BadRequest');
  }),
  claim('The field selector metadata.name selects one, and its negation the others', async (on) => {
    const path = await five(on);
    expect(names(await done(get(on, `${path}?fieldSelector=metadata.name%3Db`)))).toEqual(['b']);
    expect(names(await done(get(on, `${path}?fieldSelector=metadata.name!%3Db`)))).toEqual(['a', 'c', 'd', 'e']);
  }),
  claim('The field selectors of pods are their node and their phase', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a', { nodeName: `${on.name}-1` })));
    await done(post(on, path, pod('b', { nodeName: `${on.name}-2` })));
    await done(post(on, path, pod('c')));
    await done(patch(on, `${path}/b/status`, { status: { phase: 'Running' } }));
    const by = async (selector: string) =>
      names(await done(get(on, `${path}?fieldSelector=${encodeURIComponent(selector)}`)));
    expect(await by(`spec.nodeName=${on.name}-1`)).toEqual(['a']);
    expect(await by('spec.nodeName=')).toEqual(['c']);
    expect(await by('spec.nodeName!=')).toEqual(['a', 'b']);
    expect(await by('status.phase=Running')).toEqual(['b']);
    expect(await by(`status.phase!=Running,spec.nodeName=${on.name}-1`)).toEqual(['a']);
  }),
  claim('The field selector of a node finds pods in all namespaces', async (on) => {
    await done(post(on, pods(await on.namespace()), pod('a', { nodeName: `${on.name}-1` })));
    const list = await done(get(on, `/api/v1/pods?fieldSelector=spec.nodeName%3D${on.name}-1`));
    expect(list.items.map(({ metadata }) => metadata.namespace)).toEqual([on.name]);
  }),
  claim('The field selector spec.unschedulable finds cordoned nodes', async (on) => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: on.name, labels: { of: on.name } } };
    await done(post(on, NODES, { ...node, spec: { unschedulable: true } }));
    const list = await done(get(on, `${NODES}?labelSelector=of%3D${on.name}&fieldSelector=spec.unschedulable%3Dtrue`));
    expect(names(list)).toEqual([on.name]);
  }),
  claim('A field selector that a resource does not know is 400', async (on) => {
    await refused(get(on, `${configMaps(await on.namespace())}?fieldSelector=data.k%3Dv`), 400, 'BadRequest');
    await refused(get(on, `${pods(await on.namespace())}?fieldSelector=spec.x%3Dv`), 400, 'BadRequest', {
      message: 'field label not supported: spec.x',
    });
    await refused(get(on, `${WINDOWS}?fieldSelector=spec.paused%3Dtrue`), 400, 'BadRequest');
  }),
  claim('The field selector metadata.name works for ours', async (on) => {
    await done(post(on, WINDOWS, window(on.name)));
    expect(names(await done(get(on, `${WINDOWS}?fieldSelector=metadata.name%3D${on.name}`)))).toEqual([on.name]);
  }),
  claim('A list with a limit comes in pages, and says how many are left', async (on) => {
    const path = `${await five(on)}?limit=2&fieldSelector=metadata.name!%3Dkube-root-ca.crt`;
    const first = await done(get(on, path));
    expect(names(first)).toEqual(['a', 'b']);
    expect(first.metadata.continue).toMatch(/./);
    // With a selector nobody counts what is left.
    expect(first.metadata).not.toHaveProperty('remainingItemCount');
    const second = await done(get(on, `${path}&continue=${encodeURIComponent(first.metadata.continue ?? '')}`));
    expect(names(second)).toEqual(['c', 'd']);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const third = await done(get(on, `${path}&continue=${encodeURIComponent(second.metadata.continue ?? '')}`));
    expect(names(third)).toEqual(['e']);
    expect(third.metadata).not.toHaveProperty('continue');
    expect(third.metadata).not.toHaveProperty('remainingItemCount');
  }),
  claim('Without a selector a page says how many are left', async (on) => {
    const path = pods(await on.namespace());
    for (const name of ['a', 'b', 'c']) await done(post(on, path, pod(name)));
    const first = await done(get(on, `${path}?limit=1`));
    expect(first.metadata.remainingItemCount).toBe(2);
    const second = await done(get(on, `${path}?limit=1&continue=${encodeURIComponent(first.metadata.continue ?? '')}`));
    expect(second.metadata.remainingItemCount).toBe(1);
  }),
  claim('A list whose limit is not reached has no token', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    expect((await done(get(on, `${path}?limit=1`))).metadata).not.toHaveProperty('continue');
  }),
  claim('All pages show the instant of the first', async (on) => {
    const path = pods(await on.namespace());
    for (const name of ['a', 'b', 'c', 'd']) await done(post(on, path, pod(name)));
    const first = await done(get(on, `${path}?limit=2`));
    await done(drop(on, `${path}/c`));
    await done(post(on, path, pod('cc')));
    const rest = await done(get(on, `${path}?limit=9&continue=${encodeURIComponent(first.metadata.continue ?? '')}`));
    expect(names(rest)).toEqual(['c', 'd']);
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(names(await done(get(on, path)))).toEqual(['a', 'b', 'cc', 'd']);
  }),
  claim('A page can be asked for twice', async (on) => {
    const path = pods(await on.namespace());
    for (const name of ['a', 'b', 'c']) await done(post(on, path, pod(name)));
    const first = await done(get(on, `${path}?limit=1`));
    const again = `${path}?limit=1&continue=${encodeURIComponent(first.metadata.continue ?? '')}`;
    expect(names(await done(get(on, again)))).toEqual(['b']);
    expect(names(await done(get(on, again)))).toEqual(['b']);
  }),
  claim('A token of nonsense is 400', async (on) => {
    const body = await refused(get(on, `${pods(await on.namespace())}?limit=1&continue=nonsense`), 400, 'BadRequest');
    expect(body.message).toContain('continue key is not valid');
  }),
  claim('A token that is too old is 410 Expired', async (on) => {
    const path = pods(await on.namespace());
    for (const name of ['a', 'b', 'c']) await done(post(on, path, pod(name)));
    const first = await done(get(on, `${path}?limit=1`));
    const next = `${path}?limit=1&continue=${encodeURIComponent(first.metadata.continue ?? '')}`;
    let at = 0;
    await on.settle('the token is too old', async () => {
      at += 1;
      // What is compacted is the past: something must have happened since.
      await done(patch(on, `${path}/a`, { metadata: { annotations: { at: String(at) } } }));
      return (await get(on, next)).status !== 200;
    });
    await refused(get(on, next), 410, 'Expired');
  }),
  claim('A list with resourceVersion=0 is answered from what is known', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    await on.settle(
      'the cache knows',
      async () => names(await done(get(on, `${path}?resourceVersion=0`))).length === 1,
    );
  }),
  claim('A list at least as new as a revision shows what was written then', async (on) => {
    const path = pods(await on.namespace());
    const { metadata } = await done(post(on, path, pod('a')));
    const list = await done(get(on, `${path}?resourceVersion=${metadata.resourceVersion}`));
    expect(names(list)).toEqual(['a']);
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(metadata.resourceVersion));
  }),
  claim('A list at a revision that has not been is 504 Timeout', async (on) => {
    const body = await refused(get(on, `${pods(await on.namespace())}?resourceVersion=99999999`), 504, 'Timeout');
    expect(body.message).toContain('Too large resource version');
  }),
  claim('A list at a resourceVersion that is no number is 400', async (on) => {
    await refused(get(on, `${pods(await on.namespace())}?resourceVersion=x`), 400, 'BadRequest');
  }),
];
