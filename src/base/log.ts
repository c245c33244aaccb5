/** What the daemon says of itself, one line an event, with fields for machines. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  with(fields: LogFields): Log
}

export type LogFields = Readonly<Record<string, unknown>>

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function lineLog(options: {
  /** A function is asked anew for each line. */
  readonly level: LogLevel | (() => LogLevel)
  readonly write: (line: string) => void
  readonly now: () => Date
  readonly fields?: LogFields
}): Log {
  const say =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      const least = typeof options.level === 'function' ? options.level() : options.level
      if (ORDER.indexOf(level) < ORDER.indexOf(least)) return
      const all = { ...options.fields, ...fields }
      const tail = Object.entries(all).map(
        ([key, value]) =>
          ` ${key}=${typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value instanceof Error ? value.message : value)}`,
      )
      options.write(`${options.now().toISOString()} ${level} ${message}${tail.join('')}\n`)
    }
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    with: (fields) => lineLog({ ...options, fields: { ...options.fields, ...fields } }),
  }
}

export function silentLog(): Log {
  return lineLog({ level: 'error', write: () => undefined, now: () => new Date(0) })
}
