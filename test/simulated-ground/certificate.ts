import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key and the certificate that vouches for it, which is its own authority. */
export type Certificate = { readonly key: string; readonly cert: string };

const DAY_MS = 24 * 3600 * 1000;
const [INTEGER, BITS, OCTETS, OID, UTF8, SEQUENCE, SET, TIME] = [2, 3, 4, 6, 12, 0x30, 0x31, 0x18];
const TRUE = Buffer.from([1, 1, 0xff]);
const COMMON_NAME = '550403';
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const ECDSA_SHA256 = '2a8648ce3d040302';

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const oid = (hex: string) => der(OID, Buffer.from(hex, 'hex'));
const time = (at: number) => der(TIME, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')}`));

/** Makes a certificate for 127.0.0.1: kubectl sends tokens over TLS only, and nothing may be asked of the machine but Node. */
export function selfSigned(now: number): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, oid(ECDSA_SHA256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), der(UTF8, Buffer.from('drydock-model')))));
  const address = der(SEQUENCE, der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost')));
  const extensions = der(
    SEQUENCE,
    der(SEQUENCE, oid(BASIC_CONSTRAINTS), TRUE, der(OCTETS, der(SEQUENCE, TRUE))),
    der(SEQUENCE, oid(SUBJECT_ALT_NAME), der(OCTETS, address)),
  );
  // The first bit of a serial number must not make it negative.
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serial),
    algorithm,
    name,
    der(SEQUENCE, time(now - DAY_MS), time(now + 365 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const whole = der(SEQUENCE, body, algorithm, der(BITS, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}
