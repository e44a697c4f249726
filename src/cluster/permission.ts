/** A verb of the API, as RBAC names it. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** One right that a request needs. RBAC is made of these and of nothing else. */
export type Permission = {
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: Verb;
  /** The one namespace it is needed in; absent: in all of them, or the resource has none. */
  readonly namespace?: 'jobs' | 'default' | 'kube-system';
  /** The only object it is needed for. */
  readonly object?: 'lease';
};
