import type { ChangePlan, ResolvedImage, StackChange, StackDesired } from '#api/glovebox'
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

/** What the daemon is told of it. */
export async function desiredOf(
  { spec, restarts, values }: Wished,
  images: Readonly<Record<string, ResolvedImage>>,
): Promise<StackDesired> {
  const imageIds = Object.fromEntries(Object.entries(images).map(([service, { id }]) => [service, id]))
  const model = tieRestarts(spec, restarts, imageIds)
  const said = await readValues(values)
  return { model, images, ...(said === undefined ? {} : { values: said }) }
}

/**
 * Says what is wanted of an application, and shows how it gets there. With `isDetached` only the first. `plan`: shown already, and carried out only if it is still that one;
 * without it what changes is told in lines.
 */
export async function bringUp(
  wished: Wished,
  images: Readonly<Record<string, ResolvedImage>>,
  { client, show, clock, signal }: BringUp,
  { isDetached = false, plan }: { readonly isDetached?: boolean; readonly plan?: ChangePlan } = {},
): Promise<{ readonly change: StackChange; readonly followed: Followed | undefined }> {
  const { spec } = wished
  const change = await client.glovebox.putStack(spec.name, await desiredOf(wished, images), plan?.id)
  for (const warning of change.warnings) show.note(`warning: ${warning}`)
  if (plan === undefined) for (const line of change.changes) show.note(line)
  if (isDetached) return { change, followed: undefined }
  const followed = await followStack(client.glovebox.watchStack(spec.name, signal), show, clock)
  show.finish()
  const turned = followed.outcome === 'ready' ? await turnedBack(change, client) : []
  return { change, followed: turned.length === 0 ? followed : { ...followed, outcome: 'failed', reasons: turned } }
}

/** Services that are there, but as they were before: their new tasks failed, or somebody ended the rollout. */
async function turnedBack({ revisions = {} }: StackChange, client: Client): Promise<readonly string[]> {
  // A daemon that is older tells no revisions.
  if (Object.keys(revisions).length === 0) return []
  const services = await client.services.list()
  return services.flatMap(({ name, title, revision, rollout }) => {
    const wanted = revisions[name]
    if (wanted === undefined || revision >= wanted) return []
    return [`${title} is back at revision ${revision}: ${rollout?.reason ?? 'somebody wanted it so'}`]
  })
}
