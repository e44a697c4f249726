import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Lines, lines } from '../../src/cluster/lines.ts';
import { type Asked, refusalOf } from '../../src/cluster/outcomes.ts';
import { olderThan } from '../../src/cluster/resource-version.ts';
import { HELD_BY, LEFT_CORDONED, readMark, writeMark } from '../../src/core/mark.ts';
import { parseAddress } from '../../src/runtime/address.ts';
import { mark, node } from '../support/build.ts';
import { pathsOf, replaced } from './raw-objects.ts';
import { planted, runs } from './runs.ts';

/** Text with everything that is awkward in bytes: characters of two, three and four of them, and ends of lines. */
const awkward = fc.array(
  fc.oneof(fc.constantFrom('\n', '\n\n', '\r', 'ä', '€', '🚢', '\u2028', '{"type":', ''), fc.string()),
  {
    maxLength: 12,
    size: 'max',
  },
);

describe('a stream cut anywhere, also inside a character', () => {
  const property = (make: () => Lines) =>
    fc.property(awkward, fc.array(fc.nat(80), { maxLength: 20, size: 'max' }), (parts, cuts) => {
      const sent = parts.join('');
      const bytes = Buffer.from(sent, 'utf8');
      const at = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
      const cutter = make();
      const got = [0, ...at].flatMap((from, index) => [
        ...cutter.push(bytes.subarray(from, at[index] ?? bytes.length)),
      ]);
      expect(got).toEqual(bytes.toString('utf8').split('\n').slice(0, -1));
    });

  test('gives the same lines', () => fc.assert(property(lines), runs(500)));

  test('planted bug: chunks are decoded one by one', () => {
    const hasty = () => {
      const cutter = lines();
      return { push: (chunk: Uint8Array) => cutter.push(Buffer.from(Buffer.from(chunk).toString('utf8'))) };
    };
    expect(fc.check(property(hasty), planted(500)).failed).toBe(true);
  });
});

describe('what an API server answers', () => {
  const reasons = fc.constantFrom(
    'NamespaceTerminating',
    'DisruptionBudget',
    'FieldValueInvalid',
    'AlreadyExists',
    7,
    null,
  );
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, -1, [], [null], 1e308, 'x'));
  const status = fc.record(
    {
      kind: fc.constantFrom<unknown>('Status', 'Status', 'Pod', 7),
      message: fc.oneof(odd, fc.constantFrom('admission webhook "a" denied the request: no', 'x'.repeat(5000), '')),
      reason: reasons,
      details: fc.oneof(
        odd,
        fc.record(
          {
            retryAfterSeconds: fc.oneof(odd, fc.constantFrom(0, 10, 30)),
            causes: fc.oneof(
              odd,
              fc.array(fc.record({ reason: reasons, message: odd, field: odd }, { requiredKeys: [] })),
            ),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['kind'] },
  );
  const body = fc.oneof(
    status.map((each) => JSON.stringify(each)),
    fc.string(),
    odd.map((each) => JSON.stringify(each)),
  );
  const code = fc.oneof(
    fc.constantFrom(200, 201, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 503),
    fc.integer({ min: 0, max: 999 }),
  );

  const property = (of: typeof refusalOf) =>
    fc.property(code, body, fc.constantFrom<Asked>('evict', 'create', 'other'), (status, body, asked) => {
      const refusal = of({ status, body }, asked);
      if (status >= 200 && status < 300) {
        expect(refusal).toBeUndefined();
        return;
      }
      expect(refusal).toBeDefined();
      if (refusal === undefined) return;
      expect(refusal).toMatchObject({ ok: false, code: status });
      expect(refusal.message).not.toBe('');
      expect(refusal.message.length).toBeLessThanOrEqual(1024);
      const { retryAfterSeconds = 1 } = refusal;
      expect(Number.isFinite(retryAfterSeconds) && retryAfterSeconds > 0).toBe(true);
      if (refusal.why === 'gone') expect(status === 404 && asked !== 'create').toBe(true);
      if (refusal.why === 'conflict') expect([409, 422]).toContain(status);
      if (refusal.why === 'blocked') expect(asked === 'evict' || status === 403).toBe(true);
      // Only an answer about the request itself ends it; what a server says of its own trouble never does.
      if (refusal.why === 'refused')
        expect((status >= 400 && status < 500) || refusal.cause === 'TooManyBudgets').toBe(true);
    });

  test('is understood or unavailable, whatever stands in it', () => fc.assert(property(refusalOf), runs(1500)));

  test('planted bug: a failure of the server counts as refused', () => {
    const harsh: typeof refusalOf = (reply, asked) => {
      const found = refusalOf(reply, asked);
      return found === undefined || reply.status < 500 ? found : { ...found, why: 'refused', cause: 'Other' };
    };
    expect(fc.check(property(harsh), planted(500)).failed).toBe(true);
  });
});

describe('a mark on a node, which its kubelet may write', () => {
  const real = mark('uid-p', {
    unschedulable: true,
    labels: { [`node.kubernetes.io/exclude-from-external-load-balancers`]: null },
  });
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom<unknown>(undefined, null, true, 7, '', []));
  const spoilt = fc
    .array(fc.tuple(fc.constantFrom(...pathsOf(real)), odd), { maxLength: 4 })
    .map(
      (changes) => JSON.stringify(changes.reduce<unknown>((now, [path, by]) => replaced(now, path, by), real)) ?? '',
    );
  const forged = fc
    .dictionary(fc.string({ maxLength: 5 }), odd)
    .map((labels) =>
      writeMark({ ...real, previous: { unschedulable: false, labels, annotations: labels } as typeof real.previous }),
    );

  test('is a mark with words in it that gives back what Drydock changes and nothing else, or none', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), spoilt, forged),
        fc.constantFrom(HELD_BY, LEFT_CORDONED),
        (text, on) => {
          const read = readMark(node('a', { annotations: { [on]: text } }), on);
          if (read === undefined) return;
          const { nodeMaintenance, uid, ticket, previous } = read;
          for (const word of [nodeMaintenance, uid, ticket, read.reason ?? '', read.message ?? '', read.since ?? '']) {
            expect(typeof word).toBe('string');
          }
          expect(typeof previous.unschedulable).toBe('boolean');
          const given = { ...previous.labels, ...previous.annotations };
          for (const [key, value] of Object.entries(given)) {
            expect([
              'node.kubernetes.io/exclude-from-external-load-balancers',
              'cluster-autoscaler.kubernetes.io/scale-down-disabled',
            ]).toContain(key);
            expect(value === null || typeof value === 'string').toBe(true);
          }
          expect(readMark(node('a', { annotations: { [on]: writeMark(read) } }), on)).toEqual(read);
        },
      ),
      runs(800),
    );
  });
});

describe('small words', () => {
  const digits = fc.bigInt({ min: 0n, max: 10n ** 30n });

  test('resourceVersions are compared as the numbers they are, and others are never both older and newer than themselves', () => {
    fc.assert(
      fc.property(digits, digits, fc.string(), (one, other, text) => {
        expect(olderThan(`${one}`, `${other}`)).toBe(one < other);
        expect(olderThan(text, text)).toBe(false);
        if (/\D/.test(text)) expect(olderThan(text, `${one}`)).toBe(true);
      }),
      runs(500),
    );
  });

  test('an address is read whatever is written, and never with a port that there is not', () => {
    const near = fc.tuple(
      fc.constantFrom('', '0.0.0.0', '[::]', '[::1]', '::1', '[', 'host', 'a:b', ' '),
      fc.constantFrom(':', '', '::'),
      fc.oneof(fc.integer({ min: -1, max: 100_000 }).map(String), fc.constantFrom('', '08080', '80a', '1e3', ' 80')),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          near.map((parts) => parts.join('')),
        ),
        (text) => {
          const read = parseAddress(text);
          if (read === undefined) return;
          expect(Number.isInteger(read.port) && read.port >= 0 && read.port <= 65_535).toBe(true);
          expect(read.host).not.toBe('');
          const written = read.host.includes(':') ? `[${read.host}]` : read.host;
          expect(parseAddress(`${written}:${read.port}`)).toEqual(read);
        },
      ),
      runs(800),
    );
  });
});
