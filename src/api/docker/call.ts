import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Clock, Log } from '#base'
import type { Params, Query, RouteSpec } from '#api/http'

import type { DockerApiEngine } from './engine.ts'

/** One request, as the routes see it. */
export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly params: Params
  readonly query: Query
  /** 41 for a client that speaks 1.41. */
  readonly minor: number
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  /** Set when the client asked for an upgrade on a route that takes one: the bare connection, and what came behind the head. */
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | null
  /** Input that came right behind a plain request. Gives it once. */
  readonly takeStrayBytes: (socket: Socket) => Buffer
}

/** What the routes work with. */
export interface RouteContext {
  readonly engine: DockerApiEngine
  readonly clock: Clock
  readonly log: Log
}

export type RouteHandle = (call: Call, context: RouteContext) => void | Promise<void>

export interface DockerRoute extends RouteSpec {
  readonly handle: RouteHandle
  /** Takes the connection over when the client asks for it by `Upgrade`. */
  readonly isHijacked?: boolean
}
