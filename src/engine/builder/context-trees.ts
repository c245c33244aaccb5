import { invariant } from '#base'

import type { FileTree } from './file-tree.ts'
import type { CopyFrom } from './steps.ts'
import type { StepContext } from './steps-context.ts'

/** The files of the context, or of the named one that a step takes from. */
export function contextTree({ context }: Pick<StepContext, 'context'>, from: CopyFrom): FileTree {
  if (from.kind !== 'named-context') return context.tree
  const found = context.named.get(from.name)
  invariant(found?.kind === 'tree', `the plan names contexts that are there, and not ${from.name}`)
  return found.tree
}
