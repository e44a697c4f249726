import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterUpgrade, type UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import { ago, node, pod } from '../support/build.ts';
import { ledger, PASSAGE_SPEC, passage, rolloutFacts, upgrade } from '../support/build-own.ts';
import { blocker, draining, failed, lost, report, shut, stamped } from './reporting.ts';

const BLOCKED = [
  { type: 'Blocked', status: 'True', lastTransitionTime: ago(9), reason: 'Blocked', message: '' },
] as const;
const stuck = passage(
  { phase: 'Draining', since: ago(60) },
  { status: { blockers: [blocker], conditions: [...BLOCKED] } },
);

describe('[rule 105] whatever is seen', () => {
  const anyNode = fc.record({
    done: fc.boolean(),
    ready: fc.boolean(),
    controlPlane: fc.boolean(),
    unschedulable: fc.boolean(),
  });
  const anyChild = fc.constantFrom(
    draining,
    stuck,
    failed,
    lost,
    passage(),
    passage({ phase: 'Succeeded', since: ago(9), reason: 'r', message: '' }),
  );
  const facts = fc.record({
    nodes: fc.array(anyNode, { maxLength: 4 }),
    children: fc.array(anyChild, { maxLength: 3 }),
    ticketed: fc.boolean(),
    ledger: fc.constantFrom('none', 'fresh', 'paused', 'closing', 'fine'),
    shut: fc.boolean(),
    profile: fc.boolean(),
    server: fc.constantFrom(undefined, 'v1.34.0', 'v1.35.7', 'v1.36.4'),
    disagree: fc.boolean(),
    mode: fc.constantFrom('Run', 'Paused'),
    wasReady: fc.boolean(),
    deleted: fc.boolean(),
  });

  test('conditions never contradict one another, figures add up, and the schema takes it', () => {
    fc.assert(
      fc.property(facts, (seen) => {
        const tickets = seen.ticketed ? [stamped] : [];
        const ledgers = {
          none: undefined,
          fresh: { ...ledger(), status: { conditions: [], tickets: [], nextTicket: 1 } },
          paused: ledger(tickets, {}, { paused: true }),
          closing: ledger(tickets, { deletedAt: 1 }),
          fine: ledger(tickets),
        };
        const conditions: UpgradeStatus['conditions'] = seen.wasReady
          ? [
              {
                type: 'Ready',
                status: 'True',
                observedGeneration: 1,
                lastTransitionTime: ago(9),
                reason: 'Complete',
                message: '',
              },
            ]
          : [];
        const nodes = seen.nodes.map((of, index) =>
          node(`worker-${index}`, { ...of, kubeletVersion: of.done ? 'v1.36.4' : 'v1.35.7' }),
        );
        const components = seen.disagree
          ? [pod('api', { labels: { component: 'kube-apiserver' }, componentVersion: 'v1.33.0' })]
          : [];
        const { profile, ...rest } = rolloutFacts({
          nodes,
          passages: seen.children.map((child, index) => ({
            ...child,
            name: `p-${index}`,
            uid: index === 0 ? 'uid-passage' : `u-${index}`,
            spec: { ...PASSAGE_SPEC, nodeName: `worker-${index}` },
          })),
          ledger: ledgers[seen.ledger],
          windows: seen.shut ? shut : [],
          controlPlane: { server: seen.server, components },
          upgrade: upgrade({ mode: seen.mode }, { status: { conditions }, ...(seen.deleted ? { deletedAt: 1 } : {}) }),
        });
        const status = report({ ...rest, profile: seen.profile ? profile : undefined });
        const holds = (type: string) =>
          status.conditions.find((condition) => condition.type === type)?.status === 'True';
        expect([holds('Ready'), holds('Reconciling'), holds('Stalled')].filter(Boolean)).toHaveLength(1);
        if (status.phase === 'Complete') expect(holds('Ready')).toBe(true);
        const { total = 0, ...parts } = status.nodes ?? {};
        expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(total);
        expect(clusterUpgrade.status.safeParse(status).error).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
