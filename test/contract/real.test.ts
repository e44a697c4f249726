import { afterAll, beforeAll, describe, test } from 'vitest';
import { hasControlPlane } from '../control-plane/ladder.ts';
import { CLAIMS } from './claims.ts';
import { type Real, startReal } from './real.ts';

let real: Real;

describe.skipIf(!(await hasControlPlane()))('a real API server', () => {
  beforeAll(async () => {
    real = await startReal();
  });

  afterAll(async () => {
    await real?.stop();
  });

  test.each(CLAIMS.map((claim, at) => [claim.says, claim, at] as const))(
    '%s',
    async (_, claim, at) => {
      await claim.asks(real.asker(`claim-${at + 1}`));
    },
    30_000,
  );
});
