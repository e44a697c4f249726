import { readFileSync } from 'node:fs';

/** The name of the context in every kubeconfig that the harness writes. */
export const CONTEXT = 'drydock-test';

/** A kubeconfig (JSON is YAML) with one context. */
export function kubeconfig(server: string, ca: Buffer, user: string, token: string): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: CONTEXT, cluster: { server, 'certificate-authority-data': ca.toString('base64') } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user } }],
      'current-context': CONTEXT,
    },
    undefined,
    2,
  );
}

/**
 * The certificate that an API server makes for itself, as soon as it is whole. The file is there a moment before what is in
 * it, and whoever trusted nothing then would wait for ever.
 */
export function certificateIn(file: string): Buffer | undefined {
  try {
    const read = readFileSync(file);
    return read.toString().trimEnd().endsWith('-----END CERTIFICATE-----') ? read : undefined;
  } catch {
    return undefined;
  }
}
