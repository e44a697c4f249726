import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EDGES } from './agreement.ts';
import { said } from './objects.ts';

test.each(EDGES.map((edge) => [edge.what, edge] as const))('values for %s lie on both sides of its edge', (_, edge) => {
  const values = fc.sample(edge.values, { numRuns: 500, seed: 1 });
  const accepted = values.filter((value) => said(edge.written(value)).length === 0).length;
  expect(accepted).toBeGreaterThan(25);
  expect(values.length - accepted).toBeGreaterThan(25);
});
