import type { Difference, EnvironmentChange, EnvironmentView, WireNewEnvironment } from '#api/glovebox'

import { json, segment } from './call.ts'
import type { Transport } from './transport.ts'

/** Copies of applications. `ref`: `pr-42`, `shop/pr-42`, or the name of the stack. */
export interface EnvironmentCalls {
  list(): Promise<readonly EnvironmentView[]>
  create(wanted: WireNewEnvironment): Promise<EnvironmentChange>
  inspect(ref: string): Promise<EnvironmentView>
  set(ref: string, settings: readonly string[]): Promise<EnvironmentChange>
  /** null: until it is removed. */
  extend(ref: string, lifeMs: number | null): Promise<EnvironmentView>
  /** Resolves when all of it is gone. */
  remove(ref: string): Promise<EnvironmentView>
  diff(left: string, right: string, options: { readonly all: boolean }): Promise<readonly Difference[]>
}

const BASE = '/glovebox/v1/environments'

export function environmentCalls(transport: Transport): EnvironmentCalls {
  const one = (ref: string) => `${BASE}/${segment(ref)}`
  return {
    list: () => json(transport, { method: 'GET', path: BASE }),
    create: (wanted) => json(transport, { method: 'POST', path: BASE, json: wanted }),
    inspect: (ref) => json(transport, { method: 'GET', path: one(ref) }),
    set: (ref, settings) => json(transport, { method: 'PUT', path: `${one(ref)}/settings`, json: { settings } }),
    extend: (ref, lifeMs) => json(transport, { method: 'PUT', path: `${one(ref)}/life`, json: { lifeMs } }),
    remove: (ref) => json(transport, { method: 'DELETE', path: one(ref) }),
    diff: (left, right, { all }) =>
      json(transport, { method: 'GET', path: `${one(left)}/diff/${segment(right)}`, query: { all: all ? 1 : 0 } }),
  }
}
