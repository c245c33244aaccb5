import type { Clock } from '#base'
import type { Client } from '#client'

import { cliError } from '../errors.ts'
import { bar, type Progress } from '../output/progress.ts'
import { tookText } from '../output/units.ts'

export interface BootstrapOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/** Has the daemon make a base image, showing how it goes. Resolves to its id. */
export async function bootstrapImage(
  client: Client,
  reference: string,
  show: Progress,
  { clock, signal }: BootstrapOptions,
): Promise<string> {
  const startedMs = clock.monotonicMs()
  show.update(reference, 'bootstrapping from Debian packages')
  show.say(`Making ${reference} from Debian packages, for it is not here yet.`)
  let imageId: string | undefined
  for await (const step of client.glovebox.bootstrap(reference, signal)) {
    const share = step.current !== undefined && step.total !== undefined ? bar(step.current, step.total) : ''
    show.update(reference, step.status, share)
    imageId = step.imageId ?? imageId
  }
  if (signal?.aborted === true) throw cliError('cli.cancelled', `bootstrap ${reference}: cancelled`)
  if (imageId === undefined) throw cliError('cli.failed', `bootstrap ${reference}: the daemon ended without an image`)
  const took = tookText(clock.monotonicMs() - startedMs)
  show.update(reference, 'ready', took)
  show.say(`${reference} is ready after ${took}.`)
  return imageId
}
