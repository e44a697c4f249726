import type { Planting } from '../simulation/mutants.ts';
import type { Property } from './oracle.ts';

/** A planted bug of a watcher, and the properties of which at least one must break. */
export type Mutant = Planting & { readonly breaks: readonly Property[] };

/** The planted bugs. */
export const MUTANTS: readonly Mutant[] = [
  {
    breaks: ['quiet'],
    name: 'it does not list again after 410',
    file: 'cluster/watch-step.ts',
    from: "const goesOn = is === 'failed' && (state",
    to: 'const goesOn = is.length > 0 && (state',
  },
  {
    breaks: ['quiet', 'told', 'twice'],
    name: 'it resumes three versions too late',
    file: 'cluster/watcher.ts',
    from: "allowWatchBookmarks: 'true', resourceVersion, timeout",
    to: "allowWatchBookmarks: 'true', resourceVersion: String(Number(resourceVersion) + 3), timeout",
  },
  {
    breaks: ['back'],
    name: 'it resumes from its list, and hears again what is long over',
    file: 'cluster/watch-step.ts',
    from: '{ ...state, resourceVersion: event.resourceVersion, heardAt: chance.now }',
    to: '{ ...state, heardAt: chance.now }',
  },
  {
    breaks: ['twice'],
    name: 'a list tells again what has not changed',
    file: 'cluster/store.ts',
    from: 'before !== undefined && same(before, view) ? before : view',
    to: 'before !== undefined && Number.isNaN(key.length) ? before : view',
  },
  {
    breaks: ['quiet', 'back'],
    name: 'a list leaves what it does not name',
    file: 'cluster/store.ts',
    from: 'if (!now.byKey.has(key)) changes.push({ key, before, after: undefined });',
    to: 'if (!now.byKey.has(key)) now.put(key, before);',
  },
  {
    breaks: ['told'],
    name: 'what a list brings is not told',
    file: 'cluster/store.ts',
    from: 'if (before !== after) changes.push',
    to: 'if (before !== after && old.byKey.size === 0) changes.push',
  },
  {
    breaks: ['quiet', 'told'],
    name: 'it takes the version of a line that was cut',
    file: 'cluster/watcher.ts',
    from: `if (event !== undefined) this.#feed(event);
      }`,
    to: `if (event !== undefined) this.#feed(event);
      }
      const rest = Buffer.from(chunk.value).toString().split('\\n').at(-1) ?? '';
      const cutVersion = /"resourceVersion":"(\\d+)"/.exec(rest)?.[1];
      if (cutVersion !== undefined) this.#feed({ is: 'heard', serial, resourceVersion: cutVersion });`,
  },
  {
    breaks: ['line'],
    name: 'the rest of a line that was cut stands before the next stream',
    file: 'cluster/lines.ts',
    from: `export function lines(): Lines {
  let begun: Uint8Array[] = [];`,
    to: `let begun: Uint8Array[] = [];
export function lines(): Lines {`,
  },
  {
    breaks: ['listed'],
    name: 'any JSON is a list',
    file: 'cluster/watcher.ts',
    from: "if (resourceVersion === '') return failed(",
    to: "if (resourceVersion === '?') return failed(",
  },
  {
    breaks: ['stop'],
    name: 'a stop does not reach it',
    file: 'cluster/watch-step.ts',
    from: "return [{ ...lasting(state), at: 'stopped' }, [{ do: 'abandon' }]];",
    to: 'return [state, []];',
  },
];
