import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import config from '../rolldown.config.ts';
import { KINDS } from '../src/api/crd.ts';
import type { Caches } from '../src/cluster/cluster.ts';
import { RBAC_NAMES } from '../src/cluster/rbac.ts';
import { metrics } from '../src/telemetry/metrics.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Manifest = { kind: string; metadata: { name: string; namespace?: string }; spec: Record<string, unknown> };

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function manifests(path: string): readonly Manifest[] {
  return parseAllDocuments(read(path)).map((document) => document.toJS() as Manifest);
}

/** The paths in what was written that a reader has not kept: fields that do not exist. */
function unknown(written: unknown, kept: unknown, path = 'spec'): readonly string[] {
  if (typeof written !== 'object' || written === null) return [];
  return Object.entries(written).flatMap(([key, value]) => {
    const found = (kept as Record<string, unknown> | undefined)?.[key];
    return found === undefined ? [`${path}.${key}`] : unknown(value, found, `${path}.${key}`);
  });
}

function problems({ kind, spec }: Manifest): readonly string[] {
  const definition = KINDS.find((each) => each.kind === kind);
  if (definition === undefined) return [`there is no kind ${kind}`];
  const read = definition.spec.safeParse(spec);
  return read.success ? unknown(spec, read.data) : read.error.issues.map(({ message }) => message);
}

const EXAMPLES = globSync('deploy/examples/*.yaml', { cwd: ROOT });

test.each([...EXAMPLES, ...globSync('deploy/profiles/*.yaml', { cwd: ROOT })])(
  '%s says nothing that its schema does not know',
  (path) => {
    expect(manifests(path).flatMap(problems)).toEqual([]);
  },
);

test('there is an example of every kind that people write from Git', () => {
  const kinds = EXAMPLES.flatMap((path) => manifests(path).map(({ kind }) => kind));
  expect(kinds.sort()).toEqual(['ClusterUpgrade', 'MaintenancePolicy', 'MaintenanceProfile', 'MaintenanceWindow']);
});

test('planted bug: an example with a field that does not exist, or without one that must, is found', () => {
  const [window] = manifests('deploy/examples/window.yaml');
  if (window === undefined) throw new Error('no example');
  expect(problems({ ...window, spec: { ...window.spec, pausd: true } })).toEqual(['spec.pausd']);
  expect(problems({ ...window, spec: {} })).not.toEqual([]);
});

test('every kustomization names only what is there', () => {
  const missing = globSync('{crds,deploy}/**/kustomization.yaml', { cwd: ROOT }).flatMap((path) => {
    const { resources } = manifests(path)[0] as unknown as { resources: string[] };
    return resources.map((each) => join(dirname(path), each)).filter((each) => !existsSync(join(ROOT, each)));
  });
  expect(missing).toEqual([]);
});

test('every definition is installed', () => {
  const { resources } = manifests('crds/kustomization.yaml')[0] as unknown as { resources: string[] };
  expect(resources.sort()).toEqual(KINDS.map(({ plural }) => `${plural}.yaml`).sort());
});

test('the admission policies are about the service account that the operator has', () => {
  const user = `system:serviceaccount:${RBAC_NAMES.namespace}:${RBAC_NAMES.serviceAccount}`;
  const policies = ['deploy/jobs/admission.yaml', 'deploy/operator/admission.yaml']
    .flatMap(manifests)
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
  expect(policies).toHaveLength(3);
  for (const { spec } of policies) expect(JSON.stringify(spec['matchConditions'])).toContain(`'${user}'`);
});

test('a policy that has parameters is about the namespace of the Jobs alone: where they are missing it refuses whatever it is asked', () => {
  const all = ['deploy/jobs/admission.yaml', 'deploy/operator/admission.yaml'].flatMap(manifests);
  const asking = all.filter(({ kind, spec }) => kind === 'ValidatingAdmissionPolicy' && 'paramKind' in spec);
  expect(asking.map(({ spec }) => spec['matchConstraints'])).toMatchObject([
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'drydock-jobs' } } },
  ]);
});

/** The metrics of Drydock that a text names. */
function named(text: string): readonly string[] {
  return [...new Set(text.match(/drydock_[a-z_]+/g))];
}

async function known(): Promise<readonly string[]> {
  const caches = new Proxy({} as Caches, {
    get: () => ({ all: () => [], by: () => [], get: () => undefined, size: 0 }),
  });
  const { body } = await metrics({ caches, leads: () => true, queueDepths: () => ({}) }).page();
  return named(body.replace(/^[^#].*$/gm, ''));
}

test('alerts are made of metrics that exist', async () => {
  const there = await known();
  const asked = named(read('deploy/alerts/prometheusrule.yaml'));
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !there.includes(name))).toEqual([]);
  expect(named('drydock_no_such_metric > 0').filter((name) => !there.includes(name))).toHaveLength(1);
});

test('every alert says what has happened, what it means, and what to do', () => {
  type Alert = { alert: string; labels: { severity: string }; annotations: Record<string, string> };
  const groups = manifests('deploy/alerts/prometheusrule.yaml')[0]?.spec['groups'] as { rules: Alert[] }[];
  for (const { annotations, labels } of groups.flatMap(({ rules }) => rules)) {
    expect(['warning', 'critical']).toContain(labels.severity);
    for (const said of ['summary', 'description', 'runbook']) expect(annotations[said]).toMatch(/\.$/);
  }
});

/** What would keep the image from being built by every builder, and without a network. */
function unbuildable(dockerfile: string): readonly string[] {
  return dockerfile.split('\n').filter((line) => /^(RUN\b|ADD\b|#\s*syntax=)|--mount|--chmod|--link/.test(line));
}

test('the Dockerfile copies the one file of the bundle onto a base that can be chosen, and runs nothing', () => {
  const dockerfile = read('Dockerfile');
  expect(unbuildable(dockerfile)).toEqual([]);
  // Only what is declared before the first stage may stand in FROM; what is not asked for by name is the last stage.
  expect(dockerfile.slice(0, dockerfile.indexOf('FROM '))).toMatch(/^ARG BASE=.+$/m);
  expect(dockerfile.match(/^FROM .*$/gm)).toMatchObject(
    [/PAYLOAD_BASE} AS payload$/, /BASE}$/].map((stage) => expect.stringMatching(stage)),
  );
  expect(dockerfile).toContain(`COPY ${(config as { output: { file: string } }).output.file} `);
  expect(dockerfile).toMatch(/^USER 65532/m);
});

test('planted bug: a Dockerfile that only one builder understands, or that asks the network, is found', () => {
  expect(unbuildable('# syntax=docker/dockerfile:1\nFROM a\nRUN apt-get update\nCOPY --chmod=755 a b')).toHaveLength(3);
});
