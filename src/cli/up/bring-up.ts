import type { ResolvedImage, StackChange } from '#api/glovebox'
import type { Clock } from '#base'
import type { Client } from '#client'
import { type ComposeReading, tieRestarts } from '#cluster/spec'

import type { Progress } from '../output/progress.ts'
import { readValues } from './secret-values.ts'
import { followStack, type Followed } from './follow-stack.ts'

export interface BringUp {
  readonly client: Client
  readonly show: Progress
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** What of a Compose file the daemon is told. */
export type Wished = Pick<ComposeReading, 'spec' | 'restarts' | 'values'>

/** Says what is wanted of an application, and shows how it gets there. With `isDetached` only the first. */
export async function bringUp(
  { spec, restarts, values }: Wished,
  images: Readonly<Record<string, ResolvedImage>>,
  { client, show, clock, signal }: BringUp,
  isDetached = false,
): Promise<{ readonly change: StackChange; readonly followed: Followed | undefined }> {
  const imageIds = Object.fromEntries(Object.entries(images).map(([service, { id }]) => [service, id]))
  const model = tieRestarts(spec, restarts, imageIds)
  const said = await readValues(values)
  const change = await client.glovebox.putStack(spec.name, { model, images, ...(said === undefined ? {} : { values: said }) })
  for (const warning of change.warnings) show.note(`warning: ${warning}`)
  for (const line of change.changes) show.note(line)
  if (isDetached) return { change, followed: undefined }
  const followed = await followStack(client.glovebox.watchStack(spec.name, signal), show, clock)
  show.finish()
  return { change, followed }
}
