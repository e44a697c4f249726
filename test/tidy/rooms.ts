import { posix } from 'node:path';
import type { Import, Source } from './source.ts';

/** What a room may import: other rooms, packages, and modules of Node. */
type Room = {
  readonly rooms: readonly string[];
  /** Rooms of which it may have types, and constants in capitals, but nothing that does anything. */
  readonly words: readonly string[];
  readonly packages: readonly string[];
  readonly node: 'any' | readonly string[];
  /** What to do instead of importing anything else. */
  readonly instead: string;
};

/** The ports: all that others may know of the room `cluster`. */
const PORT = ['cluster/cluster.ts', 'cluster/leases.ts'];

/** The table of rooms, as it stands in the architecture. */
const ROOMS: Readonly<Record<string, Room>> = {
  api: {
    rooms: [],
    words: [],
    packages: ['zod'],
    node: [],
    instead: 'what users write depends on zod and nothing else: let the caller pass it in',
  },
  core: {
    rooms: [],
    words: ['api'],
    packages: ['croner', 'semver'],
    node: [],
    instead: 'core is pure: take it as a parameter (now, facts, a view) and give back an effect or a state',
  },
  cluster: {
    rooms: ['api', 'core'],
    words: [],
    packages: ['undici', 'zod'],
    node: 'any',
    instead: 'say what happened with a value (`Said`), and let main.ts log and count it',
  },
  runtime: {
    rooms: ['core'],
    words: PORT,
    packages: [],
    node: 'any',
    instead: 'take it as a parameter: runtime knows core and the port, and main.ts puts the rest in',
  },
  controllers: {
    rooms: ['api', 'core', 'runtime'],
    words: PORT,
    packages: [],
    node: [],
    instead: 'go through the port in cluster/cluster.ts',
  },
  simulation: {
    rooms: ['api', 'core'],
    words: PORT,
    packages: ['zod'],
    node: ['node:http'],
    instead:
      'a simulated cluster answers requests and knows only api and core: what drives it stands in test/simulation',
  },
  telemetry: {
    rooms: ['core'],
    words: ['api', ...PORT],
    packages: ['pino', 'prom-client'],
    node: ['node:stream'],
    instead: 'telemetry tells what it is given: let main.ts pass it in',
  },
  cli: { rooms: ['api', 'core'], words: PORT, packages: ['commander'], node: 'any', instead: 'go through the port' },
  web: { rooms: ['api', 'core'], words: PORT, packages: [], node: 'any', instead: 'go through the port' },
};

/** Packages that only one file may import, whatever its room allows. */
const ONLY_IN: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': 'src/cluster/kubernetes.ts',
  undici: 'src/cluster/transport.ts',
};

/** The files above the rooms, which put them together. */
const ROOTS = ['src/main.ts', 'src/generate.ts', 'src/generated.ts'];

/** Who imports what it may not. */
export function strangers(source: Source): readonly string[] {
  if (!source.path.startsWith('src/')) return [];
  return source.imports.flatMap((each) => {
    const complaint =
      only(source.path, each.from) ?? (ROOTS.includes(source.path) ? undefined : misplaced(source.path, each));
    return complaint === undefined ? [] : [`${source.path}:${each.line} imports ${each.from}: ${complaint}`];
  });
}

function only(path: string, from: string): string | undefined {
  const [name, file] = Object.entries(ONLY_IN).find(([name]) => from === name || from.startsWith(`${name}/`)) ?? [];
  if (file === undefined || file === path) return undefined;
  return `only ${file} may; ${name} is behind the port everywhere else`;
}

function misplaced(path: string, { from, values }: Import): string | undefined {
  const [, name = ''] = path.split('/');
  const room = ROOMS[name];
  if (room === undefined) return `there is no room ${name}: move the file into one of ${Object.keys(ROOMS).join(', ')}`;
  if (from.startsWith('.')) return isNear(path, from, values, name, room) ? undefined : room.instead;
  if (from.startsWith('node:')) return room.node === 'any' || room.node.includes(from) ? undefined : room.instead;
  const allowed = room.packages.some((each) => from === each || from.startsWith(`${each}/`));
  return allowed || ONLY_IN[packageOf(from)] === path ? undefined : room.instead;
}

function isNear(path: string, from: string, values: readonly string[], name: string, room: Room): boolean {
  const target = posix.join(posix.dirname(path), from).replace(/^src\//, '');
  const within = (each: string) => target === each || target.startsWith(`${each}/`);
  if (within(name) || room.rooms.some(within)) return true;
  return room.words.some(within) && values.every((value) => /^[A-Z][A-Z0-9_]*$/.test(value));
}

function packageOf(from: string): string {
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}
