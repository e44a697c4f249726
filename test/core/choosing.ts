import type { Ticket } from '../../src/api/maintenance-policy.ts';
import { DEFAULT_DRAIN } from '../../src/api/maintenance-profile.ts';
import { type ChoiceFacts, choose } from '../../src/core/choice.ts';
import type { Target } from '../../src/core/target.ts';
import type { NodeView } from '../../src/core/world.ts';
import { NOW, node } from '../support/build.ts';
import { ledger, ticket, upgrade } from '../support/build-own.ts';

/** What the tests of the choice begin with: three workers, a revision, and all the room there is. */
export const OS = {
  kind: 'revision',
  text: '2026-11-os',
  label: 'drydock.node-restriction.kubernetes.io/os',
  value: '2026-11-os',
} as const satisfies Target;
export const worker = (index: number, over: Partial<NodeView> = {}) => node(`worker-${index}`, over);
export const cp = (index: number, over: Partial<NodeView> = {}) => node(`cp-${index}`, { controlPlane: true, ...over });
export const out = (name: string, over: Partial<Ticket> = {}) =>
  ticket({
    nodeName: name,
    nodeUID: `uid-${name}`,
    ticket: `uid-policy-${name}`,
    passageUID: `uid-p-${name}`,
    ...over,
  });
export const facts = (over: Partial<ChoiceFacts> = {}, rollout: object = {}): ChoiceFacts => ({
  now: NOW,
  upgrade: upgrade({ target: { revision: '2026-11-os' }, rollout }),
  target: OS,
  nodes: [worker(1), worker(2), worker(3)],
  controlPlane: { server: 'v1.36.4', components: [] },
  ledger: ledger(),
  policyMaxUnavailable: '100%',
  drain: DEFAULT_DRAIN,
  failed: new Set(),
  setAside: new Map(),
  hindered: () => [],
  takeOver: new Set(),
  ...over,
});
/** The nodes admitted, or why none is. */
export const chosen = (over: Partial<ChoiceFacts> = {}, rollout: object = {}) => {
  const { requests, because } = choose(facts(over, rollout));
  return requests.length === 0 ? because.reason : requests.map(({ nodeName }) => nodeName).join(' ');
};
/** A node's memory that it was worked on. */
export const remembered = { labels: { [OS.label]: '2026-11-os' } };
