import type { ResolvedImage, StackChange } from '#api/glovebox'
import type { Clock } from '#base'
import type { Client } from '#client'
import type { StackSpec } from '#cluster/spec'

import type { Progress } from '../output/progress.ts'
import { followStack, type Followed } from './follow-stack.ts'

export interface BringUp {
  readonly client: Client
  readonly show: Progress
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Says what is wanted of an application, and shows how it gets there. With `isDetached` only the first. */
export async function bringUp(
  spec: StackSpec,
  images: Readonly<Record<string, ResolvedImage>>,
  { client, show, clock, signal }: BringUp,
  isDetached = false,
): Promise<{ readonly change: StackChange; readonly followed: Followed | undefined }> {
  const change = await client.glovebox.putStack(spec.name, { model: spec, images })
  for (const warning of change.warnings) show.note(`warning: ${warning}`)
  for (const line of change.changes) show.note(line)
  if (isDetached) return { change, followed: undefined }
  const followed = await followStack(client.glovebox.watchStack(spec.name, signal), show, clock)
  show.finish()
  return { change, followed }
}
