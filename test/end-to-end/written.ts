import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from '../../src/api/crd.ts';
import { definitionOf, type OwnKind } from '../api/objects.ts';
import type { Reply } from '../control-plane/client.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { controlPlaneForTests } from '../control-plane/ladder.ts';

/** Where our own kinds are served. */
export const OURS = '/apis/drydock.dev/v1alpha1';

/** A control plane that serves our kinds as the files of crds/ define them, and nothing else of ours. */
export async function served(): Promise<ControlPlane> {
  const plane = await controlPlaneForTests();
  const file = (plural: string) => join(import.meta.dirname, `../../crds/${plural}.yaml`);
  await plane.admin.apply(KINDS.map(({ plural }) => readFileSync(file(plural), 'utf8')).join('---\n'));
  return plane;
}

/** The resource of a kind, as it stands in a path. */
export const resourceOf = (kind: OwnKind): string => definitionOf(kind).plural;

/** What the API server said against a request: nothing where it was accepted. */
export function sentence({ status, body }: Reply): string {
  if (status < 300) return '';
  return (body as { message?: string }).message ?? `${status}`;
}

/** What kubectl prints, one way or the other, without the spaces that fill columns. */
export async function printed(plane: ControlPlane, args: readonly string[], input?: unknown): Promise<string> {
  const { stdout, stderr } = await plane.kubectl(args, input === undefined ? {} : { input: JSON.stringify(input) });
  return `${stdout}${stderr}`.trim().replaceAll(/ +/g, ' ').replaceAll(/ $/gm, '');
}
