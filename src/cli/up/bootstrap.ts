import type { Client } from '#client'

import { cliError } from '../errors.ts'
import { bar, type Progress } from '../output/progress.ts'

/** Has the daemon make a base image, showing how it goes. Resolves to its id. */
export async function bootstrapImage(client: Client, reference: string, show: Progress, signal?: AbortSignal): Promise<string> {
  show.update(reference, 'bootstrapping from Debian packages')
  let imageId: string | undefined
  for await (const step of client.glovebox.bootstrap(reference, signal)) {
    const share = step.current !== undefined && step.total !== undefined ? bar(step.current, step.total) : ''
    show.update(reference, step.status, share)
    imageId = step.imageId ?? imageId
  }
  if (signal?.aborted === true) throw cliError('cli.cancelled', `bootstrap ${reference}: cancelled`)
  if (imageId === undefined) throw cliError('cli.failed', `bootstrap ${reference}: the daemon ended without an image`)
  show.update(reference, 'ready')
  return imageId
}
