import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readDockerfile } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('the Dockerfile of Drydock says how its container is started', () => {
  const text = readFileSync(`${ROOT}Dockerfile`, 'utf8').replace('dist/drydock.mjs', 'package.json');
  const { entries, config } = readDockerfile(text, ROOT);
  expect(config).toMatchObject({
    env: ['NODE_ENV=production'],
    workingDir: '/drydock',
    user: '65532:65532',
    entrypoint: ['node', '/drydock/drydock.mjs'],
    labels: { 'org.opencontainers.image.title': 'Drydock', 'org.opencontainers.image.licenses': 'Apache-2.0' },
  });
  expect(entries).toMatchObject([{ path: 'drydock/drydock.mjs', is: 'file' }]);
});

test('an instruction that nobody reads here is refused, not left out', () => {
  expect(() => readDockerfile('FROM a\nRUN apt-get install curl\n', ROOT)).toThrow('RUN');
});

test('of several stages the last one counts', () => {
  const text = 'FROM a AS payload\nLABEL a="b"\nCOPY crds /elsewhere\nFROM c\nCOPY deploy/alerts /drydock\nUSER 7\n';
  const { entries, config } = readDockerfile(text, ROOT);
  expect(config).toEqual({ user: '7' });
  expect(entries.map(({ path }) => path)).toEqual(['drydock/prometheusrule.yaml']);
});
