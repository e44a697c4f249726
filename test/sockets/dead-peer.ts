import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { INDEXES, PLACES, pathOf } from '../../src/cluster/kinds.ts';
import { pool } from '../../src/cluster/pool.ts';
import { Store } from '../../src/cluster/store.ts';
import { Transport } from '../../src/cluster/transport.ts';
import { view } from '../../src/cluster/views.ts';
import { Watcher } from '../../src/cluster/watcher.ts';
import type { NodeView } from '../../src/core/world.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { JOBS_NAMESPACE } from './oracle.ts';

const PEER = join(import.meta.dirname, 'dead-peer.py');

/** What was measured, or why nothing could be. */
export type Died = { readonly noticedMs: number; readonly message: string } | { readonly unmeasured: string };

/** How long a watcher takes to notice that the machine at the other end is no more: nothing is acknowledged from then on. */
export function deadPeer(): Promise<Died> {
  const peer = spawn('python3', [PEER], { stdio: ['pipe', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    let end = () => {};
    let diedAt = Number.POSITIVE_INFINITY;
    const done = (died: Died) => {
      end();
      peer.kill();
      resolve(died);
    };
    peer.on('error', ({ message }) => done({ unmeasured: `it takes python3 and Linux: ${message}` }));
    peer.on('exit', () => done({ unmeasured: 'it takes python3 and Linux: the peer ended by itself' }));
    createInterface({ input: peer.stdout }).on('line', (line) => {
      const [word, port] = line.split(' ');
      if (word === 'port') {
        end = watch(Number(port), (message) => {
          if (diedAt < performance.now()) done({ noticedMs: performance.now() - diedAt, message });
        });
      }
      if (word === 'watching') peer.stdin.write('die\n');
      if (word === 'dead') diedAt = performance.now();
    });
  });
}

function watch(port: number, stopped: (message: string) => void): () => void {
  const who = { read: async () => ({ server: `http://127.0.0.1:${port}`, headers: {}, tls: {} }), renew: () => {} };
  const transport = new Transport({ who, userAgent: 'sockets', clock: systemClock, said: () => {} });
  const watcher = new Watcher<'Node'>({
    kind: 'Node',
    ask: (query) => ({ method: 'GET', path: pathOf(PLACES.Node, { query }), resource: 'nodes' }),
    view: (raw) => view('Node', raw, { jobsNamespace: JOBS_NAMESPACE, pool: pool() }),
    store: new Store<NodeView>(INDEXES.Node),
    changed: () => {},
    transport,
    clock: systemClock,
    random: () => 0,
    said: (said) => {
      if (said.what === 'watchStopped') stopped(`${said.why}: ${said.message}`);
    },
  });
  void watcher.start();
  return () => {
    watcher.stop();
    void transport.close();
  };
}
