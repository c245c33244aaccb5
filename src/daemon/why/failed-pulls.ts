import { GloveboxError, messageOf, type Clock } from '#base'
import type { Registries } from '#engine/registry'
import { imageName, type FailedPull } from '#operate/why'

/** Images that could not be fetched, the last try of each. */
export interface FailedPulls {
  list(): readonly FailedPull[]
  /** The same registries; what they refuse is noted. */
  noting(registries: Registries): Registries
}

/** Names come from whoever asks. */
const MAX_NOTED = 64
/** An answer of a registry may be long. */
const MAX_MESSAGE = 500

export function openFailedPulls(clock: Clock): FailedPulls {
  const noted = new Map<string, FailedPull>()
  const note = (image: string, error: unknown): void => {
    const { code = 'internal', kind, hint = '' } = error instanceof GloveboxError ? error : {}
    if (kind === 'cancelled') return
    noted.delete(image)
    noted.set(image, { image, atMs: clock.nowMs(), code, message: messageOf(error).slice(0, MAX_MESSAGE), hint })
    const [oldest] = noted.keys()
    if (noted.size > MAX_NOTED && oldest !== undefined) noted.delete(oldest)
  }
  async function* watched(pull: ReturnType<Registries['pull']>, image: string): ReturnType<Registries['pull']> {
    try {
      yield* pull
      noted.delete(image)
    } catch (error) {
      note(image, error)
      throw error
    }
  }
  return {
    list: () => [...noted.values()],
    noting: (registries) => ({ ...registries, pull: (request) => watched(registries.pull(request), imageName(request.ref)) }),
  }
}
