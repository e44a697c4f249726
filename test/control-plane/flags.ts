import { join } from 'node:path';

/** Where the files of one run are. */
export type Files = ReturnType<typeof filesIn>;

/** The files of a run below its directory. */
export function filesIn(directory: string) {
  return {
    directory,
    etcdData: join(directory, 'etcd'),
    certificates: join(directory, 'certificates'),
    caFile: join(directory, 'certificates', 'apiserver.crt'),
    keyFile: join(directory, 'certificates', 'apiserver.key'),
    tokens: join(directory, 'tokens.csv'),
    serviceAccountKey: join(directory, 'service-account.key'),
    audit: join(directory, 'audit.log'),
    schedulerConfiguration: join(directory, 'scheduler.yaml'),
    kubeconfig: (user: string) => join(directory, `${user.replaceAll(/[^a-z0-9-]/g, '-')}.kubeconfig`),
    log: (component: string) => join(directory, `${component}.log`),
  };
}

/** The ports of a run; they stay the same when its API server is started again. */
export type Ports = { readonly etcd: number; readonly etcdPeer: number; readonly apiServer: number };

/** What a test may turn on or off. */
export type Turned = {
  /** `--controllers` of kube-controller-manager, for example `['*', '-disruption-controller']`; else all that has work here. */
  readonly controllers?: readonly string[];
  /** After how many seconds without a heartbeat a node is Unknown (default 50, Kubernetes' own). */
  readonly nodeMonitorGraceSeconds?: number;
  /** More flags for the API server. */
  readonly apiServerFlags?: readonly string[];
};

/** The arguments of etcd. */
export function etcdArgs(files: Files, ports: Ports): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${files.etcdData}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/** The arguments of kube-apiserver. */
export function apiServerArgs(files: Files, ports: Ports, policy: string, turned: Turned): readonly string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    // The address of the Service `kubernetes` must not be a loopback one, so it has none.
    '--endpoint-reconciler-type=none',
    `--secure-port=${ports.apiServer}`,
    `--cert-dir=${files.certificates}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    `--audit-policy-file=${policy}`,
    `--audit-log-path=${files.audit}`,
    // Complete when an answer is seen, and never rotated under the reader.
    '--audit-log-mode=blocking',
    '--audit-log-maxsize=100000',
    '--profiling=false',
    ...(turned.apiServerFlags ?? []),
  ];
}

/** Controllers of what no test has: each would list and watch its kinds in every control plane, and look for work in them. */
const IDLE = [
  'certificatesigningrequest-approving',
  'certificatesigningrequest-cleaner',
  'certificatesigningrequest-signing',
  'cronjob',
  'device-taint-eviction',
  'endpoints',
  'endpointslice-mirroring',
  'ephemeral-volume',
  'horizontal-pod-autoscaler',
  'kube-apiserver-serving-clustertrustbundle-publisher',
  'legacy-serviceaccount-token-cleaner',
  'persistentvolume-expander',
  'podcertificaterequest-cleaner',
  'podgroup-protection',
  'replicationcontroller',
  'resourceclaim',
  'resourcepoolstatusrequest',
  'resourcequota',
  'service-cidr',
  'storage-version-migrator',
  'storageversion-garbage-collector',
  'ttl',
  'validatingadmissionpolicy-status',
  'volumeattributesclass-protection',
];
const CONTROLLERS = ['*', ...IDLE.map((name) => `-${name}-controller`)];

/** The arguments of kube-controller-manager. */
export function controllerManagerArgs(files: Files, turned: Turned): readonly string[] {
  return [
    `--kubeconfig=${files.kubeconfig('system:kube-controller-manager')}`,
    `--root-ca-file=${files.caFile}`,
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    `--controllers=${(turned.controllers ?? CONTROLLERS).join(',')}`,
    ...(turned.nodeMonitorGraceSeconds === undefined
      ? []
      : [`--node-monitor-grace-period=${turned.nodeMonitorGraceSeconds}s`, '--node-monitor-period=1s']),
  ];
}

/** The arguments of kube-scheduler. */
export function schedulerArgs(files: Files): readonly string[] {
  return [`--config=${files.schedulerConfiguration}`, '--secure-port=0'];
}

/** The configuration of kube-scheduler. */
export function schedulerConfiguration(files: Files): string {
  return JSON.stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig: files.kubeconfig('system:kube-scheduler'), qps: 200, burst: 400 },
  });
}

/** The arguments of kwok. */
export function kwokArgs(files: Files, stages: string): readonly string[] {
  return [`--kubeconfig=${files.kubeconfig('kwok')}`, `--config=${stages}`, '--server-address='];
}
