import type { RouteRule } from '#cluster/spec'

import { trimPath } from './check-route.ts'
import { literal, type Line } from './words.ts'

/** Headers that the route sets and removes. */
export function changeLines({ requestHeaders, responseHeaders }: RouteRule): readonly Line[] {
  const lines = (when: 'http-request' | 'http-response', { set, remove }: RouteRule['requestHeaders']): readonly Line[] => [
    ...remove.map((name) => [when, 'del-header', name]),
    ...Object.entries(set).map(([name, value]) => [when, 'set-header', name, literal(value)]),
  ]
  return [...lines('http-request', requestHeaders), ...lines('http-response', responseHeaders)]
}

/** Answers everything. What follows the matched part of the path, and the query, stays. */
export function redirectLine({ redirect, path }: RouteRule): readonly Line[] {
  if (redirect === null) return []
  const { scheme, host, port, status } = redirect
  const rest = redirect.path === null ? '%[pathq]' : `${literal(trimEnd(redirect.path))}${restOf(path)}`
  const at = host === null ? '%[req.hdr(host),host_only]' : host
  const where = scheme === null && host === null && port === null ? '' : `//${at}${port === null ? '' : `:${port}`}`
  const line = (location: string, condition: Line): Line => [
    'http-request',
    'redirect',
    'location',
    location,
    'code',
    `${status}`,
    ...condition,
  ]
  if (where === '' || scheme !== null) return [line(`${scheme === null ? '' : `${scheme}:`}${where}${rest}`, [])]
  return [line(`https:${where}${rest}`, ['if', '{', 'ssl_fc', '}']), line(`http:${where}${rest}`, [])]
}

/** What follows the matched part stays, and so does the query. Nothing may follow: then it is the new path alone, which is never empty. */
export function rewriteLines({ replacePath, path }: RouteRule): readonly Line[] {
  if (replacePath === undefined) return []
  const whole: Line = ['http-request', 'set-path', literal(replacePath)]
  if (path.type === 'exact') return [whole]
  const prefix = trimPath(path.value)
  const length = prefix === '/' ? 0 : Buffer.byteLength(prefix)
  const isLonger = ['{', 'var(txn.length)', '-m', 'int', 'gt', `${length}`, '}']
  return [
    ['http-request', 'set-var(txn.length)', 'path,length'],
    ['http-request', 'set-path', `${literal(trimEnd(replacePath))}%[path,bytes(${length})]`, 'if', ...isLonger],
    [...whole, 'unless', ...isLonger],
  ]
}

/** A prefix is cut off by its length: no text of the user's becomes part of an expression. */
function restOf({ type, value }: RouteRule['path']): string {
  const prefix = type === 'exact' ? value : trimPath(value)
  return prefix === '/' ? '%[pathq]' : `%[pathq,bytes(${Buffer.byteLength(prefix)})]`
}

function trimEnd(path: string): string {
  return path.replace(/\/$/, '')
}
