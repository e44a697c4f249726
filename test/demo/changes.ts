import { type NodeRow, queue, type Scene } from './scene.ts';

/** What is new in a scene, a line a change, for output that is no terminal. */
export function changes(before: Scene | undefined, after: Scene): readonly string[] {
  const lines: string[] = [];
  if (after.window !== undefined && before?.window?.open !== after.window.open) {
    lines.push(line(after.window.name, `window is ${after.window.open ? 'open' : 'closed'}`));
  }
  for (const node of after.nodes) {
    const earlier = before?.nodes.find(({ name }) => name === node.name);
    if (earlier !== undefined) lines.push(...changesOfNode(earlier, node));
  }
  const { names, why } = queue(after);
  const waited = before === undefined ? undefined : queue(before);
  if (names.length > 0 && (waited?.why !== why || waited.names.join() !== names.join())) {
    lines.push(line('next', `${names.join(', ')}. ${why}`));
  }
  const { name, phase, message } = after.upgrade;
  if (before?.upgrade.phase !== phase || before.upgrade.message !== message) {
    if (phase === 'Blocked') {
      if (before?.upgrade.phase !== phase) lines.push(line(name, 'Blocked: every node in flight waits for a pod.'));
    } else if (phase !== 'Pending') lines.push(line(name, `${phase}: ${message}`));
  }
  return lines;
}

function changesOfNode(before: NodeRow, after: NodeRow): readonly string[] {
  const { name } = after;
  const lines: string[] = [];
  if (before.cordoned !== after.cordoned) lines.push(line(name, after.cordoned ? 'cordoned' : 'schedulable again'));
  if (before.ready !== after.ready) lines.push(line(name, after.ready ? 'Ready' : 'NotReady'));
  if (before.kubelet !== after.kubelet) lines.push(line(name, `kubelet ${before.kubelet} is now ${after.kubelet}`));
  const { phase, message, blockers } = after;
  // While pods are waited for, their lines say more than the message; the phase is told all the same.
  const text = blockers.length > 0 ? '' : message;
  if (phase !== undefined && (before.phase !== phase || (text !== '' && before.message !== text))) {
    lines.push(line(name, text === '' ? phase : `${phase}: ${text}`));
  }
  for (const { pod, owner, budgets, reason, message, advice } of blockers) {
    if (before.blockers.some((other) => other.pod === pod && other.reason === reason)) continue;
    const by = budgets.length === 0 ? '' : `, budget ${budgets.join(', ')}`;
    lines.push(
      line(
        name,
        `waits for pod ${pod}, owner ${owner ?? 'nobody'}${by}, reason ${reason}: ${message} ${advice}`.trim(),
      ),
    );
  }
  return lines;
}

function line(subject: string, text: string): string {
  return `${subject.padEnd(9)} ${text}`;
}
