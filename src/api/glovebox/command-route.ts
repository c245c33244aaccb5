import { isObject } from '#oci/image'

import { apiError } from './errors.ts'
import { linesOf } from './json-lines.ts'
import type { CommandLinePort } from './ports.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'
import type { CommandCall, CommandMessage, CommandStream } from './wire-command.ts'

/** Words, a path and a few variables: as long as Linux takes a command line to be. */
const MAX_LINE_BYTES = 4 * 1024 * 1024

/** Runs a command that is asked for by a line of JSON, with further lines while it runs. Error: `api.bad_request`. */
export async function answerCommand(port: CommandLinePort, request: ApiRequest): Promise<ApiAnswer> {
  const lines = linesOf(request.raw, MAX_LINE_BYTES)
  const first = await lines.next()
  if (first.done === true) throw apiError('api.bad_request', 'the command is missing')
  const call = readCall(first.value)
  const { signal: gone, connectionFd } = request
  return {
    frames: async (output) => await port.run(call, { ...output, gone, connectionFd, messages: messagesOf(lines, gone) }),
  }
}

/** What is not understood is passed over: a newer caller may have more to tell. */
async function* messagesOf(lines: AsyncIterable<unknown>, gone: AbortSignal): AsyncGenerator<CommandMessage> {
  try {
    for await (const line of lines) if (isMessage(line)) yield line
  } catch (error) {
    // Whoever is gone ends in the middle of what they say.
    if (!gone.aborted) throw error
  }
}

function readCall(value: unknown): CommandCall {
  if (isObject(value)) {
    const { words, program, cwd, env, stdout, stderr } = value
    const isCommand = Array.isArray(words) && words.every(isText) && isText(program) && isText(cwd) && cwd.startsWith('/')
    if (isCommand && isObject(env) && Object.values(env).every(isText) && isStream(stdout) && isStream(stderr))
      return { words, program, cwd, env: env as Readonly<Record<string, string>>, stdout, stderr }
  }
  throw apiError('api.bad_request', `${JSON.stringify(value)?.slice(0, 200)} is no command`)
}

function isMessage(value: unknown): value is CommandMessage {
  if (!isObject(value)) return false
  if (value['kind'] === 'signal') return value['name'] === 'SIGINT' || value['name'] === 'SIGTERM'
  return value['kind'] === 'resized' && isStream(value['stdout']) && isStream(value['stderr'])
}

function isStream(value: unknown): value is CommandStream {
  return isObject(value) && typeof value['isTty'] === 'boolean' && isCount(value['columns']) && isCount(value['rows'])
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535
