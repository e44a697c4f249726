import { same } from './equal.ts';
import { type Cause, wrong } from './failure.ts';
import type { BudgetObject, JobObject, KubeObject, NodeObject, OwnerReference, PodObject } from './objects.ts';
import type { Resource } from './resources.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const NOT_SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NOT_LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LONGEST_SUBDOMAIN = 253;
const LONGEST_LABEL = 63;
const IMMUTABLE = 'field is immutable';

/**
 * What is wrong with an object by the rules that the model knows of: those of names and of finalizers for all, and of the
 * kinds of Kubernetes those on which an operator of nodes can stumble. Others are not asked: what the model lets pass here
 * may still be refused by an API server.
 */
export function broken(resource: Resource, object: KubeObject, before?: KubeObject): readonly Cause[] {
  const rule = RULES[resource.id];
  return [
    ...(before === undefined ? nameOf(resource, object.metadata.name) : []),
    ...finalizers(object.metadata.finalizers ?? []),
    ...controllers(object.metadata.ownerReferences ?? []),
    ...(rule === undefined ? [] : rule(object as never, before as never)),
  ];
}

function nameOf({ id, group }: Resource, name: string): readonly Cause[] {
  if (group === 'rbac.authorization.k8s.io') return [];
  const isLabel = id === 'namespaces' || id === 'services';
  const longest = isLabel ? LONGEST_LABEL : LONGEST_SUBDOMAIN;
  const why = [
    ...((isLabel ? LABEL : SUBDOMAIN).test(name) ? [] : [isLabel ? NOT_LABEL : NOT_SUBDOMAIN]),
    ...(name.length > longest ? [`must be no more than ${longest} bytes`] : []),
  ];
  return why.map((each) => wrong('metadata.name', `Invalid value: "${name}": ${each}`));
}

function finalizers(names: readonly string[]): readonly Cause[] {
  return names
    .filter((name) => !QUALIFIED.test(name))
    .map((name) =>
      wrong(
        'metadata.finalizers',
        `Invalid value: "${name}": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
      ),
    );
}

function controllers(owners: readonly OwnerReference[]): readonly Cause[] {
  const [, second] = owners.filter(({ controller }) => controller);
  if (second === undefined) return [];
  const text = `Invalid value: ${JSON.stringify(owners)}: Only one reference can have Controller set to true.`;
  return [wrong('metadata.ownerReferences', text)];
}

type Rule = (object: never, before: never) => readonly Cause[];

const RULES: { readonly [id: string]: Rule } = {
  pods: (pod: PodObject, before: PodObject | undefined) =>
    before === undefined || same(changeless(pod), changeless(before))
      ? []
      : [
          wrong(
            'spec',
            'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
            'FieldValueForbidden',
          ),
        ],
  nodes: (node: NodeObject, before: NodeObject | undefined) => [
    ...(node.spec.taints ?? []).flatMap((taint, at, all) =>
      all.findIndex(({ key, effect }) => key === taint.key && effect === taint.effect) < at
        ? [
            wrong(
              `metadata.taints[${at}]`,
              `Duplicate value: ${JSON.stringify(taint)}: taints must be unique by key and effect pair`,
              'FieldValueDuplicate',
            ),
          ]
        : [],
    ),
    ...(before?.spec.providerID && before.spec.providerID !== node.spec.providerID
      ? [
          wrong(
            'spec.providerID',
            'Forbidden: node updates may not change providerID except from "" to valid',
            'FieldValueForbidden',
          ),
        ]
      : []),
  ],
  'jobs.batch': (job: JobObject, before: JobObject | undefined) => {
    const { restartPolicy } = job.spec.template.spec;
    if (before === undefined) {
      if (restartPolicy === 'Never' || restartPolicy === 'OnFailure') return [];
      const text = `"${restartPolicy ?? 'Always'}": supported values: "OnFailure", "Never"`;
      return [wrong('spec.template.spec.restartPolicy', `Required value: valid values: ${text}`, 'FieldValueRequired')];
    }
    return (['completions', 'selector', 'template'] as const)
      .filter((field) => !same(job.spec[field], before.spec[field]))
      .map((field) => wrong(`spec.${field}`, `Invalid value: ${JSON.stringify(job.spec[field])}: ${IMMUTABLE}`));
  },
  'poddisruptionbudgets.policy': ({ status }: BudgetObject) =>
    (['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const)
      .filter((field) => (status?.[field] ?? 0) < 0)
      .map((field) => wrong(`status.${field}`, `Invalid value: ${status[field]}: must be greater than or equal to 0`)),
  events: ({ metadata, ...event }: KubeObject) => {
    const { namespace = '' } = (event as Event).involvedObject ?? {};
    // What is about something without a namespace is written in `default`.
    if (namespace === metadata.namespace || (namespace === '' && metadata.namespace === 'default')) return [];
    return [wrong('involvedObject.namespace', `Invalid value: "${namespace}": does not match event.namespace`)];
  },
  'leases.coordination.k8s.io': ({ spec }: KubeObject) => {
    const { leaseDurationSeconds = 1 } = (spec ?? {}) as { readonly leaseDurationSeconds?: number };
    const text = `Invalid value: ${leaseDurationSeconds}: must be greater than 0`;
    return leaseDurationSeconds > 0 ? [] : [wrong('spec.leaseDurationSeconds', text)];
  },
};

type Event = { readonly involvedObject?: { readonly namespace?: string } };

/** What of a pod's spec must stay as it is. */
function changeless({ spec }: PodObject) {
  return {
    ...spec,
    containers: spec.containers.map((container) => ({ ...container, image: undefined })),
    tolerations: undefined,
    activeDeadlineSeconds: undefined,
  };
}
