import type { WireError } from '#api/glovebox'

const PROOF_HEADER = 'X-Glovebox-Proof'
/** Of this origin alone: neither another port of this host nor another site reads it. */
const PROOF_KEY = 'glovebox-proof'
const UNAUTHORIZED = 401
const NO_CONTENT = 204

/** A refusal, in the daemon's words. */
export class Refusal extends Error {
  readonly status: number
  readonly hint: string | undefined

  constructor(status: number, message: string, hint: string | undefined) {
    super(message)
    this.status = status
    this.hint = hint
  }
}

/** Calls to the daemon that served the page. */
export interface Http {
  hasProof(): boolean
  proof(): string
  keepProof(proof: string | null): void
  /** Errors: `Refusal`; a `TypeError` when the daemon is not there. */
  json<T>(method: string, path: string, body?: unknown): Promise<T>
  /** The answer as it comes. Errors: as `json`. */
  open(path: string, signal: AbortSignal): Promise<Response>
  /** Called when the daemon says that nobody is signed in. */
  onSignedOut(then: () => void): void
}

export function createHttp(storage: Storage): Http {
  let signedOut = () => undefined as void
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(path, {
      ...init,
      credentials: 'same-origin',
      headers: { ...init.headers, [PROOF_HEADER]: storage.getItem(PROOF_KEY) ?? '' },
    })
    if (response.ok) return response
    const refusal = await refusalOf(response)
    if (response.status === UNAUTHORIZED) {
      storage.removeItem(PROOF_KEY)
      signedOut()
    }
    throw refusal
  }
  return {
    hasProof: () => storage.getItem(PROOF_KEY) !== null,
    proof: () => storage.getItem(PROOF_KEY) ?? '',
    keepProof: (proof) => (proof === null ? storage.removeItem(PROOF_KEY) : storage.setItem(PROOF_KEY, proof)),
    json: async <T>(method: string, path: string, body?: unknown) => {
      const sends = body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
      const response = await ask(path, { method, ...sends })
      const text = response.status === NO_CONTENT ? '' : await response.text()
      return (text === '' ? undefined : JSON.parse(text)) as T
    },
    open: async (path, signal) => await ask(path, { method: 'GET', signal }),
    onSignedOut: (then) => (signedOut = then),
  }
}

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    const { message, hint } = (await response.json()) as WireError
    return new Refusal(response.status, message, hint)
  } catch {
    return new Refusal(response.status, `the daemon answered ${response.status}`, undefined)
  }
}

/** For people. */
export function wordsOf(error: unknown): string {
  if (error instanceof Refusal) return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`
  return error instanceof TypeError ? 'The daemon does not answer.' : String(error)
}
