import type { ServerResponse } from 'node:http'

import { errorStatus, wireErrorOf } from '#api/glovebox'
import { sendJson } from '#api/http'
import { GloveboxError, type Log } from '#base'

const UNAUTHORIZED = 401

/** A refusal in the form of our own API. Who is not signed in gets a status of its own: the page asks for a password then. */
export function answerError(response: ServerResponse, error: unknown, log: Log): void {
  const status = statusOf(error)
  if (status >= 500 && status !== 503)
    log.error('the dashboard failed to answer', { url: response.req.url?.split('?')[0], error })
  if (response.headersSent || response.destroyed) return void response.destroy()
  sendJson(response, status, wireErrorOf(error))
}

export function statusOf(error: unknown): number {
  if (!(error instanceof GloveboxError)) return 500
  return error.code === 'dashboard.signed_out' ? UNAUTHORIZED : errorStatus(error.kind)
}
