import { connect } from '../../src/cluster/kubernetes.ts';
import type { Effect } from '../../src/core/effect.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { CONTEXT } from '../control-plane/kubeconfig.ts';

/** As many as the transport has connections for. */
const AT_ONCE = 64;

const connection = connect({
  context: CONTEXT,
  userAgent: 'drydock/bench',
  instance: 'bench',
  jobsNamespace: 'drydock-jobs',
  leaseNamespace: 'kube-system',
  clock: systemClock,
  random: Math.random,
  signal: new AbortController().signal,
});
if (!connection.ok) throw new Error(connection.problem);
const { cluster } = connection;

/** All effects of one kind that the cluster has room for. */
async function effects(what: string): Promise<readonly Effect[]> {
  if (what === 'cordons') {
    const found = await cluster.list('Node');
    if (!found.ok) throw new Error(found.message);
    return found.value.map(({ name, resourceVersion }) => ({
      kind: 'patchNode',
      as: 'cordon',
      nodeName: name,
      resourceVersion,
      unschedulable: true,
    }));
  }
  const found = await cluster.list('Pod');
  if (!found.ok) throw new Error(found.message);
  return found.value.map(({ name, namespace, uid }) => ({ kind: 'evict', pod: name, namespace, uid, lane: uid }));
}

const waiting = [...(await effects(process.argv[2] ?? ''))];
const count = waiting.length;
const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
const push = async () => {
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const outcome = await cluster.perform(next);
    if (!outcome.ok) throw new Error(`${JSON.stringify(next)}: ${outcome.message}`);
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, push));
const seconds = (performance.now() - from) / 1000;
const { user, system } = process.cpuUsage(cpuFrom);
process.stdout.write(`pushed ${count} ${seconds.toFixed(3)} ${((user + system) / 1e6).toFixed(3)}\n`);
