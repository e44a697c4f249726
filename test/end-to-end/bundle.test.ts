import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Child, startChild } from '../control-plane/child.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { controlPlaneForTests, hasControlPlane } from '../control-plane/ladder.ts';
import { freePort } from '../control-plane/ports.ts';
import { until } from '../control-plane/until.ts';
import { OPERATOR } from '../support/built.ts';

const ROOT = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'drydock-bundle-'));

let plane: ControlPlane;

/** A replica as the image runs it: one file, nothing beside it, the rights of deploy/. */
type Replica = { readonly child: Child; get(path: string): Promise<string>; log(): string };

async function startReplica(name: string): Promise<Replica> {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'],
    KUBECONFIG: await plane.kubeconfigFor('drydock-system', 'drydock'),
    DRYDOCK_CONTEXT: 'drydock-test',
    DRYDOCK_METRICS_ADDRESS: `127.0.0.1:${port}`,
  };
  const logFile = join(directory, `${name}.log`);
  const child = startChild(name, process.execPath, [OPERATOR], { logFile, env, cwd: directory });
  const log = () => readFileSync(logFile, 'utf8');
  const get = async (path: string) => {
    if (!child.alive()) throw new Error(`${name} has ended:\n${log()}`);
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    return response === undefined ? 'no answer' : response.text();
  };
  return { child, get, log };
}

type Lease = { spec: { holderIdentity: string; leaseDurationSeconds: number; leaseTransitions: number } };

function lease(): Promise<Lease | undefined> {
  return plane.admin.find<Lease>('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/drydock');
}

async function leads({ get }: Replica): Promise<boolean> {
  return /^drydock_leader 1$/m.test(await get('/metrics'));
}

describe.skipIf(!(await hasControlPlane()))('the one file of the image', () => {
  beforeAll(async () => {
    plane = await controlPlaneForTests();
    const applied = await plane.kubectl(['apply', '-k', join(ROOT, 'deploy')]);
    expect(applied.stderr).toBe('');
  });

  afterAll(async () => {
    await plane?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('is ready within seconds, leads, follows, and gives the Lease back when it is told to end', async () => {
    const first = await startReplica('first');
    const ready = (replica: Replica) => async () => (await replica.get('/readyz')) === 'ok\n';
    await until(ready(first), { what: 'the first replica is ready', seconds: 20 });
    await until(() => leads(first), { what: 'the first replica leads', seconds: 20 });
    const second = await startReplica('second');
    await until(ready(second), { what: 'the second replica is ready, though it does not lead', seconds: 20 });
    expect(await leads(second)).toBe(false);
    expect(await first.get('/healthz')).toBe('ok\n');

    const from = performance.now();
    first.child.signal('TERM');
    expect(await first.child.exited).toBe(0);
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(first.log()).toContain('Drydock has ended.');
    await until(() => leads(second), { what: 'the second replica leads', seconds: 10 });
    expect((await lease())?.spec).toMatchObject({ leaseDurationSeconds: 30, leaseTransitions: 1 });

    second.child.signal('TERM');
    expect(await second.child.exited).toBe(0);
    expect((await lease())?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    expect(second.log()).not.toMatch(/"level":"(error|fatal)"/);
  });

  test('that does not know which cluster is meant ends with a sentence', async () => {
    const logFile = join(directory, 'lost.log');
    const env = { PATH: process.env['PATH'], KUBECONFIG: plane.kubeconfig };
    const child = startChild('lost', process.execPath, [OPERATOR], { logFile, env });
    expect(await child.exited).toBe(2);
    expect(readFileSync(logFile, 'utf8')).toMatch(/^drydock: outside a pod the context must be named/);
  });
});
