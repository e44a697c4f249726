import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from './archive.ts';
import { copied, copiedFolder, type ImageConfig } from './image.ts';

/** What a Dockerfile puts above its base. */
export type Recipe = { readonly entries: readonly Entry[]; readonly config: ImageConfig };

/**
 * Reads the few instructions that our Dockerfile uses, so that an image written without Docker is what Docker would make of
 * its last stage but for the base. Whatever else stands there is refused rather than left out.
 */
export function readDockerfile(text: string, root: string): Recipe {
  let entries: Entry[] = [];
  let config: { -readonly [key in keyof ImageConfig]: ImageConfig[key] } = {};
  for (const [instruction = '', rest = ''] of instructions(text)) {
    switch (instruction) {
      case 'ARG':
      case 'EXPOSE':
        break;
      case 'FROM':
        entries = [];
        config = {};
        break;
      case 'ENV':
        config.env = [...(config.env ?? []), rest];
        break;
      case 'LABEL':
        config.labels = { ...config.labels, ...labelsOf(rest) };
        break;
      case 'WORKDIR':
        config.workingDir = rest;
        break;
      case 'USER':
        config.user = rest;
        break;
      case 'ENTRYPOINT':
        config.entrypoint = JSON.parse(rest) as readonly string[];
        break;
      case 'COPY': {
        const [from = '', to = ''] = rest.split(/\s+/);
        const source = join(root, from);
        entries.push(...(statSync(source).isDirectory() ? copiedFolder(source, to) : [copied(source, to)]));
        break;
      }
      default:
        throw new Error(`a Dockerfile with ${instruction} cannot be read here`);
    }
  }
  return { entries, config };
}

function instructions(text: string): readonly (readonly string[])[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.map((line) => /^(\w+)\s+(.*)$/.exec(line)?.slice(1) ?? [line]);
}

function labelsOf(rest: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...rest.matchAll(/(\S+?)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]));
}
