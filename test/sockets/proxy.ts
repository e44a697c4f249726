import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Dice } from '../../src/simulation/dice.ts';
import { openDoor, reset } from './door.ts';
import type { AtDoor, Fate, Streamed } from './fates.ts';
import { type Passage, Plan } from './plan.ts';
import { failure, passOn, type Stream, strike } from './stream.ts';

/** How long somebody took to come back after something was done to the connection, in milliseconds. */
export type Back = { readonly askedAgain: number[]; readonly resumed: number[] };

/** A proxy before a server of plain HTTP that speaks TLS itself, and does to connections what networks and servers do. */
export type Breaker = {
  readonly url: string;
  readonly ca: string;
  /** How often something was done. */
  readonly counts: ReadonlyMap<Streamed | AtDoor, number>;
  readonly disconnects: () => number;
  /** By what was done to an open watch. */
  readonly back: ReadonlyMap<Streamed | AtDoor, Back>;
  /** Bodies of HTML that were given for a watch. */
  readonly htmlWatches: () => number;
  /** What was last done to an operator, in lines for people. */
  readonly told: (name: string) => readonly string[];
  /** Does nothing to anybody until `storm`; what it has only begun to do to somebody ends with a reset. */
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
  readonly plan: Plan;
  /** Whose they are. */
  readonly watches: Map<Stream, string>;
  readonly lists: Set<Stream>;
  readonly mute: Set<ServerResponse>;
  readonly fateOf: (who: string, isWatch: boolean) => Fate;
  readonly isQuiet: () => boolean;
};

/** Starts it, calm. */
export async function startProxy({ upstream, dice, life }: ProxyParts): Promise<Breaker> {
  const [books, watches, lists] = [new Books(), new Map<Stream, string>(), new Set<Stream>()];
  const [agent, mute] = [new Agent({ keepAlive: true }), new Set<ServerResponse>()];
  const plan = new Plan(dice.fork('fates'), life);
  let isCalm = true;
  let fixed: Fate | undefined;
  const fateOf = (who: string, isWatch: boolean): Fate => fixed ?? (isCalm ? { is: 'pass' } : plan.fate(who, isWatch));
  const isQuiet = () => fixed === undefined && isCalm;
  const house: House = { upstream, agent, books, plan, watches, lists, mute, fateOf, isQuiet };
  const door = await openDoor((incoming, response) => meet(house, incoming, response));
  let stopped = false;
  return {
    url: door.url,
    ca: door.ca,
    counts: books.counts,
    disconnects: () => [...books.counts.values()].reduce((sum, count) => sum + count, 0),
    back: books.back,
    htmlWatches: () => books.htmlWatches,
    told: (name) => plan.told(name),
    calm: () => {
      isCalm = true;
      for (const stream of [...watches.keys(), ...lists]) stream.calm();
      for (const response of mute) reset(response);
    },
    storm: () => {
      isCalm = false;
      for (const [stream, who] of watches) {
        const fate = plan.fate(who, true);
        if (fate.is === 'streamed') stream.arm(fate.by, fate.afterMs);
        else stream.arm('reset', life[1]);
      }
    },
    does: (fate) => {
      fixed = fate;
      if (fate?.is === 'door') for (const stream of watches.keys()) stream.arm('reset', 0);
      if (fate?.is === 'streamed') for (const stream of watches.keys()) stream.arm(fate.by, fate.afterMs);
    },
    refuse: async (milliseconds) => {
      if (!door.isOpen()) return;
      door.shut();
      books.forget();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      books.forget();
      if (!stopped) await door.reopen();
    },
    stop: async () => {
      stopped = true;
      door.stop();
      agent.destroy();
    },
  };
}

function meet(house: House, incoming: IncomingMessage, response: ServerResponse): void {
  const { books, mute, watches, lists, plan } = house;
  response.on('error', () => {});
  const who = whoOf(incoming);
  const isWatch = incoming.url?.includes('watch=1') === true;
  books.asked(who);
  const fate = house.fateOf(who, isWatch);
  const passage = plan.passage(who, fate, incoming.url ?? '', incoming.socket.remotePort);
  response.on('close', () => {
    passage.closedAt = plan.now();
  });
  const struck = (by: Streamed | AtDoor, wasOpen: boolean) => {
    passage.struck = { at: plan.now(), by };
    books.did(by, who, wasOpen);
  };
  if (fate.is === 'door') {
    struck(fate.by, fate.by === 'mute' && isWatch);
    if (fate.by === 'html' && isWatch) books.htmlWatches += 1;
    if (fate.by === 'mute') {
      mute.add(response);
      response.on('close', () => mute.delete(response));
    } else atDoor(fate.by, response);
    return;
  }
  forward(house, incoming, response, (answer) => {
    follow(answer, passage, plan);
    if (isWatch && answer.statusCode === 200) books.resumed(who);
    if (!isWatch && fate.is === 'pass') return passOn(answer, response);
    const stream = strike({ answer, response, dice: plan.dice(who), struck: (by) => struck(by, isWatch) });
    // It may have become calm since it was asked for.
    if (fate.is === 'streamed' && !house.isQuiet()) stream.arm(fate.by, fate.afterMs);
    if (isWatch) watches.set(stream, who);
    else lists.add(stream);
    response.on('close', () => {
      watches.delete(stream);
      lists.delete(stream);
    });
  });
}

function follow(answer: IncomingMessage, passage: Passage, plan: Plan): void {
  passage.answeredAt = plan.now();
  answer.on('data', (chunk: Buffer) => {
    passage.bytes += chunk.length;
    passage.lastAt = plan.now();
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
