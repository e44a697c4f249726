import { describe, expect, test } from 'vitest';
import { windowOpening } from '../../src/core/window.ts';
import { windowSpec } from '../support/build-own.ts';

const open = (timeZone: string, schedule: string, now: string) => {
  const spec = windowSpec({ timeZone, openings: [{ schedule, durationMinutes: 60 }] });
  const found = windowOpening({ name: 'w', spec }, Date.parse(now));
  const until = found.changesAt === undefined ? 'never' : new Date(found.changesAt).toISOString().slice(0, 16);
  return `${found.open ? 'open' : 'closed'} until ${until}`;
};

describe('[rule 93] what the clocks leave out opens after it, what they show twice opens once', () => {
  test.each<[string, string, string, string, string]>([
    ['a list of hours', 'Europe/Berlin', '0 0,2 * * 0', '2026-03-29T01:00:00Z', 'open until 2026-03-29T02:00'],
    ['a list, told ahead', 'Europe/Berlin', '0 2,14 * * *', '2026-03-29T00:30:00Z', 'closed until 2026-03-29T01:00'],
    [
      'a list, at the second time',
      'Europe/Berlin',
      '0 2,14 * * *',
      '2026-10-25T01:00:00Z',
      'closed until 2026-10-25T13:00',
    ],
    ['a range of minutes', 'Europe/Berlin', '10-20 2 * * *', '2026-03-29T01:00:00Z', 'open until 2026-03-29T02:00'],
    [
      'a time before a midnight that clocks go to',
      'America/Scoresbysund',
      '30 23 * * 6',
      '2025-03-30T01:00:00Z',
      'open until 2025-03-30T02:00',
    ],
    [
      'the same, told ahead',
      'America/Scoresbysund',
      '30 23 * * 6',
      '2025-03-29T12:00:00Z',
      'closed until 2025-03-30T01:00',
    ],
    [
      'and the night after',
      'America/Scoresbysund',
      '30 23 * * *',
      '2025-03-30T02:00:00Z',
      'closed until 2025-03-31T00:30',
    ],
    [
      'half an hour before midnight',
      'Asia/Pyongyang',
      '45 23 * * *',
      '2018-05-04T15:00:00Z',
      'open until 2018-05-04T16:00',
    ],
    ['a day that was left out', 'Pacific/Apia', '0 1 30 * *', '2011-12-30T10:00:00Z', 'open until 2011-12-30T11:00'],
    [
      'every second hour goes by the clock: not in a gap',
      'Europe/Berlin',
      '0 */2 * * *',
      '2026-03-29T01:00:00Z',
      'closed until 2026-03-29T02:00',
    ],
    [
      'every hour goes on in an hour that comes twice',
      'Europe/Berlin',
      '0 * * * *',
      '2026-10-25T01:00:00Z',
      'open until never',
    ],
  ])('%s', (_, zone, schedule, now, expected) => {
    expect(open(zone, schedule, now)).toBe(expected);
  });
});
