import { fail, messageOf } from '#base'
import { DEFAULT_LOG, withDefaultLog, type DefaultLog } from '#engine/containers'
import { readLogDriver } from '#engine/logs'

import { prefixed } from './prefixed.ts'

export interface LogArguments {
  readonly 'log-driver'?: string | undefined
  readonly 'log-opt'?: readonly string[] | undefined
}

/** `--log-driver` and `--log-opt NAME=VALUE`. Errors: `log.*`, `input.invalid`. */
export function readDefaultLog({ 'log-driver': name, 'log-opt': options = [] }: LogArguments): DefaultLog {
  const pairs = options.map((text) => pairOf('log-opt', text))
  const driver = name === undefined ? DEFAULT_LOG.driver : named(`--log-driver ${name}`, () => readLogDriver(name))
  return named(`--log-opt ${options.join(' ')}`, () =>
    withDefaultLog(DEFAULT_LOG, { driver, options: Object.fromEntries(pairs) }),
  )
}

/** `--label NAME=VALUE`. Error: `input.invalid`. */
export function readLabel(text: string): string {
  return pairOf('label', text).join('=')
}

/** Says in the message whose value is wrong, where it does not by itself. */
export function named<T>(flag: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw messageOf(error).startsWith(flag) ? error : prefixed(error, flag)
  }
}

function pairOf(flag: string, text: string): readonly [name: string, value: string] {
  const mark = text.indexOf('=')
  if (mark > 0) return [text.slice(0, mark), text.slice(mark + 1)]
  throw fail('input.invalid', `--${flag} ${text}: not NAME=VALUE`)
}
