import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

type Image = { readonly name: string; readonly newTag: string };
type Kustomization = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly resources?: readonly string[];
  readonly images?: readonly Image[];
};
type Document = { readonly kind: string; readonly metadata: { readonly name: string } };

const KNOWN = ['apiVersion', 'kind', 'resources', 'images'];

/** The objects of a directory as `kubectl kustomize` gives them, as far as deploy/ needs it: resources, and tags of images. */
export function built(directory: string): readonly Document[] {
  const kustomization = parse(readFileSync(join(directory, 'kustomization.yaml'), 'utf8')) as Kustomization;
  const strange = Object.keys(kustomization).filter((key) => !KNOWN.includes(key));
  if (strange.length > 0) throw new Error(`${directory}: kustomize knows ${strange.join(', ')}, this does not`);
  const documents = (kustomization.resources ?? []).flatMap((name) => {
    const path = join(directory, name);
    if (existsSync(join(path, 'kustomization.yaml'))) return built(path);
    return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as Document);
  });
  return (kustomization.images ?? []).reduce(tagged, documents);
}

function tagged(documents: readonly Document[], { name, newTag }: Image): readonly Document[] {
  const change = (key: string, value: unknown) =>
    key === 'image' && (value === name || String(value).startsWith(`${name}:`)) ? `${name}:${newTag}` : value;
  return JSON.parse(JSON.stringify(documents, change)) as readonly Document[];
}
