import fc from 'fast-check';
import { expect, test } from 'vitest';
import { certificatesIn, rebootArmedIn } from '../../src/core/evidence.ts';

const SAID = '{"apiserver":"Nov 21, 2027 21:04 UTC","etcd-server":"2027-11-21T21:05:00Z","etcd-peer":"missing"}';
const found = [
  ['apiserver', Date.parse('2027-11-21T21:04:00Z')],
  ['etcd-server', Date.parse('2027-11-21T21:05:00Z')],
];

test.each<[string, string, readonly unknown[]]>([
  ['what was renewed', `10 certificates are renewed.\n{"node":"cp-1","before":{"a":"1"},"after":${SAID}}`, found],
  ['what was only looked at', `They can be renewed.\n{"node":"cp-1","certificates":${SAID}}\n`, found],
  ['nothing without evidence', 'exit code 1', []],
  ['nothing of a half line', `Renewed.\n{"after":${SAID.slice(0, 20)}`, []],
  [
    'caught: no name that no certificate has, for it becomes a label',
    '{"after":{"a b\\n":"2027-11-21T21:05:00Z"}}',
    [],
  ],
  ['nothing that is no object', '{"after":"2027-11-21T21:05:00Z"}', []],
])('tells %s', (_, message, expected) => {
  expect([...certificatesIn(message)]).toEqual(expected);
});

test('a reboot is armed only where that is said in so many words', () => {
  const said = ['{"rebootArmed":true}', 'x\n{"rebootArmed":false}', '{"rebootArmed":"yes"}', 'rebootArmed: true'];
  expect(said.map(rebootArmedIn)).toEqual([true, false, undefined, undefined]);
});

test('caught: no more than thirty-two, however many are said', () => {
  const many = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`c${index}`, '2027-11-21T21:05:00Z']));
  expect(certificatesIn(JSON.stringify({ after: many })).size).toBe(32);
});

test('whatever a payload writes is read without a throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (message) => certificatesIn(message).size <= 32));
});
