import type { NodeCluster } from './cluster.ts';
import type { Machine } from './machines.ts';

/** Out of the runtime alone: containers whose process runs, with the pod that they were made for. */
const LIST = `cd /run/containerd/io.containerd.runtime.v2.task/k8s.io
for id in $(ctr -n k8s.io task ls | awk '$3 == "RUNNING" { print $1 }'); do cat "$id/config.json" && echo; done`;

type Container = { readonly annotations: Readonly<Record<string, string | undefined>> };
type Pod = {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly containerStatuses?: readonly { readonly name: string; readonly state: { readonly running?: object } }[];
  };
};

/** What differs between what runs on a machine and what the API says of it; each as namespace/pod/container and the pod's UID. */
export type Difference = { readonly unknown: readonly string[]; readonly missing: readonly string[] };

/** The containers that really run on a machine, asked of its runtime. */
export async function runsOn(machine: Machine): Promise<ReadonlySet<string>> {
  const { stdout } = await machine.exec(['bash', '-uc', LIST], { what: 'what runs' });
  const containers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as Container).annotations);
  const of = (key: string) => (each: Container['annotations']) => each[`io.kubernetes.cri.${key}`];
  return new Set(
    containers
      .filter((each) => of('container-type')(each) === 'container')
      .map(
        (each) =>
          `${of('sandbox-namespace')(each)}/${of('sandbox-name')(each)}/${of('container-name')(each)} ${of('sandbox-uid')(each)}`,
      ),
  );
}

/** The containers that run on a node, as the API has it. A static pod is known to its kubelet by the hash of its manifest. */
export function toldOf(pods: readonly Pod[], nodeName: string): ReadonlySet<string> {
  const told = pods
    .filter(({ spec }) => spec.nodeName === nodeName)
    .flatMap(({ metadata, status }) =>
      (status.containerStatuses ?? [])
        .filter(({ state }) => state.running !== undefined)
        .map(({ name }) => {
          const uid = metadata.annotations?.['kubernetes.io/config.hash'] ?? metadata.uid;
          return `${metadata.namespace}/${metadata.name}/${name} ${uid}`;
        }),
    );
  return new Set(told);
}

/** Compares each machine's runtime with the API: the API compared with itself shows nothing. */
export async function differences({ admin, machines }: NodeCluster): Promise<Difference> {
  const [pods, ...running] = await Promise.all([admin.list<Pod>('/api/v1/pods'), ...machines.map(runsOn)]);
  const pairs = machines.map(({ name }, index) => [running[index] ?? new Set(), toldOf(pods, name)] as const);
  return {
    unknown: pairs.flatMap(([runs, told]) => [...runs].filter((each) => !told.has(each))),
    missing: pairs.flatMap(([runs, told]) => [...told].filter((each) => !runs.has(each))),
  };
}
