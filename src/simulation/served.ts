import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { attempt } from '../core/attempt.ts';
import type { ApiServer } from './api-server.ts';
import { type AuditLine, followControllers, lineOf } from './audit-lines.ts';
import { writingOf } from './bodies.ts';
import { parsed, readBody } from './bodies-in.ts';
import type { Dice } from './dice.ts';
import { AGGREGATED, aggregated, discovered, SCALED } from './discovery.ts';
import { badRequest, type Did, refused } from './failure.ts';
import { type Form, formsOf } from './forms.ts';
import type { KubeObject } from './objects.ts';
import { OPENAPI_V2_TYPE, openApiV2, openApiV2Bytes, openApiV3 } from './openapi.ts';
import type { RealTime } from './real-time.ts';
import type { Request, Response, Watching } from './request.ts';
import { requestToken, reviewed, Tokens } from './reviews.ts';
import { type Route, routeOf } from './route.ts';
import { scaled } from './scale.ts';
import { shaped } from './shapes.ts';
import { Lines, pour } from './streams.ts';
import { type Included, partial, tableOfOne, tablePieces } from './table.ts';
import { listPieces, textOf } from './texts.ts';

/** What is needed to serve a model. */
export type ServedParts = {
  readonly api: ApiServer;
  readonly time: Pick<RealTime, 'catchUp' | 'arm'>;
  readonly dice: Dice;
  /** The user of each token. */
  readonly users: Readonly<Record<string, string>>;
  /** Who somebody is that has no token; kubectl sends none over plain HTTP. Without it they are refused. */
  readonly anonymous?: string;
  /** Hears of each answered request, and of what the controllers wrote. */
  readonly audit?: (line: AuditLine) => void;
};

/** A model that answers HTTP: give `listener` to a server of node:http or node:https. */
export type Served = { readonly listener: RequestListener; stop(): void };

type Asked = {
  readonly request: Request;
  readonly route: Route | undefined;
  readonly path: string;
  readonly forms: readonly Form[];
  readonly accept: string;
  readonly receivedAt: number;
  readonly id: string;
};

const PROBES = ['/healthz', '/readyz', '/livez'];

/** Serves a model as an API server would be spoken to. */
export function served(parts: ServedParts): Served {
  const { api, time, users, audit } = parts;
  const dice = parts.dice.fork('served');
  const tokens = new Tokens(users, dice);
  const { registry } = api;
  let asking: string | undefined;
  const unfollow =
    audit === undefined
      ? () => {}
      : followControllers({
          etcd: registry.etcd,
          now: registry.now,
          id: () => dice.uuid(),
          asking: () => asking,
          tell: audit,
        });

  const tell = (asked: Asked, status: number, body: unknown, isWatch = false) => {
    const { request, route, receivedAt, id } = asked;
    audit?.(lineOf({ request, route, isWatch, status, body, receivedAt, answeredAt: registry.now(), id }));
  };
  const finish = (asked: Asked, response: ServerResponse, answer: Response) => {
    tell(asked, answer.status, answer.body);
    send(response, asked, answer, registry.now());
  };
  const meet = (asked: Asked, response: ServerResponse) => {
    if (asked.forms.length === 0) return finish(asked, response, refusal(notAcceptable(asked.accept)));
    const isWatch = asked.request.method === 'GET' && ['1', 'true'].includes(asked.route?.query.get('watch') ?? '');
    // A body may have a shape that nobody thought of: it must not end the server.
    const read = attempt(() => (isWatch ? api.watch(asked.request) : answerOf(api, tokens, asked)));
    if (!read.ok) return finish(asked, response, refusal(stumbled(asked.request, read.problem)));
    const opened = read.value;
    if ('status' in opened) return finish(asked, response, opened);
    watch(opened, asked, response, registry.now);
    response.on('close', () => tell(asked, 200, undefined, true));
  };

  const listener: RequestListener = (incoming, response) => {
    // Whoever goes away in the middle is no fault of the server.
    response.on('error', () => {});
    incoming.on('error', () => {});
    readBody(incoming, (body) => {
      if (response.destroyed) return;
      time.catchUp();
      const user = userOf(incoming, tokens, parts.anonymous, registry.now());
      const read = body.ok ? parsed(incoming.method ?? 'GET', incoming.headers['content-type'], body.value) : body;
      const asked = askedOf(incoming, user ?? '', read.ok ? read.value : undefined, {
        receivedAt: registry.now(),
        id: dice.uuid(),
      });
      if (!body.ok) response.setHeader('connection', 'close');
      asking = user;
      if (PROBES.includes(asked.path.replace(/(?<=z)\/.*$/, ''))) {
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok');
      } else if (user === undefined) finish(asked, response, refusal(refused(401, 'Unauthorized', 'Unauthorized')));
      else if (!read.ok) finish(asked, response, refusal(read));
      else if (asked.path === '') finish(asked, response, refusal(badRequest(`${incoming.url} is no path`)));
      else if (!sendDocument(asked, response)) meet(asked, response);
      asking = undefined;
      time.arm();
    });
  };
  return { listener, stop: unfollow };
}

/** Listens on plain HTTP; port 0 takes any that is free. */
export function listen({ listener }: Served, port = 0, host = '127.0.0.1'): Promise<Server> {
  const server = createServer(listener);
  // Longer than any client keeps an idle connection, so that none is closed under a request.
  server.keepAliveTimeout = 120_000;
  return new Promise((resolve) => {
    server.listen(port, host, () => resolve(server));
  });
}

function userOf(
  { headers }: IncomingMessage,
  tokens: Tokens,
  anonymous: string | undefined,
  now: number,
): string | undefined {
  const given = headers.authorization;
  if (given === undefined) return anonymous;
  return given.startsWith('Bearer ') ? tokens.userOf(given.slice('Bearer '.length), now) : undefined;
}

/** A path of '' is one that cannot be read. */
function askedOf(
  { method = 'GET', url = '/', headers }: IncomingMessage,
  user: string,
  body: unknown,
  more: Pick<Asked, 'receivedAt' | 'id'>,
): Asked {
  const read = attempt(() => ({ route: routeOf(url), path: new URL(url, 'http://model').pathname }));
  const { route, path } = read.ok ? read.value : { route: undefined, path: '' };
  const { accept } = headers;
  const request: Request = {
    method,
    path: url,
    user,
    body,
    ...(headers['content-type'] === undefined ? {} : { contentType: headers['content-type'] }),
    ...(headers['user-agent'] === undefined ? {} : { userAgent: headers['user-agent'] }),
    ...(accept === undefined ? {} : { accept }),
  };
  return { request, route, path, forms: formsOf(accept), accept: accept ?? '', ...more };
}

/** What is no resource: discovery and the documents about the API. */
function sendDocument({ request, path, forms, accept }: Asked, response: ServerResponse): boolean {
  if (request.method !== 'GET') return false;
  const gathered = forms.find((form) => form === 'aggregated' || form === 'plain') === 'aggregated';
  const document =
    (gathered ? aggregated(path) : undefined) ??
    discovered(path) ??
    (path === '/openapi/v2' ? openApiV2() : path.startsWith('/openapi/v3') ? openApiV3(path) : undefined);
  if (document === undefined) return false;
  if (path === '/openapi/v2' && accept.includes('proto-openapi')) {
    response.writeHead(200, { 'content-type': OPENAPI_V2_TYPE }).end(openApiV2Bytes());
    return true;
  }
  const type = gathered && aggregated(path) !== undefined ? AGGREGATED : 'application/json';
  response.writeHead(200, { 'content-type': type }).end(JSON.stringify(document));
  return true;
}

function answerOf(api: ApiServer, tokens: Tokens, { request, route }: Asked): Response {
  const { registry } = api;
  const review = reviewed(request);
  if (review !== undefined) return responseOf(review, 201);
  if (route?.namespace !== undefined && route.name !== undefined) {
    const { resource, subresource, namespace, name } = route;
    if (resource.id === 'serviceaccounts' && subresource === 'token' && request.method === 'POST') {
      return responseOf(requestToken(registry, tokens, { namespace, name }, request.body), 201);
    }
    if (subresource === 'scale' && SCALED.some((id) => id === resource.id)) {
      return responseOf(scaled(registry, request, route, writingOf(request, route)), 200);
    }
  }
  if (route === undefined) return api.handle(request);
  const key = route.namespace === undefined ? route.name : `${route.namespace}/${route.name}`;
  const isThere = () => registry.get(route.resource.id, key ?? '') !== undefined;
  const meant = shaped(request, route, isThere, (trial) => api.handle(trial));
  return meant.ok ? api.handle(meant.value) : refusal(meant);
}

function responseOf(answer: Did<unknown>, status: number): Response {
  return answer.ok ? { status, body: answer.value } : { status: answer.failure.code, body: answer.failure };
}

function refusal(answer: Did<never>): Response {
  return responseOf(answer, 500);
}

function stumbled({ method, path }: Request, problem: string): Did<never> {
  return refused(
    500,
    'InternalError',
    `Internal error occurred: the model cannot make sense of ${method} ${path}: ${problem}`,
  );
}

function notAcceptable(accept: string): Did<never> {
  const message = `only the following media types are accepted: application/json (asked for: ${accept})`;
  return refused(406, 'NotAcceptable', message);
}

function includedIn(route: Route): Included {
  const asked = route.query.get('includeObject');
  return asked === 'None' || asked === 'Object' ? asked : 'Metadata';
}

type Page = {
  readonly metadata: unknown;
  readonly items: readonly KubeObject[];
  readonly kind: string;
  readonly apiVersion: string;
};

function send(response: ServerResponse, { request, route, forms, id }: Asked, answer: Response, now: number): void {
  const { status, body, retryAfterSeconds } = answer;
  response.writeHead(status, {
    'content-type': 'application/json',
    'audit-id': id,
    'cache-control': 'no-cache, private',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  });
  if (request.method !== 'GET' || route === undefined || status !== 200) {
    response.end(`${JSON.stringify(body)}\n`);
    return;
  }
  const form = forms.find((each) => each !== 'aggregated');
  const isList = route.name === undefined;
  if (form === 'table') {
    const tabled = { resource: route.resource, included: includedIn(route), now };
    if (isList) pour(response, tablePieces((body as Page).items, (body as Page).metadata, tabled));
    else response.end(`${tableOfOne(body as KubeObject, tabled, true)}\n`);
  } else if (isList) {
    const { items, ...head } = body as Page;
    const isPartial = form === 'partial';
    const named = isPartial ? { ...head, kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' } : head;
    pour(response, listPieces(named, 'items', items, isPartial ? (each) => partial(each as KubeObject) : textOf));
  } else response.end(`${form === 'partial' ? partial(body as KubeObject) : textOf(body)}\n`);
}

function watch(watching: Watching, { route, forms, id }: Asked, response: ServerResponse, now: () => number): void {
  const form = forms.find((each) => each !== 'aggregated');
  response.writeHead(200, { 'content-type': 'application/json', 'audit-id': id, 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const lines = new Lines(response);
  let isFirst = true;
  const shown = (object: unknown): string => {
    if (form === 'partial') return partial(object as KubeObject);
    if (form !== 'table' || route === undefined) return textOf(object);
    const tabled = { resource: route.resource, included: includedIn(route), now: now() };
    const text = tableOfOne(object as KubeObject, tabled, isFirst);
    isFirst = false;
    return text;
  };
  response.on('close', () => watching.stop());
  watching.begin(
    ({ type, object }) =>
      lines.tell(`{"type":"${type}","object":${type === 'ERROR' ? textOf(object) : shown(object)}}\n`),
    () => lines.end(),
  );
  lines.begun();
}
