import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestOptions } from 'node:http'

import type { RemoteAnswer, RemoteWritePorts } from '#observe/remote-write'

import type { RemoteWriteOptions } from '../metrics-arguments.ts'
import { PROGRAM_VERSION } from '../program-version.ts'

/** As Prometheus' own. */
const TIMEOUT_MS = 30_000
/** Of what a receiver says: enough for the log. */
const MAX_TEXT_BYTES = 300

/** Over HTTP or, where the address says so, HTTPS with the authorities that Node trusts. */
export function postMetrics({ url, tokenFile }: RemoteWriteOptions): RemoteWritePorts['post'] {
  return async (body, ending) => {
    const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).split('\n', 1)[0]?.trim()
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'content-length': body.length,
      'user-agent': `Glovebox/${PROGRAM_VERSION}`,
      'x-prometheus-remote-write-version': '0.1.0',
      ...(token === undefined || token === '' ? credentialsOf(url) : { authorization: `Bearer ${token}` }),
    }
    // Only who sends over TLS pays for loading it.
    const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
    const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ending])
    const options: RequestOptions = { method: 'POST', headers, signal }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, options, resolve).once('error', reject).end(body)
    })
    return await answerOf(answer)
  }
}

function credentialsOf({ username, password }: URL): { readonly authorization?: string } {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

async function answerOf(answer: IncomingMessage): Promise<RemoteAnswer> {
  let text = ''
  for await (const chunk of answer as AsyncIterable<Buffer>) if (text.length < MAX_TEXT_BYTES) text += chunk.toString('utf8')
  const seconds = Number(answer.headers['retry-after'])
  return {
    status: answer.statusCode ?? 0,
    retryAfterMs: seconds > 0 ? seconds * 1000 : null,
    text: text.slice(0, MAX_TEXT_BYTES).trim(),
  }
}
