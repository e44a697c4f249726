import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import { ApiServer } from '../../src/simulation/api-server.ts';
import { type Dice, dice } from '../../src/simulation/dice.ts';
import { Etcd } from '../../src/simulation/etcd.ts';
import { RealTime } from '../../src/simulation/real-time.ts';
import type { Request, Response } from '../../src/simulation/request.ts';
import { served } from '../../src/simulation/served.ts';
import { Timeline } from '../../src/simulation/timeline.ts';
import { removeAtEnd } from '../control-plane/child.ts';
import { kubeconfig } from '../control-plane/kubeconfig.ts';
import { selfSigned } from '../simulated-ground/certificate.ts';
import { TO } from '../simulation/scenario.ts';

/** A model that this process serves over HTTPS and in real time, whose store can be filled directly. */
export type ServedModel = {
  readonly api: ApiServer;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly url: string;
  /** For scripts that speak to it themselves. */
  readonly caFile: string;
  readonly token: string;
  readonly kubeconfig: string;
  readonly directory: string;
  readonly counts: { handshakes: number; requests: number };
  /** To be called after something was done to the model directly. */
  wake(): void;
  stop(): Promise<void>;
};

/** Who the operator is to the model. */
export const OPERATOR = 'system:serviceaccount:drydock-system:drydock';

/** Starts it, without controllers. */
export async function serveModel(answered: (request: Request, response: Response) => void): Promise<ServedModel> {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-bench-'));
  removeAtEnd(directory);
  const [timeline, chance] = [new Timeline(systemClock.now()), dice(1)];
  const counts = { handshakes: 0, requests: 0 };
  const api = new ApiServer({
    etcd: new Etcd(),
    timeline,
    dice: chance,
    release: TO,
    answered: (request, response) => {
      counts.requests += 1;
      answered(request, response);
    },
  });
  const time = new RealTime(timeline, systemClock);
  const token = randomBytes(24).toString('hex');
  const { listener, stop } = served({ api, time, dice: chance, users: { [token]: OPERATOR } });
  const certificate = selfSigned(systemClock.now());
  const server = createServer(certificate, listener);
  server.keepAliveTimeout = 120_000;
  server.on('secureConnection', () => {
    counts.handshakes += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [caFile, file] = [join(directory, 'ca.crt'), join(directory, 'kubeconfig')];
  writeFileSync(caFile, certificate.cert);
  writeFileSync(file, kubeconfig(url, Buffer.from(certificate.cert), 'drydock', token), { mode: 0o600 });
  time.arm();
  return {
    api,
    timeline,
    dice: chance,
    url,
    caFile,
    token,
    kubeconfig: file,
    directory,
    counts,
    wake: () => {
      time.catchUp();
      time.arm();
    },
    stop: async () => {
      time.stop();
      stop();
      api.watches.endAll();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
