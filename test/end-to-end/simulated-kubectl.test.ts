import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { builtBinaries } from '../control-plane/binaries.ts';
import { until } from '../control-plane/until.ts';
import { built } from '../simulated-ground/kustomization.ts';
import { type SimulatedPlane, startSimulatedPlane } from '../simulated-ground/plane.ts';
import { installByKubectl } from './ground.ts';
import { nodes } from './shop.ts';

const SHOP = join(import.meta.dirname, '../demo/shop.yaml');
const UPGRADE = join(import.meta.dirname, '../demo/upgrade.yaml');

let plane: SimulatedPlane;
let kubectlFile: string;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'drydock-kubectl-'));
  kubectlFile = (await builtBinaries()).kubectl;
  plane = await startSimulatedPlane({ kubectl: kubectlFile });
  await installByKubectl(plane);
  await plane.createNodes(nodes(3, 1));
  await said('create', 'namespace', 'shop');
  await said('apply', '-f', SHOP);
  await said('-n', 'shop', 'rollout', 'status', 'deployment/storefront', '--timeout=30s');
  await said('-n', 'shop', 'wait', '--for=condition=Ready', 'pod', '--all', '--timeout=30s');
});

afterAll(async () => {
  await plane.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** What kubectl prints; it must not complain. */
async function said(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await plane.kubectl(args);
  expect(code, `kubectl ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout.trim();
}

/** What kubectl complains of; it must not succeed. */
async function refused(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await plane.kubectl(args);
  expect(code, `kubectl ${args.join(' ')}: ${stdout}`).not.toBe(0);
  return stderr.trim();
}

const rows = (table: string) => table.split('\n').map((row) => row.trim().split(/\s{2,}/));

describe('kubectl get on the model', () => {
  it('prints nodes and pods in the columns that everybody knows', async () => {
    const [head, first] = rows(await said('get', 'nodes'));
    expect(head).toEqual(['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION']);
    expect(first).toEqual(['cp-1', 'Ready', 'control-plane', expect.stringMatching(/^\d+s$/), 'v1.35.7']);
    expect(await said('get', 'node', 'worker-1', '-o', 'wide')).toContain('Debian GNU/Linux 13 (trixie)');
    const pods = rows(await said('get', 'pods', '-A', '-o', 'wide'));
    expect(pods[0]).toEqual([
      ...['NAMESPACE', 'NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'],
    ]);
    expect(pods.find(([, name]) => name === 'orders-0')?.slice(0, 5)).toEqual([
      'shop',
      'orders-0',
      '1/1',
      'Running',
      '0',
    ]);
  });

  it('prints workloads, budgets, namespaces and Leases', async () => {
    const all = await said('-n', 'shop', 'get', 'deployments,replicasets,statefulsets,daemonsets,pdb');
    expect(all).toMatch(/deployment\.apps\/storefront +10\/10 +10 +10 /);
    expect(all).toMatch(/replicaset\.apps\/payments-\w+ +2 +2 +2 /);
    expect(all).toMatch(/statefulset\.apps\/orders +3\/3 /);
    expect(all).toMatch(/daemonset\.apps\/log-agent +4 +4 +4 +4 +4 +<none> /);
    expect(all).toMatch(/poddisruptionbudget\.policy\/storefront +N\/A +2 +2 /);
    expect(await said('get', 'namespaces')).toMatch(/shop +Active/);
    expect(await said('get', 'leases', '-A')).toBe('');
    expect(rows(await said('-n', 'shop', 'get', 'all'))[0]?.[0]).toBe('NAME');
  });

  it('selects by labels and fields, sorts, pages and prints YAML', async () => {
    const names = await said('-n', 'shop', 'get', 'pods', '-l', 'app=orders', '-o', 'name', '--sort-by=.metadata.name');
    expect(names.split('\n')).toEqual(['pod/orders-0', 'pod/orders-1', 'pod/orders-2']);
    const path = '-o=jsonpath={.items[*].spec.nodeName}';
    const on = await said('get', 'pods', '-A', '--field-selector', 'spec.nodeName=worker-1', path);
    expect(new Set(on.split(' '))).toEqual(new Set(['worker-1']));
    const whole = await said('-n', 'shop', 'get', 'pods', '-o', 'name');
    expect(await said('-n', 'shop', 'get', 'pods', '-o', 'name', '--chunk-size=2')).toBe(whole);
    expect(await said('-n', 'shop', 'get', 'pdb', 'orders', '-o', 'yaml')).toContain('minAvailable: 2');
    expect(await said('get', 'ns', 'shop', '--show-labels')).toContain('kubernetes.io/metadata.name=shop');
  });

  it('follows changes with -w', async () => {
    const env = { ...process.env, KUBECONFIG: plane.kubeconfig, HOME: scratch };
    const child = spawn(kubectlFile, ['get', 'node', 'worker-3', '-w'], { env });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await until(() => text.includes('worker-3'), { what: 'kubectl -w lists' });
    await said('cordon', 'worker-3');
    await until(() => text.includes('SchedulingDisabled'), { what: 'kubectl -w shows the cordon' });
    await said('uncordon', 'worker-3');
    child.kill();
    expect(text.match(/^NAME/gm)).toHaveLength(1);
  });

  it('says what is not there', async () => {
    expect(await refused('get', 'pod', 'nobody')).toBe('Error from server (NotFound): pods "nobody" not found');
    expect(await refused('get', 'cronjobs')).toContain('the server doesn\'t have a resource type "cronjobs"');
    expect(await refused('logs', '-n', 'shop', 'orders-0')).toContain('the model does not serve GET');
    expect(await refused('exec', '-n', 'shop', 'orders-0', '--', 'ls')).toContain('the model does not serve POST');
  });
});

describe('kubectl describe on the model', () => {
  it('describes a node with its pods, and a pod with its containers', async () => {
    const node = await said('describe', 'node', 'worker-1');
    expect(node).toMatch(/Ready +True .*KubeletReady/);
    expect(node).toMatch(/Non-terminated Pods: +\(\d+ in total\)/);
    expect(node).toContain('Kubelet Version:');
    const pod = await said('-n', 'shop', 'describe', 'pod', 'orders-0');
    expect(pod).toContain('Controlled By:  StatefulSet/orders');
    expect(pod).toMatch(/State: +Running/);
    expect(await said('-n', 'shop', 'describe', 'pdb', 'orders')).toMatch(/Allowed disruptions: +1/);
  });

  it('describes our kinds, with their Events', async () => {
    await said('apply', '-f', UPGRADE);
    const upgrade = await plane.admin.get<{ metadata: { uid: string } }>(
      '/apis/drydock.dev/v1alpha1/clusterupgrades/to-1-36',
    );
    const { uid } = upgrade.metadata;
    await plane.admin.create('/api/v1/namespaces/default/events', {
      metadata: { name: 'to-1-36.1', namespace: 'default' },
      involvedObject: { apiVersion: 'drydock.dev/v1alpha1', kind: 'ClusterUpgrade', name: 'to-1-36', uid },
      reason: 'NodeAdmitted',
      message: 'worker-1 may go.',
      type: 'Normal',
      firstTimestamp: '2026-11-10T12:00:00Z',
      lastTimestamp: '2026-11-10T12:00:00Z',
      source: { component: 'drydock' },
    });
    const described = await said('describe', 'clusterupgrade', 'to-1-36');
    expect(described).toContain('Kubernetes Version:  v1.36.4');
    expect(described).toMatch(/Normal +NodeAdmitted .*drydock +worker-1 may go\./);
    expect(await said('get', 'events')).toMatch(/Normal +NodeAdmitted +clusterupgrade\/to-1-36 +worker-1 may go\./);
    expect(await said('get', 'drydock')).toMatch(/clusterupgrade\.drydock\.dev\/to-1-36/);
    const explained = await said('explain', 'clusterupgrade.spec');
    expect(explained).toContain('profileName');
    expect(await refused('explain', 'pod.spec')).toContain('not found in OpenAPI schema');
  });
});

describe('kubectl writes to the model', () => {
  it('applies on the client and on the server, with dry runs', async () => {
    expect(await said('apply', '-f', UPGRADE)).toContain('clusterupgrade.drydock.dev/to-1-36 unchanged');
    expect(await said('apply', '--server-side', '--force-conflicts', '-f', UPGRADE)).toContain('serverside-applied');
    const more = readFileSync(SHOP, 'utf8').replace('replicas: 10', 'replicas: 11');
    const file = join(scratch, 'shop.yaml');
    writeFileSync(file, more);
    expect(await said('apply', '--dry-run=server', '-f', file)).toContain('storefront configured (server dry run)');
    expect(await said('apply', '-f', file)).toContain('deployment.apps/storefront configured');
    expect(await said('-n', 'shop', 'get', 'deploy', 'storefront', '-o=jsonpath={.spec.replicas}')).toBe('11');
    expect(await said('diff', '-f', file)).toBe('');
  });

  it('patches, labels, annotates, scales and creates', async () => {
    const merged = '{"spec":{"minAvailable":null,"maxUnavailable":1}}';
    expect(await said('-n', 'shop', 'patch', 'pdb', 'payments', '--type=merge', '-p', merged)).toContain('patched');
    await until(async () => (await said('-n', 'shop', 'get', 'pdb', 'payments')).match(/N\/A +1 +1 /) !== null, {
      what: 'the budget is counted again',
    });
    expect(await said('label', 'node', 'worker-1', 'rack=a')).toBe('node/worker-1 labeled');
    expect(await said('annotate', 'node', 'worker-1', 'why=test')).toBe('node/worker-1 annotated');
    expect(await said('get', 'nodes', '-l', 'rack=a', '-o', 'name')).toBe('node/worker-1');
    expect(await said('-n', 'shop', 'scale', 'deployment/payments', '--replicas=3')).toContain('scaled');
    await said('-n', 'shop', 'rollout', 'status', 'deployment/payments', '--timeout=30s');
    expect(await said('-n', 'shop', 'create', 'configmap', 'prices', '--from-literal=a=b')).toContain('created');
    expect(await said('-n', 'shop', 'create', 'deployment', 'extra', '--image=shop/extra')).toContain('created');
    expect(await refused('-n', 'shop', 'create', 'secret', 'generic', 's', '--from-literal=a=b')).toContain(
      'the model reads no v1 Secret in it',
    );
  });

  it('cordons, drains against the budgets, and uncordons', async () => {
    await said('cordon', 'worker-2');
    expect(await said('get', 'node', 'worker-2')).toContain('Ready,SchedulingDisabled');
    const drained = await said('drain', 'worker-2', '--ignore-daemonsets', '--timeout=90s');
    expect(drained).toMatch(/pod\/\S+ evicted/);
    expect(drained).toContain('node/worker-2 drained');
    expect(await said('uncordon', 'worker-2')).toBe('node/worker-2 uncordoned');
    const { accepted } = plane.audit.evictions({ user: 'drydock-test-admin' });
    expect(accepted.length).toBeGreaterThan(0);
    expect(plane.audit.podDeletions({ user: 'drydock-test-admin' })).toEqual([]);
  });

  it('deletes and waits for the end, and waits for conditions', async () => {
    expect(await said('-n', 'shop', 'delete', 'pod', 'orders-0', '--wait')).toContain('pod "orders-0" deleted');
    expect(await said('-n', 'shop', 'wait', '--for=condition=Ready', 'pod/orders-0', '--timeout=30s')).toBe(
      'pod/orders-0 condition met',
    );
    expect(await said('delete', '-f', UPGRADE)).toContain('clusterupgrade.drydock.dev "to-1-36" deleted');
    await said('create', 'namespace', 'short');
    expect(await said('delete', 'namespace', 'short', '--timeout=30s')).toContain('namespace "short" deleted');
  });
});

it('tells kubectl who it is, what it may, and as a service account too', async () => {
  expect(await said('auth', 'whoami')).toContain('drydock-test-admin');
  expect(await said('auth', 'can-i', 'delete', 'nodes')).toBe('yes');
  const token = await said('-n', 'drydock-system', 'create', 'token', 'drydock');
  expect(await said('--token', token, 'auth', 'whoami')).toContain('system:serviceaccount:drydock-system:drydock');
  expect(await refused('--token', 'guessed', 'get', 'nodes')).toContain('You must be logged in to the server');
  expect(await said('version')).toContain('Server Version: v1.36.4');
});

it('builds deploy/ as kubectl does, where there is none', async () => {
  const deploy = join(import.meta.dirname, '../../deploy');
  const byName = (documents: readonly unknown[]) =>
    (documents as readonly { kind: string; metadata: { name: string; namespace?: string } }[]).toSorted((a, b) =>
      JSON.stringify([a.kind, a.metadata.namespace, a.metadata.name]).localeCompare(
        JSON.stringify([b.kind, b.metadata.namespace, b.metadata.name]),
      ),
    );
  const theirs = parseAllDocuments(await said('kustomize', deploy)).map((document) => document.toJS() as unknown);
  // kubectl folds long texts anew, where white space means nothing.
  const folded = (documents: readonly unknown[]) =>
    JSON.parse(JSON.stringify(byName(documents)), (_, value: unknown) =>
      typeof value === 'string' ? value.replace(/\s+/g, ' ') : value,
    ) as unknown;
  expect(folded(built(deploy))).toEqual(folded(theirs));
});
