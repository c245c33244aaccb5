import { StringDecoder } from 'node:string_decoder'

import { shortId } from '#base'

import type { BuildEvent } from './events.ts'

export interface ClassicStreamOptions {
  /** Only the image id, as `docker build -q` asks. */
  readonly isQuiet: boolean
}

export type ClassicMessage =
  | { readonly stream: string }
  | { readonly aux: { readonly ID: string } }
  | { readonly errorDetail: { readonly code?: number; readonly message: string }; readonly error: string }

/**
 * Renders events as the messages of Docker's `POST /build`, one JSON object a line (Engine API, "Build an image"). Stateful only in
 * that a character may come in two chunks of output.
 */
export function classicMessages(options: ClassicStreamOptions): (event: BuildEvent) => readonly ClassicMessage[] {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  return (event) => messagesOf(event, options, decoders)
}

function messagesOf(
  event: BuildEvent,
  options: ClassicStreamOptions,
  decoders: Readonly<Record<'stdout' | 'stderr', StringDecoder>>,
): ClassicMessage[] {
  const say = (...texts: readonly string[]): ClassicMessage[] => (options.isQuiet ? [] : texts.map((stream) => ({ stream })))
  switch (event.kind) {
    case 'planned':
    case 'step-running':
    case 'moving':
    case 'moved':
      return []
    case 'step-started':
      return say(`Step ${event.number}/${event.total} : ${event.text}`, '\n')
    case 'output': {
      const text = decoders[event.stream].write(event.chunk)
      return text === '' ? [] : say(text)
    }
    case 'step-done':
      return say(...(event.isCached ? [' ---> Using cache\n'] : []), ` ---> ${shortId(event.stateId)}\n`)
    case 'warning':
      return say(
        `[Warning] ${event.place.file}:${event.place.line}: ${event.check === undefined ? '' : `${event.check}: `}${event.message}\n`,
      )
    case 'image': {
      const aux: ClassicMessage = { aux: { ID: event.id } }
      return options.isQuiet ? [{ stream: `${event.id}\n` }] : [aux, ...say(`Successfully built ${shortId(event.id)}\n`)]
    }
    case 'tagged':
      return say(`Successfully tagged ${event.reference}\n`)
    case 'failed': {
      const { message, hint, details } = event.error
      const text = hint === undefined ? message : `${message}. ${hint}`
      const exitCode = details['exitCode']
      return [{ errorDetail: { ...(typeof exitCode === 'number' ? { code: exitCode } : {}), message: text }, error: text }]
    }
  }
}
