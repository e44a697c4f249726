import { parseSync, Visitor, type VisitorObject } from 'rolldown/utils';

/** A file of the project. */
export type File = { readonly path: string; readonly text: string };

/** One import of a file, or one export from elsewhere. */
export type Import = {
  readonly from: string;
  /** The names of values; `*` for all. What is only a type is not among them. */
  readonly values: readonly string[];
  readonly reexport: boolean;
  readonly line: number;
};

/** Anything of the syntax that has a place. */
type Placed = { readonly start: number; readonly end: number };

/** A comment: with `/**` above what it is about, or without. */
export type Comment = Placed & { readonly type: 'Block' | 'Line'; readonly value: string };

/** A file that has been read as TypeScript, for the rules that must not be fooled by text in strings. */
export type Source = File & {
  readonly imports: readonly Import[];
  readonly comments: readonly Comment[];
  readonly lineOf: (offset: number) => number;
  readonly visit: (visitor: VisitorObject) => void;
};

/** Reads a TypeScript file; one that is no TypeScript is a bug of the test, since the compiler has read it before. */
export function sourceOf({ path, text }: File): Source {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  const lineOf = (offset: number) => ends.filter((end) => end < offset).length + 1;
  const imports: Import[] = [];
  const visit = (visitor: VisitorObject) => new Visitor(visitor).visit(program);
  visit({
    ImportDeclaration: ({ source, specifiers, importKind, start }) => {
      const values = specifiers.flatMap((each) => {
        if (importKind === 'type' || (each.type === 'ImportSpecifier' && each.importKind === 'type')) return [];
        if (each.type !== 'ImportSpecifier') return ['*'];
        return [each.imported.type === 'Identifier' ? each.imported.name : each.imported.value];
      });
      imports.push({ from: source.value, values, reexport: false, line: lineOf(start) });
    },
    ImportExpression: ({ source, start }) => {
      const from = source.type === 'Literal' ? String(source.value) : 'a computed name';
      imports.push({ from, values: ['*'], reexport: false, line: lineOf(start) });
    },
    ExportAllDeclaration: ({ source, start }) => {
      imports.push({ from: source.value, values: ['*'], reexport: true, line: lineOf(start) });
    },
    ExportNamedDeclaration: ({ source, exportKind, start }) => {
      if (source === null) return;
      imports.push({
        from: source.value,
        values: exportKind === 'type' ? [] : ['*'],
        reexport: true,
        line: lineOf(start),
      });
    },
  });
  return { path, text, imports, comments, lineOf, visit };
}
