import type { z } from 'zod';
import { POLICY_NAME } from '../api/maintenance-policy.ts';
import { edges, type Phase } from '../api/phases.ts';
import { same } from './equal.ts';
import { type Did, did, invalid, wrong } from './failure.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/**
 * What the API server makes of an object of ours: completed by the defaults of its schema, without what the schema does not
 * know, refused where a rule of it does not hold. The rules are those of src/api, said there once for both.
 */
export function validated(resource: Resource, object: KubeObject, before?: KubeObject): Did<KubeObject> {
  const { definition } = resource;
  if (definition === undefined) return did(object);
  const spec = definition.spec.safeParse(object.spec ?? {});
  const status = definition.status.safeParse(object.status ?? definition.statusDefault ?? {});
  const causes = [
    ...(spec.success ? [] : issues('spec', spec.error)),
    ...(status.success ? [] : issues('status', status.error)),
    ...outside(definition.kind, object, before),
  ];
  if (causes.length > 0) return invalid(resource, object.metadata.name, causes);
  return did({ ...object, spec: spec.data, status: status.data });
}

function issues(root: string, error: z.ZodError) {
  return error.issues.map((issue) => {
    const field = issue.path.reduce<string>(
      (path, part) => (typeof part === 'number' ? `${path}[${part}]` : `${path}.${String(part)}`),
      root,
    );
    return wrong(field, `Invalid value: ${issue.message}`);
  });
}

const LONGEST_UPGRADE_NAME = 63;

type Phased = { readonly state?: { readonly phase?: Phase } };

/** The rules that need more than one part of one object: the name, or what was there before. */
function outside(kind: string, object: KubeObject, before: KubeObject | undefined) {
  const { name } = object.metadata;
  if (kind === 'MaintenancePolicy' && name !== POLICY_NAME) {
    return [wrong('', 'Invalid value: there is one MaintenancePolicy in a cluster and its name is "cluster"')];
  }
  if (kind === 'ClusterUpgrade' && name.length > LONGEST_UPGRADE_NAME) {
    return [wrong('', 'Invalid value: the name of a ClusterUpgrade becomes part of a label: at most 63 characters')];
  }
  if (kind !== 'NodeMaintenance' || before === undefined) return [];
  const causes = [];
  if (!same(object.spec, before.spec)) {
    causes.push(
      wrong('spec', 'Invalid value: the spec of a NodeMaintenance cannot be changed: delete it and write another'),
    );
  }
  const [from, to] = [(before.status as Phased)?.state?.phase, (object.status as Phased)?.state?.phase];
  const isStep =
    from === undefined || to === undefined || from === to || (edges[from] as readonly Phase[])?.includes(to);
  if (!isStep) {
    causes.push(wrong('status.state', 'Invalid value: status.state can only take the steps of the state diagram'));
  }
  return causes;
}
