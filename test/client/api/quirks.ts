/** Statuses that dockerd gives and that the description of the operation leaves out. */
const UNDESCRIBED: readonly { readonly operation: RegExp; readonly status: number; readonly why: string }[] = [
  { operation: /./, status: 400, why: 'a query, filter or body that cannot be read: every operation, described or not' },
  { operation: /^POST \/swarm\/unlock$/, status: 409, why: 'a swarm that is not locked' },
  { operation: /^POST \/networks\/create$/, status: 409, why: 'a name that is taken' },
  {
    operation: /./,
    status: 501,
    why: 'what an engine does not have is told by the class of the error, described for plugins only',
  },
  { operation: /./, status: 503, why: 'a node that is in no swarm; described only for some of swarm mode' },
]

export function isUndescribedStatus(operation: string, status: number): boolean {
  return UNDESCRIBED.some((known) => known.operation.test(operation) && known.status === status)
}
