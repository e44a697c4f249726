/** In which form an answer is wanted. */
export type Form = 'plain' | 'table' | 'partial' | 'aggregated';

/** The forms that a client accepts, the best first; none when it wants something that is not spoken here. */
export function formsOf(accept: string | undefined): readonly Form[] {
  if (accept === undefined || accept.trim() === '') return ['plain'];
  return accept.split(',').flatMap((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (!['application/json', 'application/*', '*/*'].includes(type)) return [];
    const given = new Map(parameters.map((part) => part.split('=') as [string, string]));
    const [as, version, group] = [given.get('as'), given.get('v'), given.get('g')];
    if (as === undefined) return ['plain'];
    if (group === 'meta.k8s.io' && version === 'v1') {
      if (as === 'table') return ['table'];
      if (as === 'partialobjectmetadata' || as === 'partialobjectmetadatalist') return ['partial'];
    }
    return group === 'apidiscovery.k8s.io' && version === 'v2' ? ['aggregated'] : [];
  });
}
