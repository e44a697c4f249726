import { strangers } from './rooms.ts';
import { type File, type Source, sourceOf } from './source.ts';

/** Complaints about one TypeScript file. */
type Rule = (source: Source) => readonly string[];

const MOST_FUNCTION_LINES = 70;
const MOST_FILE_LINES = { src: 300, test: 400 };
const THE_CLOCK = 'src/runtime/clock.ts';
/** The doors where what others throw becomes a value, and the ends where a bug is told before the process dies of it. */
const MAY_CATCH = [
  'src/core/attempt.ts',
  'src/cluster/kubernetes.ts',
  'src/cluster/transport.ts',
  'src/runtime/controller.ts',
  'src/main.ts',
];
/** Where tests talk to real processes, and time is real. */
const REAL_TIME = /^test\/(control-plane|end-to-end|demo|bench|sockets|nodes)\//;

/** Every rule over TypeScript by its name. */
export const RULES = {
  strangers,
  longFunctions: (source) => {
    const found: string[] = [];
    const chapters = new Set<number>();
    const measure = ({ start, end }: { start: number; end: number }) => {
      const lines = source.lineOf(end) - source.lineOf(start) + 1;
      if (lines <= MOST_FUNCTION_LINES || chapters.has(start)) return;
      found.push(
        `${at(source, start)} is a function of ${lines} lines: give the parts of it names, ${MOST_FUNCTION_LINES} is the most`,
      );
    };
    source.visit({
      // A chapter of tests is a function only by its form.
      CallExpression: ({ callee, arguments: given }) => {
        if (!/^describe\b/.test(source.text.slice(callee.start, callee.end))) return;
        for (const { start } of given) chapters.add(start);
      },
      FunctionDeclaration: measure,
      FunctionExpression: measure,
      ArrowFunctionExpression: measure,
    });
    return found;
  },
  longFile: ({ path, text }) => {
    const most = path.startsWith('src/') ? MOST_FILE_LINES.src : MOST_FILE_LINES.test;
    const lines = text.split('\n').length - 1;
    return lines <= most ? [] : [`${path} has ${lines} lines: split it by subject, ${most} is the most`];
  },
  clock: (source) => {
    if (source.path === THE_CLOCK || REAL_TIME.test(source.path)) return [];
    const found: string[] = [];
    const complain = (start: number, what: string) =>
      found.push(`${at(source, start)} names ${what}: take a Clock as a parameter`);
    source.visit({
      MemberExpression: ({ start, object, property, computed }) => {
        if (computed || object.type !== 'Identifier' || property.type !== 'Identifier') return;
        const name = `${object.name}.${property.name}`;
        if (['Date.now', 'performance.now', 'Temporal.Now'].includes(name)) complain(start, name);
      },
      NewExpression: ({ start, callee, arguments: given }) => {
        if (callee.type === 'Identifier' && callee.name === 'Date' && given.length === 0) complain(start, 'new Date()');
      },
      Identifier: ({ start, name }) => {
        if (['setTimeout', 'setInterval'].includes(name)) complain(start, name);
      },
    });
    return found;
  },
  chance: (source) => {
    if (source.path === 'src/main.ts' || REAL_TIME.test(source.path)) return [];
    const found: string[] = [];
    source.visit({
      MemberExpression: ({ start, object, property }) => {
        if (object.type !== 'Identifier' || property.type !== 'Identifier') return;
        if (`${object.name}.${property.name}` !== 'Math.random') return;
        found.push(`${at(source, start)} names Math.random: take \`random\` as a parameter, main.ts passes it in`);
      },
    });
    return found;
  },
  impureCore: (source) => {
    if (!source.path.startsWith('src/core/')) return [];
    const found: string[] = [];
    const complain = (start: number, what: string) =>
      found.push(`${at(source, start)} names ${what}: core decides and waits for nothing; return an effect instead`);
    const waits = ({ start, async }: { start: number; async: boolean }) => {
      if (async) complain(start, 'async');
    };
    source.visit({
      FunctionDeclaration: waits,
      FunctionExpression: waits,
      ArrowFunctionExpression: waits,
      Identifier: ({ start, name }) => {
        if (['process', 'Promise', 'setImmediate', 'queueMicrotask', 'fetch'].includes(name)) complain(start, name);
      },
    });
    return found;
  },
  catches: (source) => {
    if (!source.path.startsWith('src/') || MAY_CATCH.includes(source.path)) return [];
    const found: string[] = [];
    const complain = (start: number) =>
      found.push(
        `${at(source, start)} catches: what can go wrong out there is a value at the door (\`attempt\`, an Answer, an Outcome), and a bug ends the process`,
      );
    source.visit({
      CatchClause: ({ start }) => complain(start),
      CallExpression: ({ start, callee }) => {
        if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
        if (callee.property.name === 'catch') complain(start);
      },
    });
    return found;
  },
  barrels: ({ path, imports }) => [
    ...imports
      .filter(({ reexport, from }) => reexport && from.startsWith('.'))
      .map(({ from, line }) => `${path}:${line} passes ${from} on: let who needs it import it from there`),
    ...(/(^|\/)index\.ts$/.test(path) ? [`${path} is a barrel by its name: name it by what is in it`] : []),
  ],
  emptyNames: (source) => {
    const found: string[] = [];
    if (/(^|\/)(utils?|helpers?|common|misc|shared|types)(\/|\.ts$)/.test(source.path)) {
      found.push(`${source.path} is named by nothing that is in it: name it by its subject`);
    }
    const check = ({ start, id }: { start: number; id: { readonly name?: string } | null }) => {
      const name = id?.name ?? '';
      if (!/^[A-Z].*(Manager|Handler|Helper|Service|Utils?|Impl)$/.test(name)) return;
      found.push(`${at(source, start)} is called ${name}: name it by what it is or does`);
    };
    source.visit({
      ClassDeclaration: check,
      FunctionDeclaration: check,
      TSInterfaceDeclaration: check,
      TSTypeAliasDeclaration: check,
    });
    return found;
  },
  machinery: (source) => {
    const found = source.imports
      .filter(({ from }) => source.path.startsWith('src/') && /^(node:)?events$/.test(from))
      .map(({ line }) => `${source.path}:${line} imports events: give a function as a parameter, or return a value`);
    source.visit({
      Decorator: ({ start }) => {
        found.push(`${at(source, start)} is a decorator: call the function`);
      },
    });
    return found;
  },
  banners: (source) =>
    source.comments
      .filter(({ value }) => /[-=*#~_/]{4,}/.test(value))
      .map(({ start }) => `${at(source, start)} is a banner: what needs one needs a file of its own`),
  promises: (source) =>
    source.comments
      .filter(({ value }) =>
        new RegExp(`\\b(${['TO', 'FIX', 'XX'].map((half, i) => half + ['DO', 'ME', 'X'][i]).join('|')})\\b`).test(
          value,
        ),
      )
      .map(({ start }) => `${at(source, start)} promises something: do it, or write down why it is not done`),
  silentExports: (source) => {
    if (!source.path.startsWith('src/')) return [];
    const found: string[] = [];
    source.visit({
      ExportNamedDeclaration: ({ start, declaration }) => {
        if (declaration?.type !== 'FunctionDeclaration' && declaration?.type !== 'ClassDeclaration') return;
        const above = source.comments.findLast(({ end }) => end <= start);
        const near = above?.value.startsWith('*') && source.text.slice(above.end, start).trim() === '';
        if (!near)
          found.push(
            `${at(source, start)} exports ${declaration.id?.name} without a sentence above that says why it exists`,
          );
      },
    });
    return found;
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** Everything that is wrong with a TypeScript file. */
export function complaints(file: File): readonly string[] {
  const source = sourceOf(file);
  return Object.values(RULES).flatMap((rule: Rule) => rule(source));
}

/** Paths of one machine, in any file: what is there is nowhere else. */
export function machinePaths({ path, text }: File): readonly string[] {
  const rooted = /(^|[\s"'`(=:,[])\/(work|root|home|Users|tmp)\/[\w.-]/;
  return text
    .split('\n')
    .flatMap((line, index) =>
      rooted.test(line) ? [`${path}:${index + 1} names a path of one machine: ${line.trim().slice(0, 80)}`] : [],
    );
}

/** Files that are derived from the code and say something else than it does. */
export function stale(
  derived: Readonly<Record<string, string>>,
  read: (path: string) => string | undefined,
): readonly string[] {
  return Object.entries(derived)
    .filter(([path, content]) => read(path) !== content)
    .map(([path]) => `${path} is stale: run npm run generate`);
}

function at(source: Source, offset: number): string {
  return `${source.path}:${source.lineOf(offset)}`;
}
