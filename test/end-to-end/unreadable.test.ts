import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Condition } from '../../src/api/field.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { alone, atRest, begin, expectBack, expectOnePassage } from './alone.ts';
import { apply, type Ground, must, type Operator, startGround, startOperator, USER } from './ground.ts';
import { condition } from './scene.ts';
import { paths, type SeenPassage, type SeenUpgrade, upgradeIs } from './seen.ts';
import { policy, profile } from './shop.ts';

const OURS = '/apis/drydock.dev/v1alpha1';
const CRDS = join(import.meta.dirname, '../../crds');
const LOOSE = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const BAD = ['clusterupgrades', 'nodemaintenances'] as const;

type Definition = {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly versions: readonly { readonly name: string; readonly schema: unknown }[] };
};

let ground: Ground;
let operator: Operator;

/** Lets objects in as an older schema might have done, and restores the present one. */
async function asOfOld(objects: readonly (readonly [string, object])[]): Promise<void> {
  const { plane } = ground;
  for (const plural of BAD) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.drydock.dev`;
    const { spec } = await plane.admin.get<Definition>(path);
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: LOOSE, status: LOOSE } } };
    await plane.admin.patch(path, { spec: { versions: spec.versions.map((version) => ({ ...version, schema })) } });
  }
  for (const [plural, object] of objects) {
    const made = () => plane.admin.create(`${OURS}/${plural}`, object).catch(() => undefined);
    await until(made, { what: `${plural} take anything` });
  }
  await must(plane, ['apply', '--server-side', '--force-conflicts', '-k', CRDS]);
  const strict = async () => {
    const bad = {
      apiVersion: 'drydock.dev/v1alpha1',
      kind: 'ClusterUpgrade',
      metadata: { name: 'x' },
      spec: { target: 7 },
    };
    return (await plane.admin.request('POST', `${OURS}/clusterupgrades?dryRun=All`, bad)).status >= 400;
  };
  await until(strict, { what: 'the present schema is back' });
}

function object(kind: string, name: string, spec: object): object {
  return { apiVersion: 'drydock.dev/v1alpha1', kind, metadata: { name }, spec };
}

const RULES = { windowNames: [], nodes: { selector: {} }, profileName: 'cordon' };
const target = { revision: 'r9' };
const badUpgrade = object('ClusterUpgrade', 'bad', { ...RULES, target, mode: 'Sometimes' });
/** A rule of the schema cannot even be asked of this one, so the API server refuses to write its status as well. */
const worseUpgrade = object('ClusterUpgrade', 'worse', { ...RULES, target, rollout: { steps: 'many' } });
const badPassage = object('NodeMaintenance', 'bad', { nodeName: ['untouched'], hold: 'yes' });

beforeAll(async () => {
  ground = await startGround();
  const { plane } = ground;
  await apply(plane, [policy(), profile({ prePull: false, drain: { mode: 'Cordon' } }, 'cordon')]);
  await createNodes(plane, [alone('served'), alone('later'), { name: 'untouched' }]);
});

afterAll(async () => {
  await operator?.end();
  await ground?.stop();
});

async function metric(kind: string): Promise<string | undefined> {
  const page = await (await fetch(`${operator.metrics}/metrics`)).text();
  return page.split('\n').find((line) => line.startsWith('drydock_unreadable_objects') && line.includes(kind));
}

describe('objects that the present schema would not let in', () => {
  it('are there when the operator starts: others are served', async () => {
    const { plane } = ground;
    await asOfOld([
      ['clusterupgrades', badUpgrade],
      ['clusterupgrades', worseUpgrade],
      ['nodemaintenances', badPassage],
    ]);
    operator = await startOperator(plane, { args: ['--leader-elect', 'false'] });
    await operator.ready();
    const from = plane.audit.mark();
    await begin(plane, 'served', 'cordon');
    await atRest(plane, 'served');
    await expectOnePassage(ground, 'served', from);
  });

  it('an upgrade becomes Invalid and Stalled, and says what cannot be read', async () => {
    const { status } = await upgradeIs(ground.plane, 'bad', 'is Invalid', ({ phase }) => phase === 'Invalid');
    const told = status as { readonly conditions: readonly Condition[] };
    expect(condition(told, 'Stalled')).toMatchObject({ status: 'True', reason: 'Unreadable' });
    expect(condition(told, 'Stalled').message).toContain('spec.mode');
    expect(condition(told, 'Ready').status).toBe('False');
  });

  it('an upgrade whose status cannot be written is told of by the log and the metric; it is not asked again and again', async () => {
    const { plane } = ground;
    expect(await metric('ClusterUpgrade')).toMatch(/ 2$/);
    expect(operator.log()).toMatch(/"warn".*"worse","message":"cannot be read: spec\.rollout\.steps/);
    expect(plane.audit.writes({ user: USER, name: 'worse' }).map(({ code }) => code)).toEqual([422]);
  });

  it('a passage is not written to: a line of the log and a metric tell of it, and its node is left alone', async () => {
    const { plane } = ground;
    expect(await metric('NodeMaintenance')).toMatch(/ 1$/);
    const lines = operator.log().split('\n');
    expect(lines.some((line) => line.includes('"warn"') && line.includes('NodeMaintenance'))).toBe(true);
    const touched = plane.audit.events({ user: USER, verb: ['patch', 'update', 'delete'], name: ['bad', 'untouched'] });
    expect(touched.filter(({ resource }) => resource !== 'clusterupgrades').map(({ uri }) => uri)).toEqual([]);
    const { status } = await plane.admin.get<SeenPassage>(paths.passage('bad'));
    expect(status.state.phase).toBe('Pending');
    expect(status.observedGeneration).toBeUndefined();
    await expectBack(plane, 'untouched');
  });

  it('come while the operator runs: it goes on, and forgets them when they are gone', async () => {
    const { plane } = ground;
    await plane.admin.delete(paths.passage('bad'));
    await asOfOld([['nodemaintenances', object('NodeMaintenance', 'another', { nodeName: 7 })]]);
    await until(async () => (await metric('NodeMaintenance'))?.endsWith(' 1'), { what: 'the metric tells of it' });
    const from = plane.audit.mark();
    await begin(plane, 'later', 'cordon');
    await atRest(plane, 'later');
    await expectOnePassage(ground, 'later', from);
    for (const path of [paths.passage('another'), paths.upgrade('bad'), paths.upgrade('worse')])
      await plane.admin.delete(path);
    const none = async () => {
      const lines = [await metric('NodeMaintenance'), await metric('ClusterUpgrade')];
      return lines.every((line) => line === undefined || line.endsWith(' 0'));
    };
    await until(none, { what: 'the metric forgets them' });
    expect(await plane.admin.find<SeenUpgrade>(paths.upgrade('bad'))).toBeUndefined();
  });
});
