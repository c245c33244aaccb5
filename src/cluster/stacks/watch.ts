import type { StackEvent, StackStatus } from './port.ts'

/** Waits for the next change; rejects with `operation.cancelled` when the signal ends it. */
export interface ChangeSource {
  next(signal?: AbortSignal): Promise<void>
}

/** From the statuses of a stack to what a watcher is told. `statusNow` is undefined once the stack is gone. */
export async function* watchStatus(
  statusNow: () => StackStatus | undefined,
  source: ChangeSource,
  signal: AbortSignal,
): AsyncGenerator<StackEvent, void, void> {
  let told = ''
  for (;;) {
    // Asked for before looking, so that no change falls between.
    const next = source.next(signal)
    next.catch(() => undefined)
    const status = statusNow()
    if (status === undefined) return yield { kind: 'removed' }
    const text = JSON.stringify(status)
    if (text !== told) {
      told = text
      yield { kind: 'status', status }
    }
    if (status.state === 'ready' || status.state === 'failed') {
      return yield { kind: 'settled', outcome: status.state, reasons: reasonsOf(status), status }
    }
    await next
  }
}

function reasonsOf(status: StackStatus): readonly string[] {
  const ofServices = status.services
    .filter((service) => service.state === 'failed')
    .map((service) => `${service.name}: ${service.whyNotYet ?? ''}`)
  return status.state === 'failed' && status.whyNotYet !== null ? [status.whyNotYet, ...ofServices] : ofServices
}
