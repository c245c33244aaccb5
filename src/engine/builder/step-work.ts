import { unreachable, type Digest } from '#base'

import { layOutWorkdir } from './copy-layout.ts'
import { copyWork } from './copy-step.ts'
import { atStep } from './do-once.ts'
import { workdirKey } from './keys.ts'
import { layerTar } from './layer-items.ts'
import { resolveOwner } from './owners.ts'
import type { StageResult } from './result-image.ts'
import { runWork } from './run-step.ts'
import type { Step, StepAction, WorkdirAction } from './steps.ts'
import type { LayersOf, LayerWork, MadeLayer, StepContext } from './steps-context.ts'

/** What a step has to do, if it makes a layer; waits for stages that it takes files from. */
export async function workOf(
  build: StepContext,
  step: Step,
  result: StageResult,
  layersOf: LayersOf,
): Promise<LayerWork | undefined> {
  const action: StepAction = step.action
  try {
    switch (action.kind) {
      case 'metadata':
        return undefined
      case 'run':
        return await runWork(build, action, result.layers, step, layersOf)
      case 'workdir':
        return workdirWork(build, action, result.layers)
      case 'copy': {
        const { from } = action
        if (from.kind === 'context' || from.kind === 'named-context')
          return await copyWork(build, action, result.layers, undefined)
        const layers = from.kind === 'image' ? from.layers : await layersOf(from.stage)
        return await copyWork(build, action, result.layers, layers)
      }
      default:
        return unreachable(action)
    }
  } catch (error) {
    throw atStep(step, error)
  }
}

function workdirWork(build: StepContext, action: WorkdirAction, layers: readonly Digest[]): LayerWork {
  const make = async (): Promise<MadeLayer | undefined> => {
    await using root = await build.ports.root.open(layers)
    const ownerOf = async () => (action.user === '' ? { uid: 0, gid: 0 } : await resolveOwner(action.user, root))
    const items = await layOutWorkdir(action.path, root, ownerOf, build.epochS ?? Math.floor(build.ports.clock.nowMs() / 1000))
    return items.size === 0 ? undefined : await build.ports.layers.addLayerTar(layerTar(items, build.epochS))
  }
  return { key: workdirKey(action, layers, build.epochS), make }
}
