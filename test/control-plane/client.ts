import { Agent, type Dispatcher } from 'undici';
import { parseAllDocuments } from 'yaml';
import { until } from './until.ts';

/** What every object carries. */
export type Metadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
};

/** Any object; `spec` and `status` are read through a narrower type, given to `get` and its like. */
export type KubernetesObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: unknown;
  readonly status?: unknown;
};

/** A list as the API server sends it. */
export type List<T> = { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly T[] };

/** What a watch tells. */
export type Change<T> = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T };

/** Whatever the API server said. */
export type Reply = {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Dispatcher.ResponseData['headers'];
};

/** The content types of patches. */
export const PATCH = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** The API server refused; `code` is the HTTP status. */
export class Refused extends Error {
  readonly code: number;
  readonly body: unknown;

  constructor(what: string, reply: Reply) {
    super(`${what}: ${reply.status} ${messageOf(reply.body)}`);
    this.code = reply.status;
    this.body = reply.body;
  }
}

type Resource = { readonly name: string; readonly kind: string; readonly namespaced: boolean };

/** A thin JSON client of one user. Paths are written out, as in the API reference. */
export class Client {
  readonly server: string;
  readonly #agent: Agent;
  readonly #token: string;
  readonly #userAgent: string;
  readonly #resources = new Map<string, readonly Resource[]>();

  constructor(server: string, ca: string | Buffer, token: string, userAgent: string) {
    this.server = server;
    this.#token = token;
    this.#userAgent = userAgent;
    this.#agent = new Agent({ allowH2: false, connect: { ca }, keepAliveTimeout: 10_000 });
  }

  /** One request; any HTTP status is an answer. Rejects when there is no answer. */
  async request(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Reply> {
    const response = await this.#agent.request({
      origin: this.server,
      path,
      method: method as Dispatcher.HttpMethod,
      headers: { ...this.#headers(), ...(body === undefined ? {} : { 'content-type': contentType }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: parsed(text), headers: response.headers };
  }

  /** Reads one object; throws `Refused`, also for 404. */
  get<T = KubernetesObject>(path: string): Promise<T> {
    return this.#accepted<T>('GET', path);
  }

  /** Reads one object; undefined when there is none. */
  async find<T = KubernetesObject>(path: string): Promise<T | undefined> {
    const reply = await this.request('GET', path);
    if (reply.status === 404) return undefined;
    if (reply.status >= 400) throw new Refused(`GET ${path}`, reply);
    return reply.body as T;
  }

  /** The items of a list. */
  async list<T = KubernetesObject>(path: string): Promise<readonly T[]> {
    return (await this.#accepted<List<T>>('GET', path)).items;
  }

  /** What changes after a version of a list, until the API server ends the watch; throws where there is no answer, or no more. */
  async *watch<T>(path: string, version: string, signal: AbortSignal): AsyncGenerator<Change<T>> {
    const query = `${path.includes('?') ? '&' : '?'}watch=1&resourceVersion=${version}`;
    const { body, statusCode } = await this.#agent.request({
      origin: this.server,
      path: `${path}${query}`,
      method: 'GET',
      headers: this.#headers(),
      bodyTimeout: 0,
      signal,
    });
    if (statusCode !== 200) throw new Error(`watch ${path}: ${statusCode} ${await body.text()}`);
    let rest = '';
    body.setEncoding('utf8');
    for await (const chunk of body as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(Boolean)) {
        const change = JSON.parse(line) as Change<T> | { readonly type: 'ERROR' };
        if (change.type === 'ERROR') return;
        yield change;
      }
    }
  }

  /** Creates an object. */
  create<T = KubernetesObject>(path: string, body: unknown): Promise<T> {
    return this.#accepted<T>('POST', path, body);
  }

  /** Patches an object; a merge patch unless said otherwise. */
  patch<T = KubernetesObject>(path: string, body: unknown, contentType: string = PATCH.merge): Promise<T> {
    return this.#accepted<T>('PATCH', path, body, contentType);
  }

  /** Deletes an object; that it is gone already is no error. */
  async delete(path: string, options: unknown = {}): Promise<void> {
    const reply = await this.request('DELETE', path, options);
    if (reply.status >= 400 && reply.status !== 404) throw new Refused(`DELETE ${path}`, reply);
  }

  /** Applies all documents server-side, and waits until the API server serves the definitions among them. */
  async apply(yaml: string): Promise<readonly KubernetesObject[]> {
    const applied: KubernetesObject[] = [];
    for (const document of parseAllDocuments(yaml)) {
      const object = document.toJS() as KubernetesObject | null;
      if (object === null) continue;
      const path = await this.pathOf(object);
      applied.push(
        await this.patch(`${path}?fieldManager=drydock-test&force=true&fieldValidation=Strict`, object, PATCH.apply),
      );
      if (object.kind === 'CustomResourceDefinition') await this.#established(path);
    }
    return applied;
  }

  /** Where an object is served; waits a little for kinds that were just defined. */
  async pathOf({ apiVersion, kind, metadata }: KubernetesObject): Promise<string> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const served = async () => {
      if (this.#known(base, kind) === undefined) await this.#discover(base);
      return this.#known(base, kind);
    };
    const resource = await until(served, { what: `${apiVersion} serves ${kind}`, seconds: 15 });
    const namespace = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${base}${namespace}/${resource.name}/${metadata.name}`;
  }

  /** Lets go of all connections. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #headers() {
    return { authorization: `Bearer ${this.#token}`, 'user-agent': this.#userAgent, accept: 'application/json' };
  }

  async #established(path: string): Promise<void> {
    type Definition = { status?: { conditions?: { type: string; status: string }[] } };
    const isEstablished = async () => {
      const { status } = await this.get<Definition>(path);
      return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
    };
    await until(isEstablished, { what: `${path} is established` });
  }

  #known(base: string, kind: string): Resource | undefined {
    return this.#resources.get(base)?.find((resource) => resource.kind === kind);
  }

  async #discover(base: string): Promise<void> {
    const reply = await this.request('GET', base);
    if (reply.status !== 200) return;
    const { resources } = reply.body as { resources: readonly Resource[] };
    // Subresources have the kind of another resource.
    this.#resources.set(
      base,
      resources.filter(({ name }) => !name.includes('/')),
    );
  }

  async #accepted<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> {
    const reply = await this.request(method, path, body, contentType);
    if (reply.status >= 400) throw new Refused(`${method} ${path}`, reply);
    return reply.body as T;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);
}
