import { z } from 'zod';
import { type Did, did, invalid, refused, wrong } from './failure.ts';
import { APPLY, JSON_PATCH } from './patch.ts';
import type { Request, Response } from './request.ts';
import type { Resource } from './resources.ts';
import type { Route } from './route.ts';

const text = z.string().nullish();
const count = z.number().nullish();
const words = z.record(z.string(), z.string().nullable()).nullish();
const amounts = z.record(z.string(), z.union([z.string(), z.number()]).nullable()).nullish();
const loose = z.looseObject({});
/** Members of lists in patches may say what happens to the list instead of being one. */
const directive = z.looseObject({ $patch: z.string() });
const some = <T extends z.ZodType>(of: T) => z.array(z.union([of, directive])).nullish();
const named = { name: z.string() };

const requirement = z.looseObject({ key: z.string(), operator: z.string(), values: some(z.string()) });
const selector = z.looseObject({ matchLabels: words, matchExpressions: some(requirement) });
const terms = z.looseObject({ matchExpressions: some(requirement), matchFields: some(requirement) });
const affinity = z.looseObject({
  nodeAffinity: z
    .looseObject({
      requiredDuringSchedulingIgnoredDuringExecution: z.looseObject({ nodeSelectorTerms: z.array(terms) }).nullish(),
    })
    .nullish(),
});
const container = z.looseObject({
  ...named,
  image: text,
  env: some(z.looseObject({ ...named, value: text })),
  resources: z.looseObject({ requests: amounts }).nullish(),
});
const toleration = z.looseObject({ key: text, operator: text, value: text, effect: text, tolerationSeconds: count });
const podSpec = z.looseObject({
  containers: z.array(z.union([container, directive])).optional(),
  nodeName: text,
  nodeSelector: words,
  tolerations: some(toleration),
  terminationGracePeriodSeconds: count,
  volumes: some(loose),
  readinessGates: some(z.looseObject({ conditionType: z.string() })),
  restartPolicy: text,
  affinity: affinity.nullish(),
});
const metadata = z.looseObject({
  name: text,
  generateName: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  creationTimestamp: text,
  deletionTimestamp: text,
  labels: words,
  annotations: words,
  finalizers: some(z.string()),
  ownerReferences: some(z.looseObject({ ...named, apiVersion: text, kind: z.string(), uid: z.string() })),
});
const template = z.looseObject({
  metadata: z.looseObject({ labels: words, annotations: words }).nullish(),
  spec: podSpec.optional(),
});
const workload = z.looseObject({
  replicas: count,
  selector: selector.optional(),
  template: template.optional(),
  parallelism: count,
  completions: count,
  backoffLimit: count,
  activeDeadlineSeconds: count,
  ttlSecondsAfterFinished: count,
  suspend: z.boolean().nullish(),
});
const share = z.union([z.string(), z.number()]).nullish();
const status = z.looseObject({
  phase: text,
  reason: text,
  startTime: text,
  conditions: some(z.looseObject({ type: z.string(), status: text })),
  containerStatuses: some(z.looseObject(named)),
  nodeInfo: loose.nullish(),
  allocatable: amounts,
  capacity: amounts,
  disruptedPods: words,
});

const SPECS: { readonly [resource: string]: z.ZodType } = {
  pods: podSpec.optional(),
  nodes: z
    .looseObject({
      unschedulable: z.boolean().nullish(),
      taints: some(z.looseObject({ key: z.string(), effect: z.string() })),
    })
    .nullish(),
  'poddisruptionbudgets.policy': z
    .looseObject({ selector: selector.nullish(), minAvailable: share, maxUnavailable: share })
    .optional(),
  'deployments.apps': workload.optional(),
  'replicasets.apps': workload.optional(),
  'statefulsets.apps': workload.optional(),
  'daemonsets.apps': workload.optional(),
  'jobs.batch': workload.optional(),
};

const SHAPES = new Map<string, z.ZodType>();

function shapeOf({ id, definition }: Resource): z.ZodType {
  const known = SHAPES.get(id);
  if (known !== undefined) return known;
  const rest = definition === undefined ? { spec: SPECS[id] ?? loose.nullish(), status: status.nullish() } : {};
  const shape = z.looseObject({ metadata: metadata.optional(), ...rest });
  SHAPES.set(id, shape);
  return shape;
}

/** The members that must be there, since what gives life to the object counts on them. */
const NEEDED: { readonly [resource: string]: readonly (readonly string[])[] } = {
  pods: [['spec', 'containers']],
  'jobs.batch': [['spec', 'template', 'spec', 'containers']],
  ...Object.fromEntries(
    ['deployments', 'replicasets', 'statefulsets', 'daemonsets'].map((plural) => [
      `${plural}.apps`,
      [
        ['spec', 'selector'],
        ['spec', 'template', 'spec', 'containers'],
      ],
    ]),
  ),
};

type Json = Readonly<Record<string, unknown>>;

function lacking(resource: Resource, body: unknown): Did<never> | undefined {
  const missing = (NEEDED[resource.id] ?? []).filter((path) => {
    const found = path.reduce<unknown>((at, part) => (at as Json | undefined)?.[part], body);
    return found === undefined || (Array.isArray(found) && found.length === 0);
  });
  if (missing.length === 0) return undefined;
  const causes = missing.map((path) => wrong(path.join('.'), 'Required value', 'FieldValueRequired'));
  return invalid(resource, String((body as { metadata?: { name?: string } })?.metadata?.name ?? ''), causes);
}

function misshapen(resource: Resource, body: unknown): Did<never> | undefined {
  const read = shapeOf(resource).safeParse(body);
  if (read.success) return undefined;
  const { kind, version } = resource;
  const [issue] = read.error.issues;
  const where = `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? ''}`;
  const message = `${kind} in version "${version}" cannot be handled as a ${kind}: ${where}`;
  return refused(400, 'BadRequest', message);
}

/** To the API server a member that is null is one that is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutNulls(each)]));
}

/**
 * The request with a body that has the shape of its kind, or the refusal. An API server reads JSON into types; the model stores
 * what it gets, and what lives in it would stumble over a text where a list must be. `tried` is what a request would come to.
 */
export function shaped(
  request: Request,
  { resource, name, subresource }: Route,
  isThere: () => boolean,
  tried: (request: Request) => Response,
): Did<Request> {
  const { method, contentType = '', body } = request;
  // Objects are created in a collection and changed under their name; whatever else there is has no object in its body.
  if (name === undefined ? method !== 'POST' : !['PUT', 'PATCH'].includes(method)) return did(request);
  if (subresource !== undefined && subresource !== 'status') return did(request);
  if (method === 'PATCH' && contentType.startsWith(JSON_PATCH)) {
    const would = tried({ ...request, path: `${request.path}${request.path.includes('?') ? '&' : '?'}dryRun=All` });
    const refusal =
      would.status >= 300 ? undefined : (misshapen(resource, would.body) ?? lacking(resource, would.body));
    return refusal ?? did(request);
  }
  const isApplied = contentType.startsWith(APPLY);
  const whole = method !== 'PATCH' || isApplied ? { ...request, body: withoutNulls(body) } : request;
  const makes = method !== 'PATCH' || (isApplied && !isThere());
  const refusal =
    misshapen(resource, whole.body) ?? (makes && subresource === undefined ? lacking(resource, whole.body) : undefined);
  return refusal ?? did(whole);
}
