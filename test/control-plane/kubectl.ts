import { execFile } from 'node:child_process';
import type { Said } from './cluster.ts';

/** Runs a kubectl with a kubeconfig and a home of its own. Never rejects: look at `code`. */
export function runKubectl(
  binary: string,
  args: readonly string[],
  { kubeconfig, home, input = '' }: { readonly kubeconfig: string; readonly home: string; readonly input?: string },
): Promise<Said> {
  return new Promise((resolve) => {
    const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home };
    const limits = { env, maxBuffer: 256 * 1024 * 1024 };
    const child = execFile(binary, [...args], limits, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ stdout, stderr, code });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
