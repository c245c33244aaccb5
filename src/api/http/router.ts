import { httpError } from './errors.ts'

/** `{name}` stands for one segment, `{name...}` for one or more (image names hold slashes; at most one such in a path). */
export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'
  readonly path: string
}

export type Params = Readonly<Record<string, string>>

export interface Matched<R> {
  readonly route: R
  readonly params: Params
}

interface Compiled<R> {
  readonly route: R
  readonly segments: readonly string[]
  /** Index of the segment that takes several; -1: none. */
  readonly wide: number
}

/** Finds the route of a path in a handful of string comparisons. Exact routes win over those with parameters because the table lists them first. */
export function createRouter<R extends RouteSpec>(
  routes: readonly R[],
): (method: string, path: string) => Matched<R> | undefined {
  const byStart = new Map<string, Compiled<R>[]>()
  for (const route of routes) {
    const segments = route.path.split('/').slice(1)
    const key = `${route.method} ${segments[0] ?? ''}`
    const compiled = { route, segments, wide: segments.findIndex((segment) => segment.endsWith('...}')) }
    byStart.set(key, [...(byStart.get(key) ?? []), compiled])
  }
  const find = (method: string, segments: readonly string[]): Matched<R> | undefined => {
    for (const candidate of byStart.get(`${method} ${segments[0] ?? ''}`) ?? []) {
      const params = match(candidate, segments)
      if (params !== undefined) return { route: candidate.route, params }
    }
    return undefined
  }
  return (method, path) => {
    const segments = (path.endsWith('/') ? path.slice(0, -1) : path).split('/').slice(1)
    return find(method, segments)
  }
}

function match<R>({ segments, wide }: Compiled<R>, actual: readonly string[]): Params | undefined {
  const extra = actual.length - segments.length
  if (wide === -1 ? extra !== 0 : extra < 0) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const at = wide !== -1 && index > wide ? index + extra : index
    if (index === wide) params[segment.slice(1, -4)] = decode(actual.slice(index, index + extra + 1).join('/'))
    else if (segment.startsWith('{')) params[segment.slice(1, -1)] = decode(actual[at] ?? '')
    else if (segment !== actual[at]) return undefined
  }
  return Object.values(params).includes('') ? undefined : params
}

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw httpError('http.path_invalid', `path: ${JSON.stringify(text)} holds a broken percent escape`, { cause: error })
  }
}
