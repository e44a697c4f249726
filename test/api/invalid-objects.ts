import { hold, opening, profile, rollout, target, upgrade, type Written, window } from './objects.ts';

/** An object that is accepted, and of which only the cluster or a calendar can tell that it cannot be served. */
export type Invalid = {
  readonly what: string;
  readonly written: Written & { readonly name: string };
  /** What must be there for it, each with its name. */
  readonly with?: readonly (Written & { readonly name: string })[];
  /** The reason of its condition Stalled. */
  readonly reason: string;
  /** What that condition says: what is wrong and what to write instead. */
  readonly says: RegExp;
};

const NIGHT = { schedule: '0 22 * * 1-5', durationMinutes: 360 };
const named = <W extends Written>(name: string, written: W) => ({ ...written, name });
const pool = (name: string) => ({ nodes: { selector: { matchLabels: { pool: name } } } });
const SCHEDULE =
  /is not a schedule .*: write minute, hour, day of month, month and day of week, as in "0 22 \* \* 1-5"/;
const ZONE = /is not a time zone of the IANA database: write one such as Asia\/Seoul or Etc\/UTC/;
const spec = (written: Written) => written.spec as object;

/** A node that is too old for the next minor is in the pool `old`; all others run the release of the API server. */
export const INVALID: readonly Invalid[] = [
  ...['0 22 * *', '0 0 22 * * 1-5', '61 22 * * *', '0 22 * * funday', '22:00', ''].map((schedule, at) => ({
    what: `the schedule "${schedule}"`,
    written: named(`schedule-${at}`, opening({ ...NIGHT, schedule })),
    reason: 'InvalidSchedule',
    says: SCHEDULE,
  })),
  ...['Asia/Soul', 'KST+9', 'Seoul'].map((timeZone, at) => ({
    what: `the zone ${timeZone}`,
    written: named(`zone-${at}`, window({ timeZone, openings: [NIGHT] })),
    reason: 'InvalidTimeZone',
    says: ZONE,
  })),
  {
    what: 'an upgrade whose window has no such zone',
    written: named('bad-window', upgrade({ windowNames: ['soul'] })),
    with: [named('soul', window({ timeZone: 'Asia/Soul', openings: [NIGHT] }))],
    reason: 'InvalidTimeZone',
    says: ZONE,
  },
  {
    what: 'an upgrade whose window has no such schedule',
    written: named('bad-schedule', upgrade({ windowNames: ['whenever'] })),
    with: [named('whenever', opening({ ...NIGHT, schedule: '0 22 * * never' }))],
    reason: 'InvalidSchedule',
    says: SCHEDULE,
  },
  {
    what: 'an upgrade without its profile',
    written: named('no-profile', upgrade({ profileName: 'nobody' })),
    reason: 'ProfileNotFound',
    says: /There is no MaintenanceProfile nobody: create it or correct spec\.profileName/,
  },
  {
    what: 'an upgrade without its window',
    written: named('no-window', upgrade({ windowNames: ['weeknights'] })),
    reason: 'WindowNotFound',
    says: /There is no MaintenanceWindow weeknights: create it or correct spec\.windowNames/,
  },
  {
    what: 'an upgrade over many minors',
    written: named('far', target({ kubernetesVersion: 'v1.99.0' })),
    reason: 'MissingHop',
    says: /and v1\.99\.0 is more than one minor away: upgrade to a release of v1\.\d+ first/,
  },
  {
    what: 'an upgrade of a node that is too old for it',
    written: named('skew', upgrade({ ...spec(target({ kubernetesVersion: 'v1.37.0' })), ...pool('old') })),
    reason: 'SkewTooWide',
    says: /runs v1\.33\.0, which is more than three minors older than v1\.37\.0: upgrade that node first/,
  },
  {
    what: 'a new minor without drain',
    written: named(
      'cordon',
      upgrade({
        ...spec(target({ kubernetesVersion: 'v1.37.0' })),
        ...pool('new'),
        profileName: 'cordon',
      }),
    ),
    with: [named('cordon', profile({ drain: { mode: 'Cordon' } }))],
    reason: 'CordonForMinor',
    says: /for which its pods must leave: use a profile with drain\.mode: Drain/,
  },
  {
    what: 'a hold on a node that does not exist',
    written: named('no-node', hold({ nodeName: 'nobody' })),
    reason: 'NodeNotFound',
    says: /nobody/,
  },
  {
    what: 'a hold with a profile that does not exist',
    written: named('no-drain', hold({ nodeName: 'new-1', profileName: 'nobody' })),
    reason: 'ProfileNotFound',
    says: /There is no MaintenanceProfile nobody: create it or correct spec\.profileName/,
  },
];

/** The profile that every upgrade here names where it does not say otherwise. */
export const KUBEADM: Written & { readonly name: string } = named('kubeadm-apt', profile({}));
/** An upgrade that can be served, to which all others are compared. */
export const VALID: Written & { readonly name: string } = named('valid', rollout({ maxUnavailable: 1 }));
