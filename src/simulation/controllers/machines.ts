import type { Dice } from '../dice.ts';
import type { Condition, NodeObject } from '../objects.ts';
import { CONTROL_PLANE } from './fake-node.ts';
import type { Power } from './node-lifecycle.ts';
import { withCondition } from './pods.ts';
import type { Reactor } from './reactor.ts';
import { draw, type Scene } from './scene.ts';
import { createStaticPods } from './static-pods.ts';

/** The machines below the nodes, as their kubelets and their owners see them. */
export type Machines = Power & {
  powerOff(node: string): void;
  /** Boots after a while, with a new boot ID. */
  powerOn(node: string): void;
  /** A boot so quick that NotReady is never seen: only the boot ID tells, and containers that began again. */
  quickReboot(node: string): void;
  /** The node is NotReady (its kubelet goes on) until it is said otherwise. */
  setReady(node: string, ready: boolean): void;
  /** The kubelet calls itself this version from now on, and a control plane has static pods of it. */
  upgrade(node: string, version: string): void;
  /** Makes the static pods of a control plane, with this version. */
  createStaticPods(node: string, version: string): void;
};

type Machine = {
  powered: boolean;
  ready: boolean;
  boots: number;
  /** What its kubelet says of itself, again where the store, restored to an earlier state, does not know it any more. */
  info: Readonly<Record<string, string>>;
};

/** What happens to the processes of a machine when it loses power, and when it is back. */
export type Processes = { readonly die: (node: string) => void; readonly begin: (node: string) => void };

/** Keeps the Node objects as their kubelets would. Every machine has power until it is said otherwise. */
export function machines(scene: Scene, dice: Dice, processes: Processes): Machines {
  const { registry } = scene;
  const known = new Map<string, Machine>();
  const watchers: ((node: string) => void)[] = [];
  const machine = (node: string): Machine => {
    let there = known.get(node);
    if (there === undefined) {
      there = { powered: true, ready: true, boots: 0, info: {} };
      known.set(node, there);
    }
    return there;
  };
  const remake = (node: string, version: string) => createStaticPods(registry, dice, node, version);
  const queue = reporter(scene, dice, machine);
  const setPower = (node: string, powered: boolean) => {
    machine(node).powered = powered;
    for (const watcher of watchers) watcher(node);
  };
  const info = (node: string, said: Readonly<Record<string, string>>) => {
    machine(node).info = { ...machine(node).info, ...said };
    postInfo(scene, node, said);
  };
  const boot = (node: string) => {
    info(node, { bootID: dice.uuid() });
    tell(scene, node, machine(node).ready);
    processes.begin(node);
  };
  scene.hear(['nodes'], ({ key, before, after }) => {
    if (after === undefined) {
      processes.die(key);
      machine(key).info = {};
    } else if (before === undefined || before.metadata.annotations !== after.metadata.annotations) queue.touch(key);
  });
  return {
    isPowered: (node) => known.get(node)?.powered ?? true,
    watchPower: (listener) => watchers.push(listener),
    powerOff: (node) => {
      machine(node).boots += 1;
      if (!machine(node).powered) return;
      processes.die(node);
      setPower(node, false);
    },
    powerOn: (node) => {
      const { powered, boots } = machine(node);
      if (powered) return;
      scene.after(draw(scene, dice, 'boot'), () => {
        if (machine(node).boots !== boots || machine(node).powered) return;
        setPower(node, true);
        if (registry.get('nodes', node) !== undefined) boot(node);
      });
    },
    quickReboot: (node) => {
      if (!machine(node).powered) return;
      processes.die(node);
      boot(node);
    },
    setReady: (node, ready) => {
      machine(node).ready = ready;
      queue.touch(node);
    },
    upgrade: (node, version) => {
      const isControlPlane = registry.get('nodes', node)?.metadata.labels?.[CONTROL_PLANE] !== undefined;
      if (isControlPlane) remake(node, version);
      info(node, { kubeletVersion: version, kubeProxyVersion: version });
    },
    createStaticPods: remake,
  };
}

/** What posts the conditions of nodes: of a new one after a while. */
function reporter(scene: Scene, dice: Dice, machine: (node: string) => Machine): Reactor {
  const { registry, timeline } = scene;
  const firstReady = new Map<string, { readonly uid: string; readonly at: number }>();
  return scene.react('kubelet', (name) => {
    const node = registry.get<NodeObject>('nodes', name);
    const known = firstReady.get(name);
    firstReady.delete(name);
    if (node === undefined || !machine(name).powered) return undefined;
    if (!node.status.conditions?.some(({ type }) => type === 'Ready')) {
      const { uid } = node.metadata;
      const at = known?.uid === uid ? known.at : timeline.now() + draw(scene, dice, 'nodeReady');
      if (at > timeline.now()) {
        firstReady.set(name, { uid, at });
        return at - timeline.now();
      }
    }
    const { info, ready } = machine(name);
    if (Object.entries(info).some(([field, said]) => nodeInfoOf(node)[field] !== said)) recall(scene, dice, node, info);
    tell(scene, name, ready);
    return undefined;
  });
}

/** Says again what a restored store has forgotten: the static pods of its version, and what the kubelet says of itself. */
function recall(scene: Scene, dice: Dice, { metadata }: NodeObject, info: Machine['info']): void {
  const { kubeletVersion } = info;
  const isControlPlane = metadata.labels?.[CONTROL_PLANE] !== undefined;
  if (kubeletVersion !== undefined && isControlPlane)
    createStaticPods(scene.registry, dice, metadata.name, kubeletVersion);
  postInfo(scene, metadata.name, info);
}

function nodeInfoOf({ status }: NodeObject): Readonly<Record<string, string | undefined>> {
  return { ...status.nodeInfo };
}

function postInfo({ registry }: Scene, name: string, said: Readonly<Record<string, string>>): void {
  registry.write<NodeObject>('nodes', name, `kubelet/${name}`, (before) => ({
    ...before,
    status: {
      ...before.status,
      nodeInfo: { kubeletVersion: '', bootID: '', machineID: '', ...before.status.nodeInfo, ...said },
    },
  }));
}

const QUIET: readonly (readonly [type: string, reason: string, message: string])[] = [
  ['MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
];

/** What a kubelet posts of its node; nothing where it is already said. Heartbeats without news are not written. */
function tell({ registry, timeline }: Scene, name: string, isWell: boolean): void {
  const now = timeline.now();
  registry.write<NodeObject>('nodes', name, `kubelet/${name}`, (before) => {
    const isReady = isWell && before.metadata.annotations?.['test.drydock.dev/ready'] !== 'false';
    const old = before.status.conditions;
    const quiet = QUIET.reduce<readonly Condition[]>(
      (all, [type, reason, message]) => withCondition(all, { type, status: 'False', reason, message }, now),
      old ?? [],
    );
    const said = isReady
      ? ({ status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' } as const)
      : ({ status: 'False', reason: 'KubeletNotReady', message: 'container runtime is down' } as const);
    return {
      ...before,
      status: { ...before.status, conditions: withCondition(quiet, { type: 'Ready', ...said }, now) },
    };
  });
}
