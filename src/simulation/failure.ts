/** What the API server answers when it does not do what it is asked: an object of kind Status. */
export type Failure = {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Failure';
  readonly code: number;
  /** None where the API server gives none: errors of which it knows nothing but the text. */
  readonly reason?: string;
  readonly message: string;
  readonly details?: Details;
};

/** One thing that is wrong, and where. */
export type Cause = { readonly reason?: string; readonly message?: string; readonly field?: string };
type Details = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
};

/** What came of a request: a value, or the Status that says why there is none. */
export type Did<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** What a failure is about, as the API server names it: plural and group. */
export type About = { readonly plural: string; readonly group: string; readonly kind?: string };

/** A request that came to something. */
export function did<T>(value: T): Did<T> {
  return { ok: true, value };
}

/** Any refusal, in the words of the API server. */
export function refused(code: number, reason: string, message: string, details?: Details): Did<never> {
  const { group, ...others } = details ?? {};
  const failure: Failure = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    ...(reason === '' ? {} : { reason }),
    message,
    ...(details === undefined ? {} : { details: { ...others, ...(group ? { group } : {}) } }),
  };
  return { ok: false, failure };
}

/** There is no object of that name. */
export function notFound({ plural, group }: About, name: string): Did<never> {
  const about = group === '' ? plural : `${plural}.${group}`;
  return refused(404, 'NotFound', `${about} "${name}" not found`, { name, group, kind: plural });
}

/** There is an object of that name already. */
export function alreadyExists({ plural, group }: About, name: string): Did<never> {
  const about = group === '' ? plural : `${plural}.${group}`;
  return refused(409, 'AlreadyExists', `${about} "${name}" already exists`, { name, group, kind: plural });
}

/** What the request was meant for is not what is there. */
export function conflict({ plural, group }: About, name: string, why: string): Did<never> {
  const about = group === '' ? plural : `${plural}.${group}`;
  const message = `Operation cannot be fulfilled on ${about} "${name}": ${why}`;
  return refused(409, 'Conflict', message, { name, group, kind: plural });
}

/** What the API server says of a write against an older version. */
export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

/** The object breaks rules, each named by its field. */
export function invalid({ kind = '', group }: About, name: string, causes: readonly Cause[]): Did<never> {
  const list = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = list.length === 1 ? list[0] : `[${list.join(', ')}]`;
  const about = group === '' ? kind : `${kind}.${group}`;
  return refused(422, 'Invalid', `${about} "${name}" is invalid: ${text}`, { name, group, kind, causes });
}

/** The request itself makes no sense. */
export function badRequest(message: string): Did<never> {
  return refused(400, 'BadRequest', message);
}

/** A cause of an invalid object. */
export function wrong(field: string, message: string, reason = 'FieldValueInvalid'): Cause {
  return { field, message, reason };
}

/** An object that was meant to be deleted is not the one that is there (BeforeDelete; it names the kind, not the resource). */
export function unmet(
  { kind = '', group }: About,
  name: string,
  what: 'UID' | 'ResourceVersion',
  asked: string,
  is: string,
) {
  const then = what === 'UID' ? 'deleted and then recreated' : 'modified';
  const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${is}). The object might have been ${then}`;
  return conflict({ plural: kind, group }, name, why);
}
