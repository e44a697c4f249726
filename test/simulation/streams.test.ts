import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { Lines, pour } from '../../src/simulation/streams.ts';

/** More than the kernel takes without a reader; in characters half of what it is in bytes. */
const LINE = `${'é'.repeat(300)}\n`;
const MANY = 20_000;

async function served(answer: (response: ServerResponse) => void): Promise<IncomingMessage> {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = get({ port: (server.address() as AddressInfo).port, agent: false });
  const [incoming] = (await once(asked, 'response')) as [IncomingMessage];
  incoming.once('close', () => server.close());
  return incoming;
}

it('pours all of a text that is not ASCII (seen to fail with strings for bytes: it stopped at the first full socket)', async () => {
  const incoming = await served((response) =>
    pour(
      response,
      Array.from({ length: MANY }, () => LINE),
    ),
  );
  expect((await buffer(incoming)).length).toBe(MANY * Buffer.byteLength(LINE));
});

it('tells every line that is not ASCII (seen to fail with strings for bytes: it stopped at the first full socket)', async () => {
  const incoming = await served((response) => {
    const lines = new Lines(response);
    for (let count = 0; count < MANY; count += 1) lines.tell(LINE);
    lines.begun();
    lines.end();
  });
  expect((await buffer(incoming)).length).toBe(MANY * Buffer.byteLength(LINE));
});

it('does not count what a watch began with as read too slowly (seen to fail with all lines counted)', async () => {
  const [past, most] = [MANY, 10];
  let end = () => {};
  const incoming = await served((response) => {
    const lines = new Lines(response, most);
    for (let count = 0; count < past; count += 1) lines.tell(LINE);
    lines.begun();
    for (let count = 0; count < most; count += 1) lines.tell(LINE);
    end = () => lines.end();
  });
  end();
  expect((await buffer(incoming)).length).toBe((past + most) * Buffer.byteLength(LINE));
});
