import { COLUMNS, definedColumns, PLAIN } from './columns.ts';
import type { KubeObject } from './objects.ts';
import { POD_COLUMNS } from './pod-columns.ts';
import type { Resource } from './resources.ts';
import type { TableColumn } from './table-column.ts';
import { listPieces, textOf } from './texts.ts';

/** What of each object goes along with its row, as `includeObject` asks. */
export type Included = 'None' | 'Metadata' | 'Object';

const HEAD = { kind: 'Table', apiVersion: 'meta.k8s.io/v1' } as const;
const OF_DEFINITIONS = new WeakMap<Resource, readonly TableColumn[]>();

/** The columns in which a resource is shown. */
export function columnsOf(resource: Resource): readonly TableColumn[] {
  if (resource.id === 'pods') return POD_COLUMNS;
  if (resource.columns === undefined) return COLUMNS[resource.id] ?? PLAIN;
  const known = OF_DEFINITIONS.get(resource) ?? definedColumns(resource.columns);
  OF_DEFINITIONS.set(resource, known);
  return known;
}

function headers(columns: readonly TableColumn[]) {
  return columns.map(({ name, type, format = '', description, wide }) => ({
    name,
    type,
    format,
    description,
    priority: wide ? 1 : 0,
  }));
}

function row(object: KubeObject, columns: readonly TableColumn[], included: Included, now: number): string {
  const cells = JSON.stringify(columns.map(({ cell }) => cell(object, now)));
  if (included === 'None') return `{"cells":${cells}}`;
  return `{"cells":${cells},"object":${included === 'Object' ? textOf(object) : partial(object)}}`;
}

const partials = new WeakMap<object, string>();

/** The metadata of an object and nothing else. */
export function partial(object: KubeObject): string {
  const known = partials.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify({
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: object.metadata,
  });
  partials.set(object, text);
  return text;
}

/** How a table is wanted. */
export type Tabled = { readonly resource: Resource; readonly included: Included; readonly now: number };

/** Objects as a table, piece by piece. */
export function tablePieces(
  objects: readonly KubeObject[],
  metadata: unknown,
  { resource, included, now }: Tabled,
  withHeaders = true,
): Generator<string> {
  const columns = columnsOf(resource);
  const head = { ...HEAD, metadata, columnDefinitions: withHeaders ? headers(columns) : [] };
  return listPieces(head, 'rows', objects, (object) => row(object as KubeObject, columns, included, now));
}

/** One object as a table, as watches send them; the columns are told with the first only. */
export function tableOfOne(object: KubeObject, tabled: Tabled, withHeaders: boolean): string {
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  return [...tablePieces([object], metadata, tabled, withHeaders)].join('').trimEnd();
}
