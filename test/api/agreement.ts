import fc from 'fast-check';
import { hold, opening, policy, profile, rollout, target, upgrade, type Written } from './objects.ts';

/** A field whose rule stands in CEL and in TypeScript, and values near the edge of what it lets through. */
export type Edge = {
  readonly what: string;
  readonly written: (value: unknown) => Written;
  readonly values: fc.Arbitrary<unknown>;
};

/** Words of a language, half of them with one letter taken out, put in or changed. */
function near(pattern: RegExp, letters: string): fc.Arbitrary<string> {
  const letter = fc.constantFrom(...letters, '');
  const word = fc.stringMatching(pattern);
  const spoilt = fc.tuple(word, fc.nat(), letter, fc.boolean()).map(([text, at, put, over]) => {
    const here = at % (text.length + 1);
    return `${text.slice(0, here)}${put}${text.slice(here + (over ? 1 : 0))}`;
  });
  return fc.oneof(word, spoilt);
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,3}[a-z0-9])?([.][a-z0-9]{1,3}){0,2}$/;
const MONTH_AND_DAY = fc.tuple(fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 32 }));
const YEAR = fc.constantFrom(1900, 1996, 2000, 2023, 2024, 2026, 2028, 2100);
const two = (number: number) => String(number).padStart(2, '0');
const DAY = fc.tuple(YEAR, MONTH_AND_DAY).map(([year, [month, day]]) => `${year}-${two(month)}-${two(day)}`);
const TIME = near(/^T[01][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,3})?(Z|[-+][01][0-9]:[0-5][0-9])$/, 'TZtz:.+- 0259');
const INSTANT = fc.tuple(DAY, TIME).map((parts) => parts.join(''));
const SCHEDULE = fc.constantFrom('', '0 22 * * *');
const UNTIL = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z');
const LABEL = near(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,4}[A-Za-z0-9])?$/, 'aZ0-_./ \n');
const KEY = near(/^([a-z]{1,3}([.][a-z]{1,3})?[/])?[A-Za-z0-9]([-A-Za-z0-9_.]{0,4}[A-Za-z0-9])?$/, 'aZ0-_./ ');
const COUNTED = fc.oneof(fc.integer({ min: -2, max: 3 }), fc.constantFrom(1_000_000, 1_000_001));
const MAX = fc.oneof(COUNTED, near(/^(100|[1-9]?[0-9])%$/, '0123%. -'));
const QUANTITY = fc.oneof(
  COUNTED,
  near(/^([0-9]{1,3}([.][0-9]{0,2})?|[.][0-9])([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$/, 'KMi0.eE-+ '),
);
const IMAGE = fc.tuple(near(/^[a-z]{1,3}([.][a-z]{1,2})?(:[0-9]{2})?([/][a-z]{1,3}){0,2}$/, 'aA:@/ ._'), fc.nat(2));
const path = near(/^([/](a|b|[.]{1,3}|[.]a)){0,3}[/]?$/, 'a/.:');

/** Every field whose rule is more than a bound. */
export const EDGES: readonly Edge[] = [
  { what: 'the name of an object', written: (profileName) => hold({ profileName }), values: near(NAME, 'aA0-._ \n') },
  {
    what: 'an opening',
    written: ([from, until]) => opening({ from, until }),
    values: fc.oneof(
      fc.tuple(INSTANT, INSTANT),
      INSTANT.map((time) => [time, '2099-01-01T00:00:00Z']),
    ),
  } as Edge,
  {
    what: 'an opening in its parts',
    written: (value) => opening(value),
    values: fc.oneof(
      fc.record({ schedule: SCHEDULE, durationMinutes: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ from: fc.constant('2026-01-01T00:00:00Z'), until: UNTIL }),
      fc.record(
        {
          schedule: SCHEDULE,
          durationMinutes: fc.constant(1),
          from: fc.constant('2026-01-01T00:00:00Z'),
          until: UNTIL,
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { what: 'how many nodes', written: (maxUnavailable) => rollout({ maxUnavailable }), values: MAX },
  {
    what: 'a release',
    written: (kubernetesVersion) => target({ kubernetesVersion }),
    values: near(/^v[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{1,2}(-[0-9A-Za-z.-]{1,4})?$/, 'v01.-+a '),
  },
  { what: 'a revision', written: (revision) => target({ revision }), values: LABEL },
  {
    what: 'a target',
    written: target,
    values: fc.record(
      { kubernetesVersion: fc.constant('v1.2.3'), revision: fc.constant('a'), maxAgeDays: fc.constant(1) },
      { requiredKeys: [] },
    ),
  },
  {
    what: 'labels of nodes',
    written: ([key, value]) => upgrade({ nodes: { selector: { matchLabels: { [key]: value } } } }),
    values: fc.tuple(KEY, LABEL),
  } as Edge,
  {
    what: 'a requirement',
    written: (value) => upgrade({ nodes: { selector: { matchExpressions: [value] } } }),
    values: fc.record(
      {
        key: KEY,
        operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
        values: fc.array(LABEL, { maxLength: 2 }),
      },
      { requiredKeys: ['key', 'operator'] },
    ),
  },
  { what: 'a repository', written: (image) => policy({ images: [image] }), values: IMAGE.map(([image]) => image) },
  {
    what: 'an image',
    written: (image) => profile({ image }),
    values: IMAGE.map(([image, less]) => `${image}@sha256:${'a'.repeat(64 - less)}`),
  },
  { what: 'a quantity', written: (cpu) => profile({ resources: { limits: { cpu } } }), values: QUANTITY },
  {
    what: 'a path of the node',
    written: (value) => profile({ volumes: [{ name: 'a', hostPath: { path: value } }] }),
    values: path,
  },
  {
    what: 'a part of a volume',
    written: (subPath) =>
      profile({
        volumes: [{ name: 'a', hostPath: { path: '/' } }],
        volumeMounts: [{ name: 'a', mountPath: '/a', subPath }],
      }),
    values: path,
  },
  {
    what: 'the name of a variable',
    written: (name) => profile({ env: [{ name, value: '' }] }),
    values: near(/^(DRYDOCK_|[-._a-zA-Z])[-._a-zA-Z0-9]{0,3}$/, '0aA_-.= '),
  },
  {
    what: 'who may hold a node',
    written: (value) => ({ kind: 'NodeMaintenance', spec: { nodeName: 'worker-7', ...(value as object) } }),
    values: fc.record(
      {
        hold: fc.boolean(),
        reason: fc.constantFrom('a', ''),
        upgradeName: fc.constant('a'),
        nodeUID: fc.constant('a'),
        ticket: fc.constant('a'),
      },
      { requiredKeys: [] },
    ),
  },
];
