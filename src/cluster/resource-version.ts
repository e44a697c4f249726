const DECIMAL = /^[0-9]+$/;

/**
 * Whether one resourceVersion comes before another. They are decimal numbers without leading zeros, comparable since
 * Kubernetes 1.35 says so (KEP-5504); what looks otherwise is compared for equality only, as it was before.
 */
export function olderThan(one: string, other: string): boolean {
  if (!DECIMAL.test(one) || !DECIMAL.test(other)) return one !== other;
  return one.length === other.length ? one < other : one.length < other.length;
}
