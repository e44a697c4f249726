import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Place } from './machines.ts';

const TOKEN = 'abcdef.0123456789abcdef';
const SOCKET = 'unix:///run/containerd/containerd.sock';
const POLICY = '/etc/kubernetes/audit-policy.yaml';
/** Where the API server writes its audit log, on its machine. */
export const AUDIT = '/var/log/kubernetes/audit';
/** Who looks at the cluster for the tests; what it reads is not written down. */
export const OBSERVER = 'system:serviceaccount:kube-system:drydock-test-admin';

/** With it certificates are given on to further control planes; for a cluster that lives minutes and meets nobody. */
const CERTIFICATE_KEY = '5d'.repeat(32);
const API_PORT = 6443;

/** What `kubeadm init` is told; the endpoint is the address by which everybody reaches the API server. */
export function initConfiguration(version: string, place: Place, endpoint: string): string {
  return documents([
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      bootstrapTokens: [{ token: TOKEN, ttl: '0s', groups: ['system:bootstrappers:kubeadm:default-node-token'] }],
      localAPIEndpoint: apiOf(place),
      nodeRegistration: registration(place),
      certificateKey: CERTIFICATE_KEY,
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      kubernetesVersion: version,
      controlPlaneEndpoint: `${endpoint}:${API_PORT}`,
      networking: { podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/16' },
      apiServer: {
        extraArgs: [
          { name: 'audit-policy-file', value: POLICY },
          { name: 'audit-log-path', value: `${AUDIT}/audit.log` },
          // Complete when an answer is seen, and never rotated under the reader.
          { name: 'audit-log-mode', value: 'blocking' },
          { name: 'audit-log-maxsize', value: '100000' },
        ],
        extraVolumes: [
          { name: 'audit-policy', hostPath: POLICY, mountPath: POLICY, readOnly: true, pathType: 'File' },
          { name: 'audit-log', hostPath: AUDIT, mountPath: AUDIT, pathType: 'DirectoryOrCreate' },
        ],
      },
      // The ranges of pods stand in the files of the bridge.
      controllerManager: { extraArgs: [{ name: 'allocate-node-cidrs', value: 'false' }] },
      etcd: { local: { dataDir: '/var/lib/etcd', extraArgs: [{ name: 'unsafe-no-fsync', value: 'true' }] } },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      failCgroupV1: false,
      cgroupDriver: 'cgroupfs',
      failSwapOn: false,
      // Nothing may take away what cannot be fetched again.
      imageGCHighThresholdPercent: 100,
      evictionHard: {
        'memory.available': '100Mi',
        'nodefs.available': '1%',
        'imagefs.available': '1%',
        'nodefs.inodesFree': '1%',
      },
      // Lowering it needs CAP_SYS_RESOURCE, which not every root has.
      oomScoreAdj: 0,
    },
    {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
      // Outside the first network namespace the limit can only be read.
      conntrack: { maxPerCore: 0 },
    },
  ]);
}

/** What `kubeadm join` is told: one more control plane gets an API server and a member of etcd. */
export function joinConfiguration(place: Place, endpoint: string): string {
  return documents([
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'JoinConfiguration',
      discovery: {
        bootstrapToken: {
          apiServerEndpoint: `${endpoint}:${API_PORT}`,
          token: TOKEN,
          unsafeSkipCAVerification: true,
        },
      },
      nodeRegistration: registration(place),
      ...(isControlPlane(place)
        ? { controlPlane: { localAPIEndpoint: apiOf(place), certificateKey: CERTIFICATE_KEY } }
        : {}),
    },
  ]);
}

/** Control planes are called cp1 and so on. */
export function isControlPlane({ name }: Place): boolean {
  return name.startsWith('cp');
}

/** Files that every machine has before its first boot, by their paths. `@PODS@` becomes the range of its pods. */
export function filesOfMachines(pause: string): Readonly<Record<string, string>> {
  const bridge = {
    cniVersion: '0.4.0',
    name: 'drydock',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: '@PODS@' }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  const policy = readFileSync(join(import.meta.dirname, '../control-plane/audit-policy.yaml'), 'utf8');
  return {
    'etc/cni/net.d/10-bridge.conflist': JSON.stringify(bridge),
    'etc/containerd/config.toml': readFileSync(join(import.meta.dirname, 'files/containerd.toml'), 'utf8').replace(
      '@PAUSE@',
      pause,
    ),
    'etc/apt/sources.list.d/kubernetes.list': 'deb [trusted=yes] file:/mnt/share/packages ./\n',
    [POLICY.slice(1)]: policy.replaceAll('drydock-test-admin', `'${OBSERVER}'`),
  };
}

function apiOf({ address }: Place) {
  return { advertiseAddress: address, bindPort: API_PORT };
}

function registration({ name, address }: Place) {
  return {
    name,
    criSocket: SOCKET,
    // What is missing is an error at once, and no question to a registry.
    imagePullPolicy: 'Never',
    imagePullSerial: true,
    kubeletExtraArgs: [{ name: 'node-ip', value: address }],
    // Control groups of version 1 are an error since 1.35, which is passed over by its name.
    ignorePreflightErrors: ['SystemVerification'],
  };
}

function documents(all: readonly unknown[]): string {
  return all.map((each) => stringify(each)).join('---\n');
}
