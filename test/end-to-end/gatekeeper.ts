import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { freePort } from '../control-plane/ports.ts';
import { selfSigned } from '../simulated-ground/certificate.ts';

/** An admission webhook that is asked about evictions, as operators of databases and virtual machines have one. */
export type Gatekeeper = {
  /** The configurations by which it is asked about evictions in some namespaces. */
  readonly denying: (namespaces: readonly string[]) => unknown;
  readonly garbling: (namespaces: readonly string[]) => unknown;
  /** The configuration by which it keeps those waiting who make ConfigMaps there. */
  readonly keepingWaiting: (namespaces: readonly string[]) => unknown;
  /** Whether somebody waits there. */
  readonly keepsWaiting: () => boolean;
  /** From now on whatever it is asked about in this namespace passes. */
  letPass(namespace: string): void;
  stop(): Promise<void>;
};

type Review = {
  readonly request: { readonly uid: string; readonly namespace: string; readonly name: string };
};

const EVICTIONS = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['pods/eviction'],
  scope: 'Namespaced',
};
/** A patch that fits nothing: the API server fails over it and names no webhook. */
const UNFITTING = JSON.stringify([{ op: 'remove', path: '/nothing' }]);
const GARBLED = { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(UNFITTING).toString('base64') };
const API = 'admissionregistration.k8s.io/v1';

function inNamespaces(values: readonly string[]) {
  return { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] };
}

type Configuration = {
  readonly kind?: 'Validating' | 'Mutating';
  readonly name: string;
  readonly at: unknown;
  readonly rule?: unknown;
  readonly timeoutSeconds?: number;
};

function configuration(
  { kind = 'Validating', name, at, rule = EVICTIONS, timeoutSeconds = 5 }: Configuration,
  among: readonly string[],
) {
  const webhook = {
    name: `${name}.test.drydock.dev`,
    clientConfig: at,
    rules: [rule],
    namespaceSelector: inNamespaces(among),
    failurePolicy: 'Fail',
    sideEffects: 'None',
    timeoutSeconds,
    admissionReviewVersions: ['v1'],
  };
  return { apiVersion: API, kind: `${kind}WebhookConfiguration`, metadata: { name }, webhooks: [webhook] };
}

/** Starts it on this machine. */
export async function startGatekeeper(): Promise<Gatekeeper> {
  const certificate = selfSigned(Date.now());
  const passing = new Set<string>();
  const waiting = new Map<string, () => void>();
  const server = createServer(certificate, async (request, response) => {
    const { uid, namespace, name } = ((await json(request)) as Review).request;
    // The API server adds a query that says how long it will wait.
    const [path] = (request.url ?? '').split('?');
    if (path === '/wait' && !passing.has(namespace))
      await new Promise<void>((resolve) => waiting.set(namespace, resolve));
    const refusal = { allowed: false, status: { code: 403, message: `${name} is being moved` } };
    const passes = path !== '/deny' || passing.has(namespace);
    const answer = path === '/garble' ? GARBLED : passes ? { allowed: true } : refusal;
    const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...answer } };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(review));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = (path: string) => ({
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    caBundle: Buffer.from(certificate.cert).toString('base64'),
  });
  return {
    denying: (among) => configuration({ name: 'denying', at: at('/deny') }, among),
    garbling: (among) => configuration({ kind: 'Mutating', name: 'garbling', at: at('/garble') }, among),
    keepingWaiting: (among) => {
      const rule = { ...EVICTIONS, resources: ['configmaps'] };
      return configuration({ name: 'keeping-waiting', at: at('/wait'), rule, timeoutSeconds: 30 }, among);
    },
    keepsWaiting: () => waiting.size > 0,
    letPass: (namespace) => {
      passing.add(namespace);
      waiting.get(namespace)?.();
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A webhook that must be asked and is not there. */
export async function unanswering(among: readonly string[]): Promise<unknown> {
  const at = { url: `https://127.0.0.1:${await freePort()}/` };
  return configuration({ name: 'unanswering', at }, among);
}

/** An admission policy that refuses every eviction in some namespaces, with its binding. */
export function forbidding(among: readonly string[]): readonly unknown[] {
  const validations = [{ expression: 'false', message: 'no evictions on Fridays', reason: 'Forbidden' }];
  const matchConstraints = { resourceRules: [EVICTIONS] };
  const spec = { failurePolicy: 'Fail', matchConstraints, validations };
  const matchResources = { namespaceSelector: inNamespaces(among) };
  const binding = { policyName: 'forbidding', validationActions: ['Deny'], matchResources };
  const metadata = { name: 'forbidding' };
  return [
    { apiVersion: API, kind: 'ValidatingAdmissionPolicy', metadata, spec },
    { apiVersion: API, kind: 'ValidatingAdmissionPolicyBinding', metadata, spec: binding },
  ];
}

/** Who takes the one seat that Drydock and he have in a namespace. */
const CROWD = 'crowd';

/**
 * What gives one seat of API priority and fairness to all evictions of Drydock in a namespace and to whatever the crowd does
 * there, with the right of the crowd to do it and the webhook at which it is kept waiting. Upstream, a request is let in that
 * finds nobody: canAccommodateSeatsLocked in queueset.go.
 */
export function limiting(gatekeeper: Gatekeeper, namespace: string): readonly unknown[] {
  const flow = 'flowcontrol.apiserver.k8s.io/v1';
  const rbac = 'rbac.authorization.k8s.io';
  const metadata = { name: 'limiting' };
  const limited = {
    nominalConcurrencyShares: 0,
    lendablePercent: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: 'Reject' },
  };
  const crowd = { kind: 'User', name: CROWD, apiGroup: rbac };
  const subjects = [
    { kind: 'ServiceAccount', serviceAccount: { namespace: 'drydock-system', name: 'drydock' } },
    { kind: 'User', user: { name: CROWD } },
  ];
  const resourceRules = ['pods/eviction', 'configmaps'].map((resource) => ({
    verbs: ['create'],
    apiGroups: [''],
    resources: [resource],
    namespaces: [namespace],
  }));
  return [
    { apiVersion: flow, kind: 'PriorityLevelConfiguration', metadata, spec: { type: 'Limited', limited } },
    {
      apiVersion: flow,
      kind: 'FlowSchema',
      metadata,
      spec: {
        matchingPrecedence: 2,
        priorityLevelConfiguration: metadata,
        rules: [{ subjects, resourceRules }],
      },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { ...metadata, namespace },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'edit' },
      subjects: [crowd],
    },
    gatekeeper.keepingWaiting([namespace]),
  ];
}

/** Takes the seat until the gatekeeper lets the namespace pass, 30 s at most. */
export async function crowd(plane: ControlPlane, namespace: string): Promise<void> {
  await plane.kubectl(['create', 'configmap', 'crowd', '--dry-run=server', '-n', namespace, `--as=${CROWD}`]);
}
