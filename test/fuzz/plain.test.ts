import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches, type WrittenSelector } from '../../src/core/selector.ts';
import {
  apiServerVersions,
  atLeast,
  lowest,
  minorsBetween,
  targetProblem,
  workersMayFollow,
} from '../../src/core/version.ts';
import type { LabelSelector } from '../../src/simulation/objects.ts';
import { selects } from '../../src/simulation/selectors.ts';
import { node } from '../support/build.ts';
import { planted, runs } from './runs.ts';

/** Keys that labels may have, among them words that every object of the language answers to. */
const key = fc.constantFrom('app', 'tier', 'a.b/c', 'constructor', 'toString', 'valueOf');
const value = fc.constantFrom('', 'web', 'db', 'x');
const labels = fc.dictionary(key, value, { maxKeys: 4 });
const requirement = fc.record({
  key,
  operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'in', ''),
  values: fc.array(value, { maxLength: 3 }),
});
const selector = fc.record(
  { matchLabels: fc.dictionary(key, value, { maxKeys: 2 }), matchExpressions: fc.array(requirement, { maxLength: 3 }) },
  { requiredKeys: [] },
);

/** Kubernetes' own meaning (apimachinery labels/selector.go, `Matches`), said over lists of pairs and nothing else. */
function chosen(
  { matchLabels = {}, matchExpressions = [] }: WrittenSelector,
  has: Readonly<Record<string, string>>,
): boolean {
  const pairs = Object.entries(has);
  const asked = Object.entries(matchLabels).map(([key, one]) => ({ key, operator: 'In', values: [one] }));
  for (const { key, operator, values = [] } of [...asked, ...matchExpressions]) {
    const found = pairs.filter(([name]) => name === key);
    const among = found.filter(([, is]) => values.some((one) => one === is));
    const holds = {
      In: among.length > 0,
      NotIn: among.length === 0,
      Exists: found.length > 0,
      DoesNotExist: found.length === 0,
    };
    const held = Object.entries(holds).find(([name]) => name === operator)?.[1] ?? false;
    if (!held) return false;
  }
  return true;
}

describe('selectors against lists of pairs', () => {
  const property = (of: typeof matches) =>
    fc.property(selector, labels, (written, has) => {
      expect(of(written, has)).toBe(chosen(written, has));
    });

  test('mean what Kubernetes means', () => fc.assert(property(matches), runs(2000)));

  test('mean the same to the simulated cluster, where an operator that is none is refused before', () => {
    const known = selector.filter(({ matchExpressions = [] }) =>
      matchExpressions.every(({ operator }) => ['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator)),
    );
    fc.assert(
      fc.property(known, labels, (written, has) => {
        expect(selects(written as LabelSelector, has)).toBe(chosen(written, has));
      }),
      runs(500),
    );
  });

  test('planted bug: NotIn wants the label to be there', () => {
    const strict: typeof matches = (written, has) =>
      matches(written, has) &&
      (written.matchExpressions ?? []).every(({ key, operator }) => operator !== 'NotIn' || Object.hasOwn(has, key));
    expect(fc.check(property(strict), planted(500)).failed).toBe(true);
  });
});

type Release = {
  readonly minor: number;
  readonly patch: number;
  readonly early: readonly [number, number] | undefined;
};
const release = fc.record({
  minor: fc.integer({ min: 28, max: 40 }),
  patch: fc.integer({ min: 0, max: 12 }),
  early: fc.option(fc.tuple(fc.nat(2), fc.nat(12)), { freq: 3, nil: undefined }),
});
const build = fc.constantFrom('', '+k3s1', '+rke2r1', '+vmware.2');
const vendor = fc.constantFrom('-eks-3abbec1', '-gke.1190000', '-aliyun.1');

/** As distributions write it: what is early may be a build, what comes from a cloud is never early. */
const written = fc.tuple(release, build, fc.option(vendor, { freq: 3 })).map(([of, suffix, cloud]) => {
  const early = of.early === undefined ? (cloud ?? '') : `-${['alpha', 'beta', 'rc'][of.early[0]]}.${of.early[1]}`;
  return { of, text: `v1.${of.minor}.${of.patch}${early}${suffix}` };
});

/** A release as one number: an early one lies before the release it leads to. */
function rank({ minor, patch, early }: Release): number {
  const before = early === undefined ? 99 : early[0] * 20 + early[1];
  return (minor * 100 + patch) * 100 + before;
}

const api = (text: string) => ({ server: text, components: [] });

describe('versions against plain arithmetic', () => {
  const property = (of: typeof atLeast) =>
    fc.property(written, written, (one, other) => {
      expect(of(one.text, other.text)).toBe(rank(one.of) >= rank(other.of));
      expect(minorsBetween(one.text, other.text)).toBe(other.of.minor - one.of.minor);
    });

  test('at least, and how many minors between', () => fc.assert(property(atLeast), runs(1500)));

  test('planted bug: versions are compared as text', () => {
    expect(
      fc.check(
        property((one, other) => one >= other),
        planted(500),
      ).failed,
    ).toBe(true);
  });

  test('the lowest is not above any, and workers follow it', () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 5 }), written, (all, target) => {
        const low = lowest(all.map(({ text }) => text)) ?? '';
        expect(all.every(({ text }) => atLeast(text, low))).toBe(true);
        expect(all.some(({ text }) => text === low)).toBe(true);
        expect(workersMayFollow(target.text, api(target.text))).toBe(true);
      }),
      runs(300),
    );
  });

  test('a hop is one minor, and no kubelet is more than three behind what it leads to', () => {
    fc.assert(
      fc.property(written, written, fc.array(written, { maxLength: 4 }), (server, target, kubelets) => {
        const nodes = kubelets.map(({ text }, index) => node(`n-${index}`, { kubeletVersion: text }));
        const problem = targetProblem(target.text, api(server.text), nodes);
        expect(apiServerVersions(api(server.text))).toEqual([server.text]);
        const hop = target.of.minor - server.of.minor;
        const old = kubelets.some(({ of }) => target.of.minor - of.minor > 3);
        expect(problem?.reason).toBe(hop > 1 ? 'MissingHop' : hop === 1 && old ? 'SkewTooWide' : undefined);
      }),
      runs(500),
    );
  });

  test('any text at all is a version or none', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(typeof atLeast(one, other)).toBe('boolean');
        const there = minorsBetween(one, other);
        if (there !== undefined) expect(minorsBetween(other, one)).toBe(there === 0 ? 0 : -there);
      }),
      runs(500),
    );
  });
});
