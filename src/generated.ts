import { stringify } from 'yaml';
import { crd, KINDS } from './api/crd.ts';
import { diagram } from './api/phases.ts';
import { rbac } from './cluster/rbac.ts';

const HEADER = '# Derived from src: do not edit, run `npm run generate`.\n';
/** Between these two lines of the README stands the state diagram. */
const DIAGRAM = /(<!-- diagram -->\n)[\s\S]*?(<!-- \/diagram -->)/;

/** The content of every derived file, by its path in the project. */
export function generated(readme: string): Record<string, string> {
  const crds = KINDS.map((kind) => [`crds/${kind.plural}.yaml`, HEADER + yaml(crd(kind))] as const);
  return {
    ...Object.fromEntries(crds),
    'deploy/operator/rbac.yaml': HEADER + rbac().map(yaml).join('---\n'),
    'README.md': readme.replace(DIAGRAM, `$1\`\`\`mermaid\n${diagram()}\n\`\`\`\n$2`),
  };
}

function yaml(object: unknown): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}
