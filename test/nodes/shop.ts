/** The port of every node behind which the workload is. */
export const DOOR = 30_080;
/** The image of the workload: a shell and a web server. */
export const SHELL_IMAGE = 'drydock.dev/test/shell:1';

const NAMESPACE = 'shop';
/** It answers for a while after it was told to end, as whoever is behind a Service should: nobody is sent to it then. */
const SCRIPT = `mkdir -p /www; hostname > /www/index.html
trap 'sleep 5; exit 0' TERM
httpd -f -p 8080 -h /www & while :; do wait $! || sleep 1; done`;

/** Two workloads under budgets, of which one can be asked through every node. */
export const shop: readonly unknown[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  ...workload('web', 3, 2),
  ...workload('orders', 2, 1),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, nodePort: DOOR }] },
  },
];

function workload(app: string, replicas: number, minAvailable: number): readonly unknown[] {
  const metadata = { name: app, namespace: NAMESPACE };
  const selector = { matchLabels: { app } };
  const spread = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: selector,
  };
  const container = {
    name: app,
    image: SHELL_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/sh', '-c', SCRIPT],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  const template = {
    metadata: { labels: { app } },
    spec: { terminationGracePeriodSeconds: 20, topologySpreadConstraints: [spread], containers: [container] },
  };
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas, selector, template } },
    { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: { minAvailable, selector } },
  ];
}
