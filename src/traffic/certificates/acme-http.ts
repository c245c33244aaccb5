import type { Clock } from '#base'

import { certificateError } from './errors.ts'

export interface AcmeAnswer {
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly body: string
}

export interface AcmeTransport {
  /** Errors: `certificate.acme_unavailable`. */
  send(method: 'GET' | 'HEAD' | 'POST', url: string, body?: string): Promise<AcmeAnswer>
}

const TIMEOUT_MS = 30_000
/** Chains are some 6 KB. */
const MAX_BODY_BYTES = 1024 * 1024

/** `ca`: PEM of who is trusted besides those that Node and the host trust. TLS is loaded when it is needed: most daemons never do. */
export function acmeTransport(clock: Clock, ca: readonly string[] = []): AcmeTransport {
  let loaded: Promise<{ readonly request: typeof import('node:https').request; readonly trusted: readonly string[] }> | undefined
  const load = async () => {
    const [{ request }, { getCACertificates }] = await Promise.all([import('node:https'), import('node:tls')])
    return { request, trusted: [...getCACertificates('default'), ...getCACertificates('system'), ...ca] }
  }
  return {
    send: async (method, url, body) => {
      const { promise, resolve, reject } = Promise.withResolvers<AcmeAnswer>()
      const refuse = (what: string, cause?: unknown) =>
        reject(certificateError('certificate.acme_unavailable', `${method} ${url}: ${what}`, { cause }))
      if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
        throw certificateError('certificate.acme_unavailable', `${url} is not an address of https`)
      }
      const { request, trusted } = await (loaded ??= load())
      const headers = { 'user-agent': 'glovebox', ...(body === undefined ? {} : { 'content-type': 'application/jose+json' }) }
      const sent = request(url, { method, headers, ca: [...trusted], agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
          if (text.length > MAX_BODY_BYTES) sent.destroy(new Error(`more than ${MAX_BODY_BYTES} bytes`))
        })
        response.on('error', (error) => refuse(error.message, error))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            header: (name) => {
              const value = response.headers[name]
              return Array.isArray(value) ? value[0] : value
            },
            body: text,
          }),
        )
      })
      using _timeout = clock.after(TIMEOUT_MS, () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
      sent.on('error', (error) => refuse(error.message, error))
      sent.end(body)
      return await promise
    },
  }
}
