import { weightOf } from './log-format.ts'

/** One line of the proxy's log: of `HTTP_LOG` or `TCP_LOG`. */
export interface AccessLine {
  readonly kind: 'http' | 'tcp'
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
  if (kind === 'h' && fields.length >= 15) return httpLine(fields)
  if (kind === 't' && fields.length >= 11) return tcpLine(fields)
  return undefined
}

function httpLine(fields: readonly string[]): AccessLine {
  const at = (index: number) => fields[index] ?? ''
  return {
    kind: 'http',
    weight: weightOf(whole(at(0)), at(1) === '1'),
    isForAccessLog: at(1) === '1',
    atMs: whole(at(3)) * 1000 + whole(at(2)),
    section: at(4),
    server: serverOf(at(5)),
    status: whole(at(6)),
    responseMs: /^\d+$/.test(at(7)) ? whole(at(7)) : null,
    totalMs: whole(at(8)),
    bytesIn: whole(at(9)),
    bytesOut: whole(at(10)),
    termination: at(11),
    retries: whole(at(12)),
    client: dashless(at(13)) === '' ? at(14) : at(13),
    tls: dashless(at(15)),
    version: at(16),
    method: at(17),
    target: at(18),
    host: dashless(at(19)),
    agent: dashless(at(20)),
  }
}

function tcpLine(fields: readonly string[]): AccessLine {
  const at = (index: number) => fields[index] ?? ''
  return {
    kind: 'tcp',
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
