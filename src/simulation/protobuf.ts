import { type Did, did, refused } from './failure.ts';
import { stamp } from './objects.ts';
import { type Field, MESSAGES, type Message } from './protobuf-messages.ts';

/** The content type in which kubectl sends what its typed clients make. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0]);
const ENVELOPE: Message = {
  1: { name: 'type', as: { 1: { name: 'apiVersion', as: 'text' }, 2: { name: 'kind', as: 'text' } } },
  3: { name: 'contentEncoding', as: 'text' },
  4: { name: 'contentType', as: 'text' },
};
const RAW = 2;

type Json = { [name: string]: unknown };
type Part = { readonly number: number; readonly value: bigint | Buffer };

/** Reads a body of the kinds that kubectl sends as protobuf; what it does not know of them it refuses. */
export function fromProtobuf(bytes: Buffer): Did<unknown> {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return unread('it does not begin as Kubernetes begins it');
  const parts = partsOf(bytes.subarray(MAGIC.length));
  if (parts === undefined) return unread('it is broken');
  const raw = parts.find(({ number }) => number === RAW)?.value ?? Buffer.alloc(0);
  const envelope = message(
    parts.filter(({ number }) => number !== RAW),
    ENVELOPE,
    'envelope',
  );
  if (!envelope.ok) return envelope;
  const { apiVersion = '', kind = '' } = (envelope.value['type'] ?? {}) as { apiVersion?: string; kind?: string };
  const known = MESSAGES[`${apiVersion}/${kind}`];
  if (known === undefined) return unread(`the model reads no ${apiVersion} ${kind} in it; as JSON it does`);
  const within = typeof raw === 'bigint' ? undefined : partsOf(raw);
  if (within === undefined) return unread('it is broken');
  const body = message(within, known, kind);
  return body.ok ? did({ apiVersion, kind, ...body.value }) : body;
}

function unread(why: string): Did<never> {
  return refused(415, 'UnsupportedMediaType', `the body of the request in ${PROTOBUF} cannot be read: ${why}`);
}

/** The fields of a message as they stand on the wire; undefined when it is cut off. */
function partsOf(bytes: Buffer): readonly Part[] | undefined {
  const parts: Part[] = [];
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; at < bytes.length && shift < 70n; shift += 7n) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const key = varint();
    if (key === undefined) return undefined;
    const [number, wire] = [Number(key >> 3n), Number(key & 7n)];
    if (wire !== 0 && wire !== 2) return undefined;
    const value = varint();
    if (value === undefined) return undefined;
    if (wire === 0) parts.push({ number, value });
    else {
      const end = at + Number(value);
      if (end > bytes.length) return undefined;
      parts.push({ number, value: bytes.subarray(at, end) });
      at = end;
    }
  }
  return parts;
}

/** Go writes members that are no pointers though nothing is in them. */
function isEmpty(value: bigint | Buffer): boolean {
  if (typeof value === 'bigint') return value === 0n;
  return (partsOf(value) ?? [{ number: 0, value: 1n }]).every((part) => isEmpty(part.value));
}

function message(parts: readonly Part[], fields: Message, where: string): Did<Json> {
  const read: Json = {};
  for (const { number, value } of parts) {
    const field = fields[number];
    if (field === undefined) {
      if (isEmpty(value)) continue;
      return unread(`field ${number} of ${where} is not known to the model; as JSON it is taken as it is`);
    }
    const one = readOne(value, field, where);
    if (!one.ok) return one;
    if (field.as === 'words') read[field.name] = { ...(read[field.name] as Json), ...(one.value as Json) };
    else if (field.many) read[field.name] = [...((read[field.name] as unknown[] | undefined) ?? []), one.value];
    else if (one.value !== '' && one.value !== undefined) read[field.name] = one.value;
  }
  return did(read);
}

function readOne(value: bigint | Buffer, { name, as }: Field, where: string): Did<unknown> {
  if (typeof value === 'bigint') {
    if (as === 'integer') return did(Number(BigInt.asIntN(64, value)));
    return as === 'boolean' ? did(value !== 0n) : unread(`${name} of ${where} is no number`);
  }
  if (as === 'text') return did(value.toString('utf8'));
  if (as === 'integer' || as === 'boolean') return unread(`${name} of ${where} is a number`);
  const parts = partsOf(value);
  if (parts === undefined) return unread(`${name} of ${where} is broken`);
  const at = (number: number) => parts.find((part) => part.number === number)?.value;
  const textAt = (number: number) => at(number)?.toString() ?? '';
  switch (as) {
    case 'time':
      return did(parts.length === 0 ? undefined : stamp(Number(at(1) ?? 0n) * 1000));
    case 'words':
      return did({ [textAt(1)]: textAt(2) });
    case 'intOrString':
      return did(at(1) === 1n ? textAt(3) : Number(BigInt.asIntN(32, (at(2) ?? 0n) as bigint)));
    default:
      return message(parts, as, `${where}.${name}`);
  }
}
