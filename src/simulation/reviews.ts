import type { Dice } from './dice.ts';
import { badRequest, type Did, did, notFound } from './failure.ts';
import { stamp } from './objects.ts';
import type { Registry } from './registry.ts';
import type { Request } from './request.ts';
import { resourceOf } from './resources.ts';

type Json = Readonly<Record<string, unknown>>;
type Known = { readonly user: string; readonly until: number };

const DEFAULT_SECONDS = 3600;
const REASON = 'rights are not modelled: everything is allowed to everybody whose token is known';

/** The tokens that the model knows: those it was given, and those it gave. */
export class Tokens {
  readonly #known = new Map<string, Known>();
  readonly #dice: Dice;

  constructor(given: Readonly<Record<string, string>>, dice: Dice) {
    this.#dice = dice;
    for (const [token, user] of Object.entries(given))
      this.#known.set(token, { user, until: Number.POSITIVE_INFINITY });
  }

  /** Whose token it is; undefined when it is nobody's, or not any more. */
  userOf(token: string, now: number): string | undefined {
    const known = this.#known.get(token);
    return known === undefined || known.until <= now ? undefined : known.user;
  }

  issue(user: string, until: number): string {
    const token = `${this.#dice.uuid()}${this.#dice.uuid()}`.replaceAll('-', '');
    this.#known.set(token, { user, until });
    return token;
  }
}

/** Answers a TokenRequest of a service account that is there. */
export function requestToken(
  registry: Registry,
  tokens: Tokens,
  of: { readonly namespace: string; readonly name: string },
  body: unknown,
): Did<unknown> {
  const account = registry.get('serviceaccounts', `${of.namespace}/${of.name}`);
  if (account === undefined) return notFound(resourceOf('serviceaccounts'), of.name);
  const { spec = {} } = (body ?? {}) as { readonly spec?: { readonly expirationSeconds?: number } };
  const { expirationSeconds = DEFAULT_SECONDS } = spec;
  if (!Number.isInteger(expirationSeconds)) return badRequest('spec.expirationSeconds must be a whole number');
  const until = registry.now() + expirationSeconds * 1000;
  const token = tokens.issue(`system:serviceaccount:${of.namespace}:${of.name}`, until);
  return did({
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { ...of, creationTimestamp: stamp(registry.now()) },
    spec: { ...spec, expirationSeconds },
    status: { token, expirationTimestamp: stamp(until) },
  });
}

/** Answers what a client asks about itself; undefined where the path is no such question. */
export function reviewed({ path, method, user, body }: Request): Did<unknown> | undefined {
  const [where] = path.split('?');
  if (method !== 'POST') return undefined;
  const asked = (body ?? {}) as { readonly spec?: Json };
  if (where === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews') {
    const head = { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: {} };
    return did({ ...head, spec: asked.spec ?? {}, status: { allowed: true, reason: REASON } });
  }
  if (where === '/apis/authentication.k8s.io/v1/selfsubjectreviews') {
    const head = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1', metadata: {} };
    return did({ ...head, status: { userInfo: { username: user, groups: ['system:authenticated'] } } });
  }
  return undefined;
}
