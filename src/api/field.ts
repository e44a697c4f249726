import { z } from 'zod';
import { type Rule, rule, ruled } from './rule.ts';

/** The kinds of list the API server distinguishes when two managers apply one object. */
type ListType = { readonly as: 'atomic' | 'set' } | { readonly as: 'map'; readonly by: string };

/** Free text. Every string has a bound: the CEL cost estimator and etcd both want it. */
export function text(maxLength: number, description: string) {
  return z.string().max(maxLength).describe(description);
}

/** Text that a pattern must match, said to the API server and to us as one pattern: only what RE2 and JavaScript share. */
export function matching<S extends z.ZodType<string>>(schema: S, pattern: RegExp, message: string): S {
  return ruled(
    schema,
    rule(matchesCel('self', pattern), message, (value) => pattern.test(value)),
  );
}

/** That some text matches a pattern, in CEL; raw, so that a backslash stays one. */
export function matchesCel(value: string, pattern: RegExp): string {
  return `${value}.matches(r'${pattern.source}')`;
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The name of an object: a DNS subdomain, as Kubernetes names things. */
export function name(description: string, maxLength = 253) {
  return matching(
    z.string().max(maxLength).describe(description),
    NAME,
    'must be the name of an object: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit, as in "worker-7"',
  );
}

/** A set of names of objects. */
export function names(maxItems: number, description: string) {
  return list(name('The name of one.'), maxItems, { as: 'set' }, description);
}

/** A number of seconds, the unit being in the field's name. */
export function seconds(description: string, from = 0, to = 604_800) {
  return z.int().min(from).max(to).describe(description);
}

/** A count. */
export function count(description: string, from = 0, to = 1_000_000) {
  return z.int().min(from).max(to).describe(description);
}

/** A bounded list that says how two managers share it. */
export function list<S extends z.ZodType>(item: S, maxItems: number, type: ListType, description: string) {
  const keys = type.as === 'map' ? { 'x-kubernetes-list-map-keys': [type.by] } : {};
  return z
    .array(item)
    .max(maxItems)
    .meta({ 'x-kubernetes-list-type': type.as, ...keys, description });
}

/** A set of names or words: two managers may each own some of it. */
export function set(maxItems: number, maxLength: number, description: string) {
  return list(z.string().min(1).max(maxLength), maxItems, { as: 'set' }, description);
}

/** An instant that Drydock writes. */
export function time(description: string) {
  return z.iso.datetime({ offset: true }).max(40).describe(description);
}

const DAY =
  '(([0-9]{2}([2468][048]|[13579][26]|0[48])|([02468][048]|[13579][26])00)-02-29|[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))';
const INSTANT = new RegExp(
  `^${DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,3})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`,
);

/**
 * An instant that people write. Not `format: date-time`: of a time without its offset the API server then only says that it
 * is not of that type. Quote it in YAML: 1.1 readers turn bare times into dates.
 */
export function instant(description: string) {
  return matching(
    z.string().max(64).describe(description),
    INSTANT,
    'must be a date and time of day with seconds and offset, in quotes, as in "2026-12-05T20:00:00+09:00" or "2026-12-05T11:00:00Z"',
  );
}

type Stretch = { readonly from?: string | undefined; readonly until?: string | undefined };

/** That a stretch of time ends after it begins. What is no instant has been refused by itself, in better words. */
export function untilAfterFrom(): Rule<Stretch> {
  const isInstant = (field: string) => `(has(self.${field}) && ${matchesCel(`self.${field}`, INSTANT)})`;
  return rule(
    `${isInstant('from')} && ${isInstant('until')} ? timestamp(self.from) < timestamp(self.until) : true`,
    'until must be later than from',
    ({ from, until }) => from === undefined || until === undefined || !(Date.parse(from) >= Date.parse(until)),
  );
}

/** A union of words, as an enum. */
export function word<const W extends readonly [string, ...string[]]>(words: W, description: string) {
  return z.enum(words).describe(description);
}

const LABEL_KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const LABEL_KEY_MESSAGE = 'must be the key of a label, as in "topology.kubernetes.io/zone"';

/** The value of a label. */
export function labelValue(description: string) {
  return matching(
    text(63, description),
    LABEL_VALUE,
    'must be a label value: at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit, as in "2026-11-os"',
  );
}

function labels(description: string) {
  const map = z.record(z.string().max(317), labelValue('The value.')).meta({ description, maxProperties: 32 });
  return ruled(
    map,
    rule(`self.all(key, ${matchesCel('key', LABEL_KEY)})`, `every key ${LABEL_KEY_MESSAGE}`, (value) =>
      Object.keys(value).every((key) => LABEL_KEY.test(key)),
    ),
  );
}

const requirement = (mostValues: number) =>
  ruled(
    z.object({
      key: matching(text(317, 'The label.'), LABEL_KEY, LABEL_KEY_MESSAGE),
      operator: word(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'How the label is compared.'),
      values: list(labelValue('A value.'), mostValues, { as: 'atomic' }, 'The values, for In and NotIn.').optional(),
    }),
    rule(
      "(has(self.values) && size(self.values) > 0) == (self.operator in ['In', 'NotIn'])",
      'In and NotIn need values; Exists and DoesNotExist take none',
      ({ operator, values = [] }) => values.length > 0 === (operator === 'In' || operator === 'NotIn'),
    ),
  );

/** A label selector with Kubernetes' own meaning: `{}` selects everything. The fewer values it may have, the oftener it may stand. */
export function selector(description: string, mostValues = 32) {
  return z
    .object({
      matchLabels: labels('Labels that must all be there with these values.').optional(),
      matchExpressions: list(
        requirement(mostValues),
        16,
        { as: 'atomic' },
        'Requirements that must all hold.',
      ).optional(),
    })
    .describe(description);
}

const PERCENTAGE = /^(100|[1-9][0-9]?)%$/;
const MOST = 1_000_000;

/** An integer of at least one or a percentage of at most 100: how many at once. */
export function share(description: string) {
  return ruled(
    z.union([z.int(), z.string().max(32)]).meta({ 'x-kubernetes-int-or-string': true, description }),
    rule(
      `type(self) == int ? self >= 1 && self <= ${MOST} : ${matchesCel('string(self)', PERCENTAGE)}`,
      'must be a whole number of at least 1, without quotes, or a percentage from "1%" to "100%"; to stop, use mode: Paused on the ClusterUpgrade or paused: true on the MaintenancePolicy',
      (value) => (typeof value === 'number' ? value >= 1 && value <= MOST : PERCENTAGE.test(value)),
    ),
  );
}

/** The conditions of an object, keyed by type as every Kubernetes tool expects. */
export function conditions() {
  return list(
    z.object({
      type: text(63, 'Which condition.'),
      status: word(['True', 'False', 'Unknown'], 'Whether it holds.'),
      observedGeneration: z.int().min(0).describe('The generation of the spec this was said of.').optional(),
      lastTransitionTime: time('When the status last changed.'),
      reason: text(63, 'A stable word for machines.'),
      message: text(4096, 'A sentence for people.'),
    }),
    8,
    { as: 'map', by: 'type' },
    'What holds for this object, in a form that every Kubernetes tool can read.',
  );
}

/** A condition as stored. */
export type Condition = z.output<ReturnType<typeof conditions>>[number];

/** Stretches of time in which nothing may begin. */
export function freezes(description: string) {
  return list(
    ruled(
      z.object({
        name: text(63, 'What people call it, as in "year-end".').min(1),
        from: instant('Its first instant.'),
        until: instant('The first instant after it.'),
        reason: text(256, 'Why, for those who wonder at 3 a.m.').optional(),
      }),
      untilAfterFrom(),
    ),
    64,
    { as: 'map', by: 'name' },
    description,
  );
}
