import type { KubeObject } from './objects.ts';

/** What stands in a cell of a table. */
export type Cell = string | number | boolean | null;

/** One column of a table as the API server makes it. */
export type TableColumn = {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description: string;
  /** Shown only with `-o wide`. */
  readonly wide?: true;
  /** What stands in it; `now` is the instant of the answer, because ages are made by the server. */
  readonly cell: (object: KubeObject, now: number) => Cell;
};

/** The column that every table has. */
export const NAME: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  cell: ({ metadata }) => metadata.name,
};
