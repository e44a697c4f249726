import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { Dice } from '../../src/simulation/dice.ts';
import { leave, reset } from './door.ts';
import type { Streamed } from './fates.ts';

/** An answer on its way through the proxy. */
export type Stream = {
  /** Something is done to it after a while. */
  arm(by: Streamed, afterMs: number): void;
  /** Nothing is done to it until it is armed again; what has begun to be done to it ends with a reset. */
  calm(): void;
};

export type StreamParts = {
  readonly answer: IncomingMessage;
  readonly response: ServerResponse;
  readonly dice: Dice;
  /** Hears of the instant at which it is struck. */
  readonly struck: (by: Streamed) => void;
};

/** What waits for a line of a kind of which nothing is told is cut after this time all the same. */
const NO_LINE_MS = 400;
const NEWLINE = 0x0a;
const TRICKLED_BYTES = 200;
const DELAYS = 3;
const LONGEST_DELAY_MS = 150;

/** Sends an answer on as it comes, no faster than it is read. */
export function passOn(answer: IncomingMessage, response: ServerResponse): void {
  answer.on('error', () => response.destroy());
  answer.pipe(response);
}

/** Sends an answer on until the time comes for which it is armed. */
export function strike(parts: StreamParts): Stream {
  const { answer, response, struck } = parts;
  let is: 'passing' | 'due' | 'over' = 'passing';
  let by: Streamed = 'reset';
  let atLineEnd = true;
  let timer: NodeJS.Timeout | undefined;
  const over = (chunk?: Buffer) => {
    if (is === 'over' || response.destroyed) return;
    is = 'over';
    clearTimeout(timer);
    struck(by);
    void finish(parts, by, chunk);
  };
  const due = () => {
    is = 'due';
    if (by === 'reset' || by === 'silent' || (isSaid(by) && atLineEnd)) over();
    else timer = setTimeout(() => over(), NO_LINE_MS);
  };
  answer.on('error', () => response.destroy());
  answer.on('end', () => {
    if (is !== 'over') response.end();
  });
  response.on('close', () => clearTimeout(timer));
  answer.on('data', (chunk: Buffer) => {
    if (is === 'over') return;
    if (is === 'due') {
      over(chunk);
      return;
    }
    atLineEnd = chunk.at(-1) === NEWLINE;
    if (response.write(chunk)) return;
    answer.pause();
    response.once('drain', () => answer.resume());
  });
  return {
    arm: (what, afterMs) => {
      if (is !== 'passing' || response.destroyed) return;
      clearTimeout(timer);
      by = what;
      timer = setTimeout(due, afterMs);
    },
    calm: () => {
      if (is === 'over') {
        reset(response);
        return;
      }
      clearTimeout(timer);
      is = 'passing';
    },
  };
}

function isSaid(by: Streamed): boolean {
  return by === 'expired' || by === 'error';
}

async function finish({ answer, response, dice }: StreamParts, by: Streamed, chunk: Buffer | undefined): Promise<void> {
  const part = chunk === undefined ? undefined : cut(chunk, dice);
  switch (by) {
    case 'reset':
      return reset(response);
    case 'silent':
      return;
    case 'cut':
      if (part !== undefined) await written(response, part);
      return leave(response);
    case 'short':
      return void response.end(part);
    case 'trickle':
      for (const byte of part?.subarray(0, TRICKLED_BYTES) ?? []) {
        if (!response.destroyed) response.write(Buffer.of(byte));
        await setImmediate();
      }
      return leave(response);
    case 'delay':
      return delayed(answer, response, dice, chunk);
    case 'expired':
    case 'error': {
      // It begins where a line ends.
      const end = chunk === undefined ? 0 : chunk.indexOf(NEWLINE) + 1;
      if (chunk !== undefined) await written(response, chunk.subarray(0, end));
      return void response.end(`${JSON.stringify({ type: 'ERROR', object: failure(by === 'expired' ? 410 : 500) })}\n`);
    }
  }
}

async function delayed(
  answer: IncomingMessage,
  response: ServerResponse,
  dice: Dice,
  first: Buffer | undefined,
): Promise<void> {
  const held = first === undefined ? [] : [first];
  answer.on('data', (chunk: Buffer) => held.push(chunk));
  for (let count = 0; count < DELAYS && !response.destroyed; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, dice.between(1, LONGEST_DELAY_MS)));
    const next = held.shift();
    if (next !== undefined) await written(response, next);
  }
  reset(response);
}

/** A part of a chunk that ends within a line. */
function cut(chunk: Buffer, dice: Dice): Buffer {
  const end = dice.between(1, Math.max(1, chunk.length - 1));
  return chunk.subarray(0, chunk[end - 1] === NEWLINE ? Math.max(0, end - 2) : end);
}

function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    else response.write(bytes, () => resolve());
  });
}

/** A Status as an API server writes it. */
export function failure(code: 410 | 429 | 500 | 503): object {
  const reason = { 410: 'Expired', 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable' }[code];
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `the proxy says ${code}` };
}
