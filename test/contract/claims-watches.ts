import { expect } from 'vitest';
import { type Asker, type Claim, claim, type Line } from './asker.ts';
import {
  configMap,
  configMaps,
  done,
  drop,
  get,
  lines,
  opened,
  patch,
  pod,
  pods,
  post,
  WINDOWS,
  window,
} from './words.ts';

const said = (all: readonly Line[]) => all.map(({ type, object }) => `${type} ${object.metadata.name}`);

/** Where a collection stands now. */
async function here(on: Asker, path: string): Promise<string> {
  const { metadata } = await done(get(on, path));
  return `${path}${path.includes('?') ? '&' : '?'}resourceVersion=${metadata.resourceVersion}`;
}

const labels = (name: string) => ({ metadata: { labels: { app: name } } });

/** What holds of watches. */
export const WATCHES: readonly Claim[] = [
  claim('A watch from the revision of a list tells what happened since, in order', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('old')));
    const from = await here(on, path);
    await done(post(on, path, configMap('a')));
    await done(patch(on, `${path}/a`, labels('x')));
    await done(drop(on, `${path}/a`));
    const watch = await opened(on, from);
    expect(said(await lines(watch, 3))).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    watch.stop();
  }),
  claim('A watch tells what happens while it is open', async (on) => {
    const path = pods(await on.namespace());
    const watch = await opened(on, await here(on, path));
    await done(post(on, path, pod('a')));
    expect(said(await lines(watch, 1))).toEqual(['ADDED a']);
    await done(patch(on, `${path}/a/status`, { status: { phase: 'Running' } }));
    expect(said(await lines(watch, 1))).toEqual(['MODIFIED a']);
    watch.stop();
  }),
  claim('A watch without a revision begins with what is there', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('b')));
    await done(post(on, path, pod('a')));
    const watch = await opened(on, path);
    expect(said(await lines(watch, 2)).toSorted()).toEqual(['ADDED a', 'ADDED b']);
    await done(patch(on, `${path}/b`, labels('x')));
    expect(said(await lines(watch, 1))).toEqual(['MODIFIED b']);
    watch.stop();
  }),
  claim('A watch from revision 0 begins with what is there too', async (on) => {
    const path = pods(await on.namespace());
    const { metadata } = await done(post(on, path, pod('a')));
    await done(get(on, `${path}?resourceVersion=${metadata.resourceVersion}`));
    const watch = await opened(on, `${path}?resourceVersion=0`);
    expect(said(await lines(watch, 1))).toEqual(['ADDED a']);
    watch.stop();
  }),
  claim('A watch tells objects as they are read, with kind and version', async (on) => {
    const path = pods(await on.namespace());
    const watch = await opened(on, await here(on, path));
    const made = await done(post(on, path, pod('a')));
    expect((await lines(watch, 1))[0]?.object).toEqual(made);
    watch.stop();
  }),
  claim('A deletion is told with the object as it was and the revision of the deletion', async (on) => {
    const path = configMaps(await on.namespace());
    const watch = await opened(on, await here(on, path));
    const made = await done(post(on, path, configMap('a')));
    await done(drop(on, `${path}/a`));
    const [, deleted] = await lines(watch, 2);
    expect(deleted).toMatchObject({
      type: 'DELETED',
      object: { kind: 'ConfigMap', metadata: { name: 'a', uid: made.metadata.uid } },
    });
    expect(Number(deleted?.object.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
    watch.stop();
  }),
  claim('What changes nothing is not told', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const watch = await opened(on, await here(on, path));
    await done(patch(on, `${path}/a`, { metadata: { labels: {} } }));
    await done(patch(on, `${path}/a`, labels('x')));
    expect((await lines(watch, 1))[0]?.object.metadata.labels).toEqual({ app: 'x' });
    watch.stop();
  }),
  claim(
    'A pod whose grace period is cut to 0 is told as changed, with no grace, before it is told as deleted',
    async (on) => {
      const path = pods(await on.namespace());
      const { metadata } = await done(post(on, path, pod('a', { nodeName: `${on.name}-1` })));
      const watch = await opened(on, await here(on, path));
      await done(drop(on, `${path}/a`));
      await done(drop(on, `${path}/a`, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } }));
      const told = await lines(watch, 3);
      expect(said(told)).toEqual(['MODIFIED a', 'MODIFIED a', 'DELETED a']);
      expect(told.map(({ object }) => object.metadata.deletionGracePeriodSeconds)).toEqual([30, 0, 0]);
      watch.stop();
    },
  ),
  claim('A pod on no node is told as changed, then as deleted, each with a revision of its own', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const watch = await opened(on, await here(on, path));
    await done(drop(on, `${path}/a`));
    const told = await lines(watch, 2);
    expect(said(told)).toEqual(['MODIFIED a', 'DELETED a']);
    const [changed, deleted] = told.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(deleted).toBeGreaterThan(changed ?? 0);
    expect(told.map(({ object }) => object.metadata.generation)).toEqual([2, 2]);
    watch.stop();
  }),
  claim(
    'What enters a selector is ADDED, what leaves it is DELETED as it was within, at the new revision',
    async (on) => {
      const path = configMaps(await on.namespace());
      await done(post(on, path, configMap('a')));
      const watch = await opened(on, await here(on, `${path}?labelSelector=app%3Dx`));
      await done(patch(on, `${path}/a`, labels('x')));
      const left = await done(patch(on, `${path}/a`, labels('y')));
      const [added, deleted] = await lines(watch, 2);
      expect(added).toMatchObject({ type: 'ADDED', object: { metadata: { labels: { app: 'x' } } } });
      expect(deleted).toMatchObject({ type: 'DELETED', object: { metadata: { labels: { app: 'x' } } } });
      expect(deleted?.object.metadata.resourceVersion).toBe(left.metadata.resourceVersion);
      watch.stop();
    },
  ),
  claim('A change within a selector is MODIFIED, one outside of it is not told', async (on) => {
    const path = configMaps(await on.namespace());
    await done(post(on, path, configMap('a', {}, { labels: { app: 'x' } })));
    await done(post(on, path, configMap('b')));
    const watch = await opened(on, await here(on, `${path}?labelSelector=app%3Dx`));
    await done(patch(on, `${path}/b`, { data: { k: 'v' } }));
    await done(patch(on, `${path}/a`, { data: { k: 'v' } }));
    expect(said(await lines(watch, 1))).toEqual(['MODIFIED a']);
    watch.stop();
  }),
  claim('A pod enters the watch of a node when it is bound to it', async (on) => {
    const path = pods(await on.namespace());
    await done(post(on, path, pod('a')));
    const watch = await opened(on, await here(on, `/api/v1/pods?fieldSelector=spec.nodeName%3D${on.name}-1`));
    await done(
      post(on, `${path}/a/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'a' },
        target: { kind: 'Node', name: `${on.name}-1` },
      }),
    );
    expect(said(await lines(watch, 1))).toEqual(['ADDED a']);
    watch.stop();
  }),
  claim('A watch of one namespace tells nothing of another', async (on) => {
    const path = configMaps(await on.namespace());
    const watch = await opened(on, await here(on, path));
    await done(post(on, configMaps('default'), configMap(on.name)));
    await done(post(on, path, configMap('a')));
    expect(said(await lines(watch, 1))).toEqual(['ADDED a']);
    watch.stop();
  }),
  claim('A watch of one name tells of that object only', async (on) => {
    const watch = await opened(on, await here(on, `${WINDOWS}?fieldSelector=metadata.name%3D${on.name}`));
    await done(post(on, WINDOWS, window(`${on.name}-other`)));
    await done(post(on, WINDOWS, window(on.name)));
    expect(said(await lines(watch, 1))).toEqual([`ADDED ${on.name}`]);
    watch.stop();
  }),
  claim('A watch ends after its timeoutSeconds', async (on) => {
    const path = pods(await on.namespace());
    const watch = await opened(on, `${await here(on, path)}&timeoutSeconds=1`);
    expect(await watch.next()).toBeUndefined();
  }),
  claim('Bookmarks are told where they are asked for, before the end at the latest', async (on) => {
    const path = pods(await on.namespace());
    const from = await here(on, path);
    const watch = await opened(on, `${from}&timeoutSeconds=4&allowWatchBookmarks=true`);
    const { metadata } = await done(post(on, path, pod('a')));
    const [, bookmark] = await lines(watch, 2);
    expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'Pod', apiVersion: 'v1' } });
    expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(metadata.resourceVersion));
    watch.stop();
  }),
  claim('A watch has no bookmark of where it began', async (on) => {
    const path = configMaps(await on.namespace());
    const { metadata } = await done(get(on, path));
    const from = Number(metadata.resourceVersion);
    const watch = await opened(on, `${path}?resourceVersion=${from}&timeoutSeconds=4&allowWatchBookmarks=true`);
    const told = await watch.next();
    // What happens elsewhere in the cluster moves a watch on, and is told as a bookmark of then.
    if (told === undefined) return;
    expect(told.type).toBe('BOOKMARK');
    expect(Number(told.object.metadata.resourceVersion)).toBeGreaterThan(from);
  }),
  claim('A watch without a wish for bookmarks has none', async (on) => {
    const path = pods(await on.namespace());
    const from = await here(on, path);
    const watch = await opened(on, `${from}&timeoutSeconds=3`);
    expect(await watch.next()).toBeUndefined();
  }),
  claim('A watch from long ago is opened, is told 410 Expired, and ends', async (on) => {
    const watch = await opened(on, `${WINDOWS}?resourceVersion=1`);
    const [{ type, object } = { type: 'none', object: undefined }] = await lines(watch, 1);
    expect(type).toBe('ERROR');
    expect(object).toMatchObject({ kind: 'Status', status: 'Failure', code: 410, reason: 'Expired' });
    expect(object?.message).toMatch(/^too old resource version: 1 \(\d+\)$/);
    expect(await watch.next()).toBeUndefined();
  }),
  claim('A watch from a revision that is no number is refused', async (on) => {
    expect(await on.watch(`${pods(await on.namespace())}?resourceVersion=x`)).toMatchObject({
      status: 500,
      body: { message: 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax' },
    });
  }),
  claim('A watch of a field that a resource does not know is 400', async (on) => {
    expect(await on.watch(`${pods(await on.namespace())}?fieldSelector=spec.x%3Dy`)).toMatchObject({ status: 400 });
  }),
  claim('A watch of what is not served is 404', async (on) => {
    expect(await on.watch('/api/v1/dragons')).toMatchObject({ status: 404 });
  }),
  claim('A watch from the future tells nothing until then', async (on) => {
    const path = pods(await on.namespace());
    const { metadata } = await done(get(on, path));
    const later = Number(metadata.resourceVersion) + 2;
    const watch = await opened(on, `${path}?resourceVersion=${later}&timeoutSeconds=5`);
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const made = await done(post(on, path, pod(name)));
      if (Number(made.metadata.resourceVersion) > later) told.push(`ADDED ${name}`);
    }
    // A real API server has other writers, so that it may come true a pod or two earlier, and more than one is told.
    expect(told.at(-1)).toBe('ADDED c');
    expect(said(await lines(watch, told.length))).toEqual(told);
    watch.stop();
  }),
];
