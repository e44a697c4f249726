import type { IncomingMessage } from 'node:http';
import { attempt } from '../core/attempt.ts';
import { badRequest, type Did, did, refused } from './failure.ts';
import { APPLY, JSON_PATCH, MERGE, STRATEGIC } from './patch.ts';
import { fromProtobuf, PROTOBUF } from './protobuf.ts';

/** As much as the API server reads of one request. */
const MOST_BYTES = 3 * 1024 * 1024;
/** Of a body that is too long, so much is taken and thrown away, so that its sender hears why; then it is cut off. */
const MOST_DISCARDED = 64 * 1024 * 1024;
const JSON_TYPE = 'application/json';
const PATCHES: readonly string[] = [MERGE, JSON_PATCH, STRATEGIC, APPLY];

/** Reads the body of a request to its end and gives it, or the refusal of one that is too long. */
export function readBody(incoming: IncomingMessage, then: (body: Did<Buffer>) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let over = false;
  const finish = (body: Did<Buffer>) => {
    if (over) return;
    over = true;
    then(body);
  };
  incoming.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MOST_BYTES) {
      chunks.push(chunk);
      return;
    }
    chunks.length = 0;
    if (length > MOST_DISCARDED) incoming.destroy();
    finish(refused(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MOST_BYTES}`));
  });
  incoming.on('end', () => finish(did(Buffer.concat(chunks))));
}

/** What a body means, by its content type: JSON, whatever it is for, and what kubectl sends as protobuf. */
export function parsed(method: string, contentType: string | undefined, body: Buffer): Did<unknown> {
  const [type = ''] = (contentType ?? JSON_TYPE).split(';').map((part) => part.trim());
  if (body.length === 0) return did(undefined);
  if (type === PROTOBUF && method !== 'PATCH') return fromProtobuf(body);
  const known = method === 'PATCH' ? [...PATCHES, JSON_TYPE] : [JSON_TYPE];
  if (!known.includes(type)) {
    const accepted = (method === 'PATCH' ? PATCHES : [JSON_TYPE, PROTOBUF]).join(', ');
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted} (it was ${type})`;
    return refused(415, 'UnsupportedMediaType', message);
  }
  const read = attempt(() => JSON.parse(body.toString('utf8')) as unknown);
  if (read.ok) return did(read.value);
  const hint = type === APPLY ? '; the model reads what is applied as JSON, which is YAML too, and no other YAML' : '';
  return badRequest(`the body of the request cannot be read: json parse error: ${read.problem}${hint}`);
}
