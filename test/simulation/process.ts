import { leasesOf } from '../../src/cluster/leases.ts';
import { remoteCluster } from '../../src/cluster/remote.ts';
import { LEASE, type Replica, replica } from '../../src/controllers/replica.ts';
import type { ApiServer } from '../../src/simulation/api-server.ts';
import type { Dice } from '../../src/simulation/dice.ts';
import type { Timeline } from '../../src/simulation/timeline.ts';
import { type Mishaps, Network } from './network.ts';
import { ProcessClock } from './process-clock.ts';

/** What one simulated process of the operator is started with. */
export type ProcessParts = {
  readonly identity: string;
  readonly server: ApiServer;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly elects: boolean;
  readonly skewMs: number;
  readonly mishaps: Mishaps;
  readonly stirred: () => void;
  /** It has died: killed, or of a bug of its own. */
  readonly died: (error: unknown) => void;
  readonly said: (line: string) => void;
};

/** The operator as it is shipped, but for its sockets, its log and its clock. */
export type Process = {
  readonly identity: string;
  readonly clock: ProcessClock;
  readonly replica: Replica;
  kill(): void;
};

/** What the API server calls every process of Drydock. */
export const DRYDOCK = 'system:serviceaccount:drydock-system:drydock';

/** Starts a process. Its whole memory is what this function makes, so that a kill is to never call into it again. */
export function startProcess(parts: ProcessParts): Process {
  const { identity, server, timeline, dice, elects, mishaps } = parts;
  const clock = new ProcessClock(timeline, parts.skewMs, parts.stirred);
  const chance = dice.fork(`process ${identity}`);
  const ended = new AbortController();
  const die = (error: unknown) => {
    if (clock.state === 'dead') return;
    clock.die();
    ended.abort();
    parts.died(error);
  };
  const crash = () => die(undefined);
  const wire = { server, timeline, clock, mishaps, crash, user: `${DRYDOCK}/${identity}` };
  const network = new Network({ ...wire, dice: chance.fork('network'), mayWrite: () => own.mayWrite() });
  const ofLeases = new Network({ ...wire, dice: chance.fork('leases'), mayWrite: () => true });
  const random = chance.fork('operator').roll;
  const own: Replica = replica({
    cluster: remoteCluster({
      transport: network,
      jobsNamespace: 'drydock-jobs',
      instance: identity,
      clock,
      random,
      said: (said) => {
        if (said.what === 'watchStopped') parts.said(`watch of ${said.kind} stopped: ${said.why} ${said.message}`);
      },
    }),
    leases: leasesOf(LEASE.namespace, (sent) => ofLeases.call(sent)),
    identity,
    elects,
    clock,
    random,
    place: { namespace: 'drydock-system', jobsNamespace: 'drydock-jobs' },
    leads: (leads, why) => parts.said(`${leads ? 'leads' : 'does not lead'}: ${why}`),
    happened: (event) => {
      const because = event.what === 'looked' ? '' : ` because ${event.because.reason}`;
      parts.said(`${event.what} ${event.subject} ${event.key}${because}`);
    },
    ran: (run) => {
      if (run.result === 'retry') parts.said(`retries ${run.controller} ${run.key}: ${run.reason}`);
      if (run.result === 'threw') parts.said(`threw ${run.controller} ${run.key}: ${String(run.error)}`);
    },
    changed: () => {},
  });
  own.drydock.run(ended.signal).catch((error: unknown) => die(error));
  own.start();
  return { identity, clock, replica: own, kill: crash };
}
