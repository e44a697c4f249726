import { stringify } from 'yaml';
import { type Client, type KubernetesObject, PATCH } from '../control-plane/client.ts';
import type { Said } from '../control-plane/cluster.ts';
import { until } from '../control-plane/until.ts';
import { built } from './kustomization.ts';

type Resource = {
  readonly name: string;
  readonly singularName: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  readonly path: string;
  readonly group: string;
};
type Conditioned = KubernetesObject & {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/**
 * What the demo asks of kubectl, for a machine that has none: kustomize, apply, patch and wait, through the client, with the
 * same words as answers. Anything else it refuses.
 */
export async function ownKubectl(client: Client, args: readonly string[], input = ''): Promise<Said> {
  try {
    return { stdout: await answered(client, args, input), stderr: '', code: 0 };
  } catch (error) {
    return { stdout: '', stderr: `error: ${error instanceof Error ? error.message : String(error)}\n`, code: 1 };
  }
}

async function answered(client: Client, args: readonly string[], input: string): Promise<string> {
  const { words, options } = read(args);
  const [verb, type = '', name = ''] = words;
  switch (verb) {
    case 'kustomize':
      return built(type)
        .map((document) => stringify(document))
        .join('---\n');
    case 'apply': {
      if (!options.has('server-side') || options.get('f') !== '-') break;
      const applied = await client.apply(input);
      return applied.map((each) => `${each.kind.toLowerCase()}/${each.metadata.name} serverside-applied\n`).join('');
    }
    case 'patch': {
      const resource = await resourceOf(client, type);
      if (options.get('type') !== 'merge') break;
      await client.patch(pathOf(resource, name, options.get('n')), JSON.parse(options.get('p') ?? '{}'), PATCH.merge);
      return `${called(resource, name)} patched\n`;
    }
    case 'wait': {
      const [kind = '', of = ''] = type.split('/');
      const resource = await resourceOf(client, kind);
      const condition = /^condition=(\w+)$/.exec(options.get('for') ?? '')?.[1] ?? '';
      const seconds = Number.parseInt(options.get('timeout') ?? '30', 10);
      const path = pathOf(resource, of, options.get('n'));
      await until(() => holds(client, path, condition), { what: `${called(resource, of)} is ${condition}`, seconds });
      return `${called(resource, of)} condition met\n`;
    }
  }
  throw new Error(`there is no kubectl on this machine, and in its place nothing that knows ${args.join(' ')}`);
}

function read(args: readonly string[]): {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
} {
  const [words, options] = [[] as string[], new Map<string, string>()];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const [, long, value = ''] = /^--([\w-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (long !== undefined) options.set(long, value);
    else if (/^-\w$/.test(arg)) {
      at += 1;
      options.set(arg.slice(1), args[at] ?? '');
    } else words.push(arg);
  }
  return { words, options };
}

async function holds(client: Client, path: string, condition: string): Promise<boolean> {
  const found = await client.get<Conditioned>(path);
  return found.status?.conditions?.some(({ type, status }) => type === condition && status === 'True') ?? false;
}

async function resourceOf(client: Client, type: string): Promise<Resource> {
  type Groups = { readonly groups: readonly { readonly name: string; preferredVersion: { groupVersion: string } }[] };
  const { groups } = await client.get<Groups>('/apis');
  const places = [
    { group: '', path: '/api/v1' },
    ...groups.map(({ name, preferredVersion }) => ({ group: name, path: `/apis/${preferredVersion.groupVersion}` })),
  ];
  for (const { group, path } of places) {
    const { resources } = await client.get<{ readonly resources: readonly Resource[] }>(path);
    const found = resources.find(
      ({ name, singularName, shortNames = [] }) =>
        !name.includes('/') && (name === type || singularName === type || shortNames.includes(type)),
    );
    if (found !== undefined) return { ...found, group, path };
  }
  throw new Error(`the server doesn't have a resource type "${type}"`);
}

function pathOf(resource: Resource, name: string, namespace = 'default'): string {
  return `${resource.path}${resource.namespaced ? `/namespaces/${namespace}` : ''}/${resource.name}/${name}`;
}

function called({ singularName, group }: Resource, name: string): string {
  return `${singularName}${group === '' ? '' : `.${group}`}/${name}`;
}
