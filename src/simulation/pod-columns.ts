import { at, list } from './columns.ts';
import { since } from './human.ts';
import type { KubeObject } from './objects.ts';
import { NAME, type TableColumn } from './table-column.ts';

type Loose = Readonly<Record<string, unknown>>;

const word = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The containers of a pod as the table tells them (printPod of printers.go, without init containers). */
function told(pod: KubeObject) {
  const phase = word(at(pod, 'status.phase'));
  let reason = word(at(pod, 'status.reason')) || phase;
  let [failed, restarts, ready, running, restarted] = ['', 0, 0, false, ''];
  for (const container of list(at(pod, 'status.containerStatuses')).toReversed()) {
    restarts += Number(container['restartCount'] ?? 0);
    const last = word(at(container, 'lastState.terminated.finishedAt'));
    if (last > restarted) restarted = last;
    const terminated = at(container, 'state.terminated') as Loose | undefined;
    const waiting = word(at(container, 'state.waiting.reason'));
    if (waiting !== '') reason = waiting;
    else if (terminated !== undefined) {
      reason = word(terminated['reason']) || `ExitCode:${String(terminated['exitCode'])}`;
      if (terminated['exitCode'] !== 0) failed = reason;
    } else if (container['ready'] === true && at(container, 'state.running') !== undefined) {
      running = true;
      ready += 1;
    }
  }
  if (reason === 'Completed') {
    const isReady = list(at(pod, 'status.conditions')).some(
      (each) => each['type'] === 'Ready' && each['status'] === 'True',
    );
    if (running && isReady) reason = 'Running';
    else if (failed !== '') reason = failed;
    else if (running) reason = 'NotReady';
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (at(pod, 'status.reason') === 'NodeLost') reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') reason = 'Terminating';
  }
  return { reason, ready, restarts, restarted };
}

function gates(pod: KubeObject): string {
  const wanted = list(at(pod, 'spec.readinessGates'));
  if (wanted.length === 0) return '<none>';
  const conditions = list(at(pod, 'status.conditions'));
  const open = wanted.filter((gate) =>
    conditions.some((each) => each['type'] === gate['conditionType'] && each['status'] === 'True'),
  );
  return `${open.length}/${wanted.length}`;
}

function column(name: string, cell: TableColumn['cell'], wide?: true): TableColumn {
  return { name, type: 'string', description: name, cell, ...(wide ? { wide } : {}) };
}

/** The columns of pods, whose status is read from their containers. */
export const POD_COLUMNS: readonly TableColumn[] = [
  NAME,
  column('Ready', (pod) => `${told(pod).ready}/${list(at(pod, 'spec.containers')).length}`),
  column('Status', (pod) => told(pod).reason),
  column('Restarts', (pod, now) => {
    const { restarts, restarted } = told(pod);
    return restarts > 0 && restarted !== '' ? `${restarts} (${since(restarted, now)} ago)` : String(restarts);
  }),
  column('Age', ({ metadata }, now) => since(metadata.creationTimestamp, now)),
  column('IP', (pod) => word(at(pod, 'status.podIP')) || '<none>', true),
  column('Node', (pod) => word(at(pod, 'spec.nodeName')) || '<none>', true),
  column('Nominated Node', (pod) => word(at(pod, 'status.nominatedNodeName')) || '<none>', true),
  column('Readiness Gates', gates, true),
];
