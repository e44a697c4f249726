import { describe, expect, test } from 'vitest';
import {
  apiServerVersions,
  atLeast,
  type ControlPlane,
  lowest,
  minorsBetween,
  roleOf,
  runs,
  staleComponent,
  targetProblem,
  versionTrouble,
  workersMayFollow,
} from '../../src/core/version.ts';
import type { NodeView } from '../../src/core/world.ts';
import { node, pod } from '../support/build.ts';

const component = (of: string, version: string, on = 'cp-1') =>
  pod(`${of}-${on}`, {
    namespace: 'kube-system',
    nodeName: on,
    mirror: true,
    labels: { component: of },
    componentVersion: version,
  });
const plane = (server: string | undefined, ...versions: readonly string[]): ControlPlane => ({
  server,
  components: versions.map((version, index) => component('kube-apiserver', version, `cp-${index + 1}`)),
});
const kubelets = (...versions: readonly string[]): NodeView[] =>
  versions.map((kubeletVersion, index) => node(`n-${index}`, { kubeletVersion }));

describe('comparing releases', () => {
  test.each<[string, string, boolean]>([
    ['v1.36.4', 'v1.36.4', true],
    ['v1.36.10', 'v1.36.9', true],
    ['v1.9.0', 'v1.36.0', false],
    ['v1.36.3', 'v1.36.4', false],
    ['v2.0.0', 'v1.36.4', true],
    ['v1.36.4+k3s1', 'v1.36.4', true],
    ['v1.36.4', 'v1.36.4+k3s1', true],
    ['v1.36.0-rc.1', 'v1.36.0', false],
    ['v1.36.0', 'v1.36.0-rc.1', true],
    ['1.36.4', 'v1.36.4', true],
    ['', 'v1.36.4', false],
    ['unknown', 'v1.36.4', false],
    ['v1.36.4', '', false],
  ])('%s is at or above %s: %s', (version, wanted, expected) => {
    expect(atLeast(version, wanted)).toBe(expected);
  });

  test('the lowest of some', () => {
    expect(lowest(['v1.36.4', 'v1.35.9', 'v1.36.0'])).toBe('v1.35.9');
    expect(lowest([])).toBeUndefined();
  });

  test.each<[string, string, number | undefined]>([
    ['v1.35.7', 'v1.36.4', 1],
    ['v1.36.9', 'v1.36.4', 0],
    ['v1.36.4', 'v1.34.0', -2],
    ['v1.36.4', 'v2.0.0', undefined],
    ['unknown', 'v1.36.4', undefined],
  ])('minors from %s to %s', (from, to, minors) => {
    expect(minorsBetween(from, to)).toBe(minors);
  });
});

describe('what runs the control plane', () => {
  test.each<[string, ControlPlane, readonly string[]]>([
    ['its static pods', plane('v1.36.4', 'v1.36.4', 'v1.35.7'), ['v1.36.4', 'v1.35.7']],
    ['a managed one: what /version says', plane('v1.36.4'), ['v1.36.4']],
    ['nobody knows', plane(undefined), []],
    [
      'other components tell nothing of API servers',
      { server: 'v1.36.4', components: [component('etcd', '3.5.1')] },
      ['v1.36.4'],
    ],
  ])('%s', (_, controlPlane, versions) => {
    expect(apiServerVersions(controlPlane)).toEqual(versions);
  });

  test.each<[string, ControlPlane, string | undefined]>([
    ['one of the static pods answers', plane('v1.36.4', 'v1.35.7', 'v1.36.4'), undefined],
    ['another API server answers than the pods tell of', plane('v1.36.4', 'v1.35.7'), 'VersionsDisagree'],
    ['caught: the one that answers is older than all', plane('v1.34.0', 'v1.35.7'), 'VersionsDisagree'],
    ['none has answered yet', plane(undefined, 'v1.36.4'), 'VersionUnknown'],
    ['a managed one', plane('v1.36.4'), undefined],
    ['a build of the release', plane('v1.36.4+k3s1', 'v1.36.4'), undefined],
  ])('%s', (_, controlPlane, reason) => {
    expect(versionTrouble(controlPlane)?.reason).toBe(reason);
  });
});

describe('[rule 67] where a target may lead', () => {
  test.each<[string, string, ControlPlane, NodeView[], string | undefined]>([
    ['the next minor', 'v1.36.4', plane('v1.35.7', 'v1.35.7'), kubelets('v1.35.7'), undefined],
    ['a patch', 'v1.35.9', plane('v1.35.7', 'v1.35.7'), kubelets('v1.35.7'), undefined],
    ['two minors at once', 'v1.36.4', plane('v1.34.2', 'v1.34.2'), kubelets('v1.34.2'), 'MissingHop'],
    [
      'two minors from the lowest of mixed API servers',
      'v1.37.0',
      plane('v1.36.4', 'v1.36.4', 'v1.35.7'),
      [],
      'MissingHop',
    ],
    ['another major', 'v2.0.0', plane('v1.36.4', 'v1.36.4'), [], 'MissingHop'],
    ['where it is already', 'v1.36.4', plane('v1.36.4', 'v1.36.4'), kubelets('v1.31.0'), undefined],
    ['back', 'v1.34.0', plane('v1.36.4', 'v1.36.4'), kubelets('v1.36.4'), undefined],
    ['kubelets three minors older', 'v1.36.4', plane('v1.35.7', 'v1.35.7'), kubelets('v1.33.0'), undefined],
    [
      'a kubelet four minors older',
      'v1.36.4',
      plane('v1.35.7', 'v1.35.7'),
      kubelets('v1.35.7', 'v1.32.9'),
      'SkewTooWide',
    ],
    ['nobody knows from where', 'v1.36.4', plane(undefined), kubelets('v1.31.0'), undefined],
  ])('%s', (_, target, controlPlane, nodes, reason) => {
    expect(targetProblem(target, controlPlane, nodes)?.reason).toBe(reason);
  });

  test('the missing release is named', () => {
    expect(targetProblem('v1.36.4', plane('v1.34.2', 'v1.34.2'), [])).toEqual({
      reason: 'MissingHop',
      from: 'v1.34.2',
      to: 'v1.36.4',
      next: 'v1.35',
    });
  });

  test.each<[string, ControlPlane, boolean]>([
    ['every API server runs it', plane('v1.36.4', 'v1.36.4', 'v1.36.5'), true],
    ['one does not yet', plane('v1.36.4', 'v1.36.4', 'v1.35.7'), false],
    ['nobody knows', plane(undefined), false],
    ['a managed one', plane('v1.36.4'), true],
  ])('workers may follow when %s', (_, controlPlane, expected) => {
    expect(workersMayFollow('v1.36.4', controlPlane)).toBe(expected);
  });
});

describe('what a node runs', () => {
  const upgraded = { kubeletVersion: 'v1.36.4' };
  const cp = node('cp-1', { ...upgraded, controlPlane: true });
  const pods = (...of: readonly [string, string][]) => of.map(([name, version]) => component(name, version));
  test.each<[string, NodeView, ReturnType<typeof pods>, object | undefined]>([
    ['a worker: its kubelet', node('n', upgraded), [], undefined],
    ['a worker whose kubelet is behind', node('n'), [], { component: 'kubelet', has: 'v1.35.7' }],
    [
      'a control plane whose static pods follow',
      cp,
      pods(['kube-apiserver', 'v1.36.4'], ['kube-scheduler', 'v1.36.4']),
      undefined,
    ],
    [
      'a control plane with a static pod behind',
      cp,
      pods(['kube-apiserver', 'v1.36.4'], ['kube-controller-manager', 'v1.35.7']),
      { component: 'kube-controller-manager', has: 'v1.35.7' },
    ],
    ['etcd has versions of its own', cp, pods(['etcd', '3.5.1']), undefined],
    ['the static pods of another node', cp, [component('kube-apiserver', 'v1.35.7', 'cp-2')], undefined],
    ['static pods on a worker are no matter', node('cp-1', upgraded), pods(['kube-apiserver', 'v1.35.7']), undefined],
  ])('%s', (_, of, components, expected) => {
    expect(staleComponent(of, 'v1.36.4', components)).toEqual(expected);
    expect(runs(of, 'v1.36.4', components)).toBe(expected === undefined);
  });

  test.each<[string, NodeView, string | undefined, ControlPlane, string]>([
    ['a worker', node('n'), 'v1.36.4', plane('v1.35.7', 'v1.35.7'), 'worker'],
    ['the first control plane of a hop', cp, 'v1.36.4', plane('v1.35.7', 'v1.35.7', 'v1.35.7'), 'firstControlPlane'],
    ['the next, once one API server runs it', cp, 'v1.36.4', plane('v1.35.7', 'v1.36.4', 'v1.35.7'), 'controlPlane'],
    ['without a release there is no first', cp, undefined, plane('v1.35.7', 'v1.35.7'), 'controlPlane'],
    ['a patch has a first too', cp, 'v1.35.9', plane('v1.35.7', 'v1.35.7'), 'firstControlPlane'],
  ])('%s', (_, of, version, controlPlane, role) => {
    expect(roleOf(of, version, controlPlane)).toBe(role);
  });
});
