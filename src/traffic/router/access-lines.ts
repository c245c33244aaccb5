import { weightOf } from './log-format.ts'

/** One line of the proxy's log: of `HTTP_LOG` or `TCP_LOG`. */
export interface AccessLine {
  readonly kind: 'http' | 'tcp'
  /** Which line of its entry it is, since the worker started. */
  readonly counter: number
  readonly entry: string
  /** For so many requests it stands. */
  readonly weight: number
  readonly isForAccessLog: boolean
  /** When the client came, on the clock on the wall. */
  readonly atMs: number
  readonly section: string
  /** Empty: no server was involved. */
  readonly server: string
  readonly status: number
  /** From the request's head at the server to the answer's; null: there was no answer. */
  readonly responseMs: number | null
  readonly totalMs: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Codes of HAProxy's manual, section 8.5: how it ended. */
  readonly termination: string
  readonly retries: number
  readonly client: string
  /** Empty: without TLS. */
  readonly tls: string
  readonly version: string
  readonly method: string
  readonly target: string
  readonly host: string
  readonly agent: string
}

/** undefined: no line of ours, or cut short where it matters. What clients choose stands last, and may be missing. */
export function parseAccessLine(line: string): AccessLine | undefined {
  const [kind, ...fields] = line.split('\t')
  if (kind === 'h' && fields.length >= 8) return httpLine(fields)
  if (kind === 't' && fields.length >= 11) return tcpLine(fields)
  return undefined
}

/** The fields up to `responseMs` are in each line, the others only where an entry has an access log. */
function httpLine(fields: readonly string[]): AccessLine {
  const at = (index: number) => fields[index] ?? ''
  const isForAccessLog = at(3) === '1'
  return {
    kind: 'http',
    counter: Number.parseInt(at(0), 10) || 0,
    entry: at(1),
    weight: weightOf(whole(at(2)), isForAccessLog),
    isForAccessLog,
    section: at(4),
    server: serverOf(at(5)),
    status: whole(at(6)),
    responseMs: /^\d+$/.test(at(7)) ? whole(at(7)) : null,
    atMs: whole(at(9)) * 1000 + whole(at(8)),
    totalMs: whole(at(10)),
    bytesIn: whole(at(11)),
    bytesOut: whole(at(12)),
    termination: at(13),
    retries: whole(at(14)),
    client: dashless(at(15)) === '' ? at(16) : at(15),
    tls: dashless(at(17)),
    version: at(18),
    method: at(19),
    target: at(20),
    host: dashless(at(21)),
    agent: dashless(at(22)),
  }
}

function tcpLine(fields: readonly string[]): AccessLine {
  const at = (index: number) => fields[index] ?? ''
  return {
    kind: 'tcp',
    counter: 0,
    entry: '',
    weight: 1,
    isForAccessLog: at(0) === '1',
    atMs: whole(at(2)) * 1000 + whole(at(1)),
    section: at(3),
    server: serverOf(at(4)),
    status: 0,
    responseMs: null,
    totalMs: whole(at(5)),
    bytesIn: whole(at(6)),
    bytesOut: whole(at(7)),
    termination: at(8),
    retries: whole(at(9)),
    client: at(10),
    tls: '',
    version: '',
    method: '',
    target: '',
    host: '',
    agent: '',
  }
}

function serverOf(text: string): string {
  return text.startsWith('<') ? '' : text
}

function dashless(text: string): string {
  return text === '-' ? '' : text
}

/** HAProxy writes `+` before times that it only knows the least of, and `-1` for what did not happen. */
function whole(text: string): number {
  const value = Number.parseInt(text.replace('+', ''), 10)
  return Number.isSafeInteger(value) && value > 0 ? value : 0
}
