import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edges, PHASES, type Phase } from '../../src/api/phases.ts';
import { hold, objectOf } from '../api/objects.ts';
import { type Metadata, PATCH } from '../control-plane/client.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { hasControlPlane } from '../control-plane/ladder.ts';
import { OURS, sentence, served } from './written.ts';

const NM = `${OURS}/nodemaintenances`;
const SINCE = '2026-11-21T00:00:00Z';
const BEGUN = { attempt: 1, jobUID: 'j', bootIDBefore: 'b', machineID: 'm' };
const WHY = { reason: 'Because', message: 'Because.' };

type Passage = { readonly metadata: Metadata; readonly spec: object; readonly status: { readonly state: object } };

let plane: ControlPlane;

/** A state with all that its phase must remember. */
function state(phase: Phase): { readonly phase: Phase; readonly [field: string]: unknown } {
  const at = { phase, since: SINCE };
  switch (phase) {
    case 'Starting':
      return { ...at, attempt: 1 };
    case 'Upgrading':
    case 'Rebooting':
    case 'Verifying':
      return { ...at, ...BEGUN };
    case 'Lost':
      return { ...at, ...BEGUN, from: 'Upgrading' };
    case 'Uncordoning':
      return { ...at, verdict: 'Succeeded', ...WHY };
    case 'Quarantining':
    case 'Succeeded':
    case 'Skipped':
    case 'Cancelled':
    case 'Failed':
      return { ...at, ...WHY };
    default:
      return at;
  }
}

const next = (phase: Phase): readonly Phase[] => edges[phase];

/** The shortest legal way from Pending to a phase. */
function way(to: Phase): readonly Phase[] {
  const ways: Phase[][] = [['Pending']];
  for (const known of ways) {
    const last = known.at(-1) ?? 'Pending';
    if (last === to) return known.slice(1);
    ways.push(...next(last).map((phase) => [...known, phase]));
  }
  throw new Error(`no way leads to ${to}`);
}

const read = (name: string) => plane.admin.get<Passage>(`${NM}/${name}`);

/** Stores a whole status, as Drydock does; what comes back is why not. */
async function store(name: string, status: unknown, query = ''): Promise<string> {
  const body = { ...(await read(name)), status };
  return sentence(await plane.admin.request('PUT', `${NM}/${name}/status${query}`, body));
}

/** A hold that was led to a phase by legal steps. */
async function ledTo(phase: Phase, name = `in-${phase.toLowerCase()}`): Promise<string> {
  await plane.admin.create(NM, objectOf({ ...hold({}), name }, ''));
  for (const step of way(phase)) expect(await store(name, { state: state(step) })).toBe('');
  return name;
}

describe.skipIf(!(await hasControlPlane()))('what the API server lets Drydock, and anybody, do to a passage', () => {
  beforeAll(async () => {
    plane = await served();
  });

  afterAll(async () => {
    await plane?.stop();
  });

  describe('the steps', () => {
    test.each(PHASES)('from %s, to each of the 17 phases', async (from) => {
      const name = await ledTo(from);
      const said = new Map<Phase, string>();
      for (const to of PHASES) said.set(to, await store(name, { state: state(to) }, '?dryRun=All'));
      const accepted = PHASES.filter((to) => said.get(to) === '');
      expect(accepted).toEqual(PHASES.filter((to) => to === from || next(from).includes(to)));
      for (const [to, sentence] of said) {
        if (!accepted.includes(to))
          expect(sentence).toContain('status.state can only take the steps of the state diagr');
      }
    });

    test('begin at Pending, whatever a new object says', async () => {
      const written = { ...objectOf({ ...hold({}), name: 'bold' }, ''), status: { state: state('Held') } };
      await plane.admin.create(`${NM}?fieldValidation=Ignore`, written);
      expect((await read('bold')).status.state).toMatchObject({ phase: 'Pending' });
    });

    test('are not taken by who may write the object but not its status', async () => {
      const name = await ledTo('Draining', 'spec-writer');
      const body = { ...(await read(name)), status: { state: state('Held') } };
      expect(sentence(await plane.admin.request('PUT', `${NM}/${name}`, body))).toBe('');
      await plane.admin.patch(`${NM}/${name}`, { status: null });
      expect((await read(name)).status.state).toMatchObject({ phase: 'Draining' });
    });

    /** Each would begin again at Pending: a transition rule is not asked where a field is absent before or after. */
    const bypasses: readonly [string, string, unknown][] = [
      ['a status that is empty', PATCH.json, [{ op: 'replace', path: '/status', value: {} }]],
      ['no status', PATCH.json, [{ op: 'remove', path: '/status' }]],
      ['no state', PATCH.json, [{ op: 'remove', path: '/status/state' }]],
      ['no phase', PATCH.json, [{ op: 'remove', path: '/status/state/phase' }]],
      ['an empty state', PATCH.json, [{ op: 'replace', path: '/status/state', value: {} }]],
      ['a status of null', PATCH.merge, { status: null }],
      ['a state of null', PATCH.merge, { status: { state: null } }],
      ['a phase of null', PATCH.merge, { status: { state: { phase: null } } }],
      ['another phase alone', PATCH.merge, { status: { state: { phase: 'Pending' } } }],
    ];

    test.each(bypasses)('cannot be begun again by %s', async (what, contentType, body) => {
      const name = await ledTo('Draining', `by-${what.replaceAll(' ', '-')}`);
      const reply = await plane.admin.request('PATCH', `${NM}/${name}/status`, body, contentType);
      expect(sentence(reply)).toMatch(/can only take the steps of the state diagram|phase: Required value/);
      expect((await read(name)).status.state).toMatchObject({ phase: 'Draining' });
    });

    test('cannot be begun again by leaving the status out of a PUT, or by an owner who lets go of it', async () => {
      const name = await ledTo('Draining', 'let-go');
      expect(await store(name, undefined)).toContain('steps of the state diagram');
      const applied = (status?: object) => {
        const object = { ...objectOf({ kind: 'NodeMaintenance', name, spec: undefined }, ''), ...(status ?? {}) };
        const path = `${NM}/${name}/status?fieldManager=owner&force=true`;
        return plane.admin.request('PATCH', path, object, PATCH.apply);
      };
      expect(sentence(await applied({ status: { state: state('Draining') } }))).toBe('');
      // The first manager, who stored it by PUT, owns it still.
      expect(sentence(await applied())).toBe('');
      expect((await read(name)).status.state).toMatchObject({ phase: 'Draining' });
    });
  });

  test.each([
    ['Upgrading without its Job', { phase: 'Upgrading', since: SINCE, ...BEGUN, jobUID: undefined }],
    [
      'Upgrading without the boot ID before it',
      { phase: 'Upgrading', since: SINCE, ...BEGUN, bootIDBefore: undefined },
    ],
    ['Upgrading since no time', { phase: 'Upgrading', ...BEGUN }],
    ['an attempt of none', { phase: 'Upgrading', since: SINCE, ...BEGUN, attempt: 0 }],
    ['a phase that is none', { phase: 'Sleeping', since: SINCE }],
  ])('a state must remember what cannot be seen again: %s is refused', async (what, bad) => {
    const name = await ledTo('Starting', what.toLowerCase().replaceAll(' ', '-'));
    expect(await store(name, { state: bad })).toMatch(/Required value|equal to 1|Unsupported value/);
  });

  test('a status may change without a step, and the plan with it', async () => {
    const name = await ledTo('Draining', 'reports');
    expect(await store(name, { state: state('Draining'), pods: { remaining: 3 } })).toBe('');
    expect(await read(name)).toMatchObject({ status: { pods: { remaining: 3, terminating: 0, blocked: 0 } } });
    const { metadata } = await read(name);
    expect(metadata.generation).toBe(1);
  });

  describe('the spec of a passage', () => {
    const IMMUTABLE = /^NodeMaintenance.* spec: .*cannot be changed: delete it and write another$/;
    const patched = (patch: unknown) => plane.admin.request('PATCH', `${NM}/fixed`, patch, PATCH.merge);

    beforeAll(async () => {
      await ledTo('Pending', 'fixed');
    });

    test.each([
      ['another node', { nodeName: 'worker-8' }],
      ['another reason', { reason: 'another' }],
      ['a profile', { profileName: 'kubeadm-apt' }],
      ['no hold', { hold: false, upgradeName: 'u', nodeUID: 'n', ticket: 't', reason: null }],
    ])('cannot be changed to %s', async (_, spec) => {
      expect(sentence(await patched({ spec }))).toMatch(IMMUTABLE);
    });

    test('says so once, as kubectl prints it', async () => {
      const { stderr } = await plane.kubectl([
        'patch',
        'dnm',
        'fixed',
        '--type=merge',
        '-p',
        '{"spec":{"reason":"b"}}',
      ]);
      expect(stderr.trim()).toBe(
        'The NodeMaintenance "fixed" is invalid: spec: Invalid value: the spec of a NodeMaintenance cannot be changed: delete it and write another',
      );
    });

    test('is no hindrance to annotations, labels and finalizers', async () => {
      const metadata = {
        annotations: { 'drydock.dev/release': 'a' },
        labels: { a: 'b' },
        finalizers: ['drydock.dev/a'],
      };
      expect(sentence(await patched({ metadata }))).toBe('');
      expect(sentence(await patched({ metadata: { finalizers: null } }))).toBe('');
    });
  });

  test('a ledger of 2,000 tickets can be stored, and no more', async () => {
    await plane.admin.create(
      `${OURS}/maintenancepolicies`,
      objectOf({ kind: 'MaintenancePolicy', name: 'cluster', spec: {} }, ''),
    );
    const ticket = (_: unknown, at: number) => ({
      nodeName: `ip-10-0-${at}.ap-northeast-2.compute.internal`,
      nodeUID: '5f1c2b7a-0000-4000-8000-000000000000',
      ticket: `5f1c2b7a-0000-4000-8000-000000000000-${at}`,
      target: 'v1.36.4',
      profileName: 'kubeadm-apt',
      holder: { kind: 'ClusterUpgrade', name: 'to-1-36', uid: '5f1c2b7a-0000-4000-8000-000000000001' },
      controlPlane: false,
      mode: 'Drain',
      passageUID: '5f1c2b7a-0000-4000-8000-000000000002',
      since: SINCE,
    });
    const path = `${OURS}/maintenancepolicies/cluster`;
    const stored = async (length: number) => {
      const policy = await plane.admin.get(path);
      const status = { nextTicket: length, tickets: Array.from({ length }, ticket) };
      return sentence(await plane.admin.request('PUT', `${path}/status`, { ...policy, status }));
    };
    expect(await stored(2000)).toBe('');
    expect(await stored(2001)).toContain('status.tickets: Too many: 2001: must have at most 2000 items');
  });
});
