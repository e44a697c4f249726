import { globSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KINDS } from '../../src/api/crd.ts';
import { EDGES } from '../api/agreement.ts';
import { BAD } from '../api/bad-objects.ts';
import { GOOD } from '../api/good-objects.ts';
import { IMAGE, objectOf, said, type Written } from '../api/objects.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { hasControlPlane } from '../control-plane/ladder.ts';
import { OURS, printed, resourceOf, sentence, served } from './written.ts';

const ROOT = join(import.meta.dirname, '../..');
const TRIES = 60;

let plane: ControlPlane;

/** What the API server says of an object, without keeping it: nothing, or why not. */
async function refusal(written: Written, what: string): Promise<string> {
  const path = `${OURS}/${resourceOf(written.kind)}?dryRun=All&fieldValidation=Strict`;
  return sentence(await plane.admin.request('POST', path, objectOf(written, what)));
}

/** Runs kubectl, as a person would. */
const kubectl = (args: readonly string[], input?: unknown) => printed(plane, args, input);

describe.skipIf(!(await hasControlPlane()))('the definitions on a real API server', () => {
  beforeAll(async () => {
    plane = await served();
  });

  afterAll(async () => {
    await plane?.stop();
  });

  test.each(BAD.map((bad) => [bad.what, bad] as const))('refused: %s', async (_, bad) => {
    if (!('refused' in bad)) throw new Error('a bad object is refused');
    const said = await refusal(bad, bad.what);
    expect(said).toMatch(bad.refused);
    // A rule that cannot be evaluated refuses too, but not in our words.
    expect(said).not.toMatch(/evaluating rule|no such overload|cost limit/);
  });

  test.each(GOOD.map((good) => [good.what, good] as const))('accepted: %s', async (_, good) => {
    expect(await refusal(good, good.what)).toBe('');
  });

  test.each(EDGES.map((edge) => [edge.what, edge] as const))(
    'the API server and our reader agree on %s',
    async (what, { written, values }) => {
      const agree = async (value: unknown) => {
        const theirs = await refusal(written(value), what);
        const ours = said(written(value));
        expect({ value, theirs: theirs === '' }, `${theirs} / ${ours.join()}`).toEqual({
          value,
          theirs: ours.length === 0,
        });
      };
      await fc.assert(fc.asyncProperty(values, agree), { numRuns: TRIES });
    },
  );

  test('kubectl prints what is wrong, where, and what to write instead', async () => {
    const bad = (kind: Written['kind'], spec: unknown) => objectOf({ kind, spec }, 'x');
    const applied = (object: unknown) => kubectl(['apply', '-f', '-'], object);
    const time = { from: '2026-12-05T20:00:00', until: '2026-12-06T04:00:00+09:00' };
    expect(await applied(bad('MaintenanceWindow', { timeZone: 'Asia/Seoul', openings: [time] }))).toBe(
      'The MaintenanceWindow "x" is invalid: spec.openings[0].from: Invalid value: "2026-12-05T20:00:00": must be a date and time of day with seconds and offset, in quotes, as in "2026-12-05T20:00:00+09:00" or "2026-12-05T11:00:00Z"',
    );
    expect(await applied(bad('NodeMaintenance', { nodeName: 'worker-7' }))).toBe(
      'The NodeMaintenance "x" is invalid: spec: Invalid value: write hold: true with a reason to take a node out by hand; a NodeMaintenance without hold is made by Drydock for a ClusterUpgrade',
    );
    expect(await applied(bad('MaintenancePolicy', {}))).toBe(
      'The MaintenancePolicy "x" is invalid: <nil>: Invalid value: there is one MaintenancePolicy in a cluster and its name is "cluster": write metadata.name: cluster',
    );
    expect(await applied(bad('MaintenanceWindow', { timeZone: 'Asia/Seoul', opening: [] }))).toContain(
      'strict decoding error: unknown field "spec.opening"',
    );
  });

  test('every example of deploy/ is accepted as it stands', async () => {
    const examples = globSync(join(ROOT, 'deploy/{examples,profiles}/*.yaml'));
    expect(examples.length).toBeGreaterThan(3);
    for (const example of examples) {
      const { code, stderr } = await plane.kubectl(['apply', '--dry-run=server', '-f', example]);
      expect({ example, code, stderr }).toEqual({ example, code: 0, stderr: '' });
    }
  });

  describe('what is not written', () => {
    const stored = async (kind: Written['kind'], spec: unknown, name = 'minimal') => {
      const path = `${OURS}/${resourceOf(kind)}`;
      const object = { ...objectOf({ kind, name, spec }, ''), status: { phase: 'Complete', state: { phase: 'Held' } } };
      await plane.admin.create(`${path}?fieldValidation=Ignore`, object);
      return plane.admin.get<{ spec: object; status?: object }>(`${path}/${name}`);
    };
    const freeze = { name: 'f', from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' };
    const waiting = {
      type: 'Ready',
      status: 'Unknown',
      reason: 'Pending',
      message: 'Drydock has not looked at this yet.',
      lastTransitionTime: '1970-01-01T00:00:00Z',
    };

    test('of a window', async () => {
      expect((await stored('MaintenanceWindow', { timeZone: 'UTC', freezes: [freeze] })).spec).toEqual({
        timeZone: 'UTC',
        openings: [],
        freezes: [freeze],
        onClose: 'TurnBack',
        paused: false,
      });
    });

    test('of a profile', async () => {
      const written = { image: IMAGE, commands: { worker: ['/upgrade'] } };
      expect((await stored('MaintenanceProfile', written)).spec).toEqual({
        drain: {
          mode: 'Drain',
          deadlineSeconds: 3600,
          onDeadline: 'Skip',
          emptyDir: 'Evict',
          unmanaged: 'Block',
          volumeDetachSeconds: 300,
          loadBalancer: { exclude: false, waitSeconds: 10 },
          rules: [],
        },
        image: IMAGE,
        imagePullSecrets: [],
        commands: { worker: ['/upgrade'], check: [] },
        env: [],
        volumes: [],
        volumeMounts: [],
        hostPID: false,
        hostNetwork: false,
        securityContext: {},
        resources: { requests: { cpu: '100m', memory: '128Mi' } },
        activeDeadlineSeconds: 1800,
        attempts: 1,
        prepareDeadlineSeconds: 600,
        prePull: true,
        reboot: 'Never',
        rebootDeadlineSeconds: 900,
        readySeconds: 30,
        verifyDeadlineSeconds: 600,
      });
    });

    test('of the policy, whose spec may be absent', async () => {
      expect((await stored('MaintenancePolicy', undefined, 'cluster')).spec).toEqual({
        maxUnavailable: '20%',
        freezes: [],
        paused: false,
        images: [],
      });
    });

    test('of an upgrade, and it is Pending whatever was written', async () => {
      const required = { profileName: 'p', target: { revision: 'a' }, nodes: { selector: {} }, windowNames: [] };
      const { spec, status } = await stored('ClusterUpgrade', required);
      expect(spec).toEqual({
        ...required,
        rollout: { maxUnavailable: 1, foreign: 'Count', failureThreshold: 1, retry: 0, steer: true, maxReturns: 5 },
        preflight: 'Warn',
        mode: 'Run',
        historyLimit: 10,
      });
      expect(status).toEqual({ conditions: [waiting], setAside: [], failures: [], blockers: [] });
    });

    test('of a hold, and it is Pending whatever was written', async () => {
      const { spec, status } = await stored('NodeMaintenance', { nodeName: 'worker-7', hold: true, reason: 'fan' });
      expect(spec).toEqual({ nodeName: 'worker-7', hold: true, reason: 'fan' });
      expect(status).toMatchObject({ state: { phase: 'Pending' }, conditions: [waiting] });
      const passage = { nodeName: 'worker-7', upgradeName: 'u', nodeUID: 'n', ticket: 't' };
      expect((await stored('NodeMaintenance', passage, 'passage')).spec).toEqual({ ...passage, hold: false });
    });
  });

  describe('kubectl', () => {
    test('knows the short names and the category', async () => {
      for (const { singular, shortName } of KINDS) {
        expect(await kubectl(['get', shortName, '-o', 'name'])).toContain(`${singular}.drydock.dev/`);
      }
      const all = (await kubectl(['get', 'drydock', '-o', 'name'])).split('\n').map((line) => line.split('.')[0]);
      expect(new Set(all)).toEqual(new Set(KINDS.map(({ singular }) => singular)));
    });

    test.each([
      ['clusterupgrade.spec.windowNames', '[] written on purpose means always open but for the freezes of the policy.'],
      ['dcu.spec.rollout.maxUnavailable', 'a number, or a percentage of the selected nodes without control planes'],
      ['dmp.spec.drain.gracePeriodSeconds', 'At least 1: 0 would be a force delete.'],
      ['dmw.spec.onClose', 'ENUM:\n TurnBack\n Finish'],
      ['dnm.spec.hold', 'Drain the node, then keep it out until this object is deleted.'],
      ['dpol.spec.paused', 'The big red switch: nothing new begins anywhere.'],
      ['dnm', "One node's passage through cordon, drain, upgrade, verify and uncordon"],
    ])('explains %s', async (field, text) => {
      const explained = (await kubectl(['explain', field])).replaceAll(/(?<!ENUM:|Back)\n +/g, ' ');
      expect(explained).toContain(text);
    });
  });
});
