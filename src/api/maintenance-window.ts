import { z } from 'zod';
import { conditions, count, freezes, instant, list, text, time, untilAfterFrom, word } from './field.ts';
import { defineResource } from './resource.ts';
import { rule, ruled } from './rule.ts';

const opening = ruled(
  z.object({
    schedule: text(
      128,
      'When it opens, as cron in timeZone: minute, hour, day of month, month, day of week. "0 22 * * 1-5" opens at 22:00 from Monday to Friday.',
    ).optional(),
    durationMinutes: count(
      'How long it stays open: elapsed minutes from the true start, also across a change of the clocks.',
      1,
      44_640,
    ).optional(),
    from: instant('The first instant of a single opening.').optional(),
    until: instant('The first instant after a single opening.').optional(),
  }),
  rule(
    'has(self.schedule) ? (has(self.durationMinutes) && !has(self.from) && !has(self.until)) : (has(self.from) && has(self.until) && !has(self.durationMinutes))',
    'an opening is either schedule and durationMinutes, or from and until',
    (o) =>
      o.schedule !== undefined
        ? o.durationMinutes !== undefined && o.from === undefined && o.until === undefined
        : o.from !== undefined && o.until !== undefined && o.durationMinutes === undefined,
  ),
  untilAfterFrom(),
);

const spec = ruled(
  z.object({
    timeZone: text(64, 'The IANA zone in which schedules are read, as in "Asia/Seoul" or "Etc/UTC".').min(1),
    openings: list(
      opening,
      32,
      { as: 'atomic' },
      'When work may begin. None: open but for the freezes, which then must not be empty.',
    ).default([]),
    freezes: freezes('When nothing may begin whatever the openings say.').default([]),
    onClose: word(
      ['TurnBack', 'Finish'],
      'What closing does to a node in flight that is not committed yet: TurnBack puts it back in service, Finish lets it go on. A node whose upgrade Job has been released always finishes.',
    ).default('TurnBack'),
    paused: z.boolean().describe('True closes the window until it is set back.').default(false),
  }),
  rule(
    'size(self.openings) > 0 || size(self.freezes) > 0',
    'openings and freezes are both empty, so this window says nothing: add an opening, or a freeze for a window that is open at all other times',
    ({ openings, freezes }) => openings.length > 0 || freezes.length > 0,
  ),
);

const status = z.object({
  observedGeneration: z.int().min(0).describe('The generation of the spec that was looked at.').optional(),
  open: z.boolean().describe('Whether work may begin now.').optional(),
  closesAt: time('When it closes; absent where it does not.').optional(),
  opensAt: time('When it opens next; absent where it does not.').optional(),
  frozenBy: text(128, 'The freeze that keeps it closed.').optional(),
  conditions: conditions().default([]),
});

/** When work may begin. Written by the operators of a cluster, usually from Git. */
export const maintenanceWindow = defineResource({
  kind: 'MaintenanceWindow',
  plural: 'maintenancewindows',
  singular: 'maintenancewindow',
  shortName: 'dmw',
  description: 'When work on nodes may begin.',
  columns: [
    { name: 'Open', type: 'boolean', path: '.status.open', description: 'Whether work may begin now' },
    { name: 'Closes', type: 'string', path: '.status.closesAt', description: 'When it closes' },
    { name: 'Opens', type: 'string', path: '.status.opensAt', description: 'When it opens next' },
    { name: 'Zone', type: 'string', path: '.spec.timeZone', description: 'The zone of its schedules' },
    { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', description: 'Since when it exists' },
  ],
  spec,
  status,
});

export type WindowSpec = z.output<typeof spec>;
export type WindowStatus = z.output<typeof status>;
