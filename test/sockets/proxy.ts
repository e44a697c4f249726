import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createDoor } from 'node:net';
import type { Dice } from '../../src/simulation/dice.ts';
import { type AtDoor, type Fate, listFate, type Streamed, watchFate } from './fates.ts';
import { failure, passOn, reset, type Stream, strike } from './stream.ts';

/** How long somebody took to come back after something was done to the connection, in milliseconds. */
export type Back = { readonly askedAgain: number[]; readonly resumed: number[] };

/** A proxy before a server of plain HTTP that does to connections what networks and servers do. */
export type Breaker = {
  readonly url: string;
  /** How often something was done. */
  readonly counts: ReadonlyMap<Streamed | AtDoor, number>;
  readonly disconnects: () => number;
  /** By what was done to an open watch. */
  readonly back: ReadonlyMap<Streamed | AtDoor, Back>;
  /** Bodies of HTML that were given for a watch. */
  readonly htmlWatches: () => number;
  /** Does nothing to anybody until `storm`; what is half open is reset. */
  calm(): void;
  storm(): void;
  /** Does this to every request from now on, and to every open watch; undefined: chance decides again. */
  does(fate: Fate | undefined): void;
  /** Refuses connections for a while. */
  refuse(milliseconds: number): Promise<void>;
  stop(): Promise<void>;
};

export type ProxyParts = {
  readonly upstream: string;
  readonly dice: Dice;
  /** How long a watch lives, in milliseconds. */
  readonly life: readonly [number, number];
};

type Gone = { readonly at: number; readonly by: Streamed | AtDoor; asked: boolean };

/** What all requests of one proxy share. */
type House = {
  readonly upstream: string;
  readonly agent: Agent;
  readonly books: Books;
  readonly drawn: Dice;
  readonly watches: Set<Stream>;
  readonly lists: Set<Stream>;
  readonly mute: Set<ServerResponse>;
  readonly fateOf: (isWatch: boolean) => Fate;
  readonly isQuiet: () => boolean;
};

/** Starts it, calm. */
export async function startProxy({ upstream, dice, life }: ProxyParts): Promise<Breaker> {
  const [books, watches, lists] = [new Books(), new Set<Stream>(), new Set<Stream>()];
  const [agent, mute, drawn] = [new Agent({ keepAlive: true }), new Set<ServerResponse>(), dice.fork('fates')];
  let isCalm = true;
  let fixed: Fate | undefined;
  const fateOf = (isWatch: boolean): Fate =>
    fixed ?? (isCalm ? { is: 'pass' } : isWatch ? watchFate(drawn, life) : listFate(drawn));
  const isQuiet = () => fixed === undefined && isCalm;
  const house: House = { upstream, agent, books, drawn, watches, lists, mute, fateOf, isQuiet };
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => meet(house, incoming, response));
  const door = createDoor({ noDelay: true }, (socket) => server.emit('connection', socket));
  const listening = async (port: number) => {
    door.listen(port, '127.0.0.1');
    await once(door, 'listening');
    return (door.address() as AddressInfo).port;
  };
  const port = await listening(0);
  let stopped = false;
  return {
    url: `http://127.0.0.1:${port}`,
    counts: books.counts,
    disconnects: () => [...books.counts.values()].reduce((sum, count) => sum + count, 0),
    back: books.back,
    htmlWatches: () => books.htmlWatches,
    calm: () => {
      isCalm = true;
      for (const stream of [...watches, ...lists]) stream.calm();
      for (const response of mute) reset(response);
    },
    storm: () => {
      isCalm = false;
      for (const stream of watches) {
        const fate = watchFate(drawn, life);
        if (fate.is === 'streamed') stream.arm(fate.by, fate.afterMs);
        else stream.arm('reset', life[1]);
      }
    },
    does: (fate) => {
      fixed = fate;
      if (fate?.is === 'door') for (const stream of watches) stream.arm('reset', 0);
      if (fate?.is === 'streamed') for (const stream of watches) stream.arm(fate.by, fate.afterMs);
    },
    refuse: async (milliseconds) => {
      if (!door.listening) return;
      door.close();
      books.forget();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      books.forget();
      if (!stopped) await listening(port);
    },
    stop: async () => {
      stopped = true;
      if (door.listening) door.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

function meet(house: House, incoming: IncomingMessage, response: ServerResponse): void {
  const { books, mute, watches, lists, drawn } = house;
  response.on('error', () => {});
  const who = whoOf(incoming);
  const isWatch = incoming.url?.includes('watch=1') === true;
  books.asked(who);
  const fate = house.fateOf(isWatch);
  if (fate.is === 'door') {
    books.did(fate.by, who, fate.by === 'mute' && isWatch);
    if (fate.by === 'html' && isWatch) books.htmlWatches += 1;
    if (fate.by === 'mute') {
      mute.add(response);
      response.on('close', () => mute.delete(response));
    } else atDoor(fate.by, response);
    return;
  }
  forward(house, incoming, response, (answer) => {
    if (isWatch && answer.statusCode === 200) books.resumed(who);
    if (!isWatch && fate.is === 'pass') return passOn(answer, response);
    const struck = (by: Streamed) => books.did(by, who, isWatch);
    const stream = strike({ answer, response, dice: drawn, struck });
    // It may have become calm since it was asked for.
    if (fate.is === 'streamed' && !house.isQuiet()) stream.arm(fate.by, fate.afterMs);
    const streams = isWatch ? watches : lists;
    streams.add(stream);
    response.on('close', () => streams.delete(stream));
  });
}

/** Who lost what and when, and when it came back. */
class Books {
  readonly counts = new Map<Streamed | AtDoor, number>();
  readonly back = new Map<Streamed | AtDoor, Back>();
  htmlWatches = 0;
  readonly #gone = new Map<string, Gone>();

  did(by: Streamed | AtDoor, who: string, wasOpen: boolean): void {
    this.counts.set(by, (this.counts.get(by) ?? 0) + 1);
    if (wasOpen) this.#gone.set(who, { at: performance.now(), by, asked: false });
    // What was done to the next attempt is no longer the doing of the first.
    else this.#gone.delete(who);
  }

  asked(who: string): void {
    const gone = this.#gone.get(who);
    if (gone === undefined || gone.asked) return;
    gone.asked = true;
    this.#of(gone.by).askedAgain.push(performance.now() - gone.at);
  }

  resumed(who: string): void {
    const gone = this.#gone.get(who);
    if (gone === undefined) return;
    this.#of(gone.by).resumed.push(performance.now() - gone.at);
    this.#gone.delete(who);
  }

  /** Who is on the way back now meets something else. */
  forget(): void {
    this.#gone.clear();
  }

  #of(by: Streamed | AtDoor): Back {
    const known = this.back.get(by) ?? { askedAgain: [], resumed: [] };
    this.back.set(by, known);
    return known;
  }
}

function whoOf({ url = '', headers }: IncomingMessage): string {
  return `${headers['user-agent']} ${url.split('?')[0]}`;
}

function forward(
  { upstream, agent }: House,
  incoming: IncomingMessage,
  response: ServerResponse,
  begun: (answer: IncomingMessage) => void,
): void {
  const { authorization, accept } = incoming.headers;
  const headers = { authorization, accept };
  const onward = request(`${upstream}${incoming.url}`, { agent, method: incoming.method, headers }, (answer) => {
    if (response.destroyed) {
      answer.destroy();
      return;
    }
    const retryAfter = answer.headers['retry-after'];
    response.writeHead(answer.statusCode ?? 502, {
      'content-type': answer.headers['content-type'],
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    });
    response.flushHeaders();
    begun(answer);
  });
  onward.on('error', () => response.destroy());
  response.once('close', () => onward.destroy());
  incoming.pipe(onward);
}

const PAGE = '<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to the network</body></html>\n';

function atDoor(by: Exclude<AtDoor, 'mute'>, response: ServerResponse): void {
  switch (by) {
    case 'refused':
      reset(response);
      return;
    case 'html':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    case 'strange':
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}\n');
    default: {
      const code = Number(by) as 410 | 429 | 500 | 503;
      const more = code === 429 ? { 'retry-after': '1' } : {};
      response.writeHead(code, { 'content-type': 'application/json', ...more }).end(JSON.stringify(failure(code)));
    }
  }
}
