import { CONTEXT } from '../control-plane/kubeconfig.ts';
import { freePort } from '../control-plane/ports.ts';
import { type Measured, measure } from './measured.ts';

/** The operator as its image runs it, with the probe before it. */
export type BundledOperator = Measured & { answers(path: '/healthz' | '/readyz'): Promise<boolean> };

/** Starts it against a kubeconfig. */
export async function startBundle(file: string, kubeconfig: string, log: string): Promise<BundledOperator> {
  const port = await freePort();
  const env = {
    KUBECONFIG: kubeconfig,
    DRYDOCK_CONTEXT: CONTEXT,
    DRYDOCK_METRICS_ADDRESS: `127.0.0.1:${port}`,
    NODE_ENV: 'production',
  };
  const process = measure([file], { log, env });
  return {
    ...process,
    answers: async (path) => {
      if (!process.alive()) throw new Error(`the operator has ended: ${process.said()}`);
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      await answer?.arrayBuffer();
      return answer?.status === 200;
    },
  };
}
