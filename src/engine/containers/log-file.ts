import { shortId } from '#base'
import { chooseAttributes, readLogOptions, type AttributeFacts } from '#engine/logs'
import type { LogFile } from '#engine/runtime'

import type { Context } from './context.ts'
import { logPathOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'

/** Where and how the shim writes the container's log; nothing for the driver `none`. */
export function logOf(context: Context, record: ContainerRecord): { readonly log?: LogFile } {
  const { driver, options } = record.spec.log
  const policy = readLogOptions(driver, options)
  if (policy === null) return {}
  const { maxBytes, queueBytes, maxFiles, isCompressed } = policy
  const attributes = chooseAttributes(policy.attributes, factsOf(record))
  return {
    log: {
      path: logPathOf(context, record.id),
      ...(maxBytes === null ? {} : { maxBytes }),
      ...(queueBytes === null ? {} : { queueBytes }),
      ...(attributes === null ? {} : { attributes }),
      ...{ maxFiles, isCompressed },
    },
  }
}

function factsOf({ id, name, spec }: ContainerRecord): AttributeFacts {
  const imageId = spec.imageId.replace(/^sha256:/, '')
  return {
    labels: spec.labels,
    env: spec.process.env,
    tag: {
      ...{ ID: shortId(id), FullID: id, Name: name, FullName: `/${name}`, DaemonName: 'docker' },
      ...{ ImageID: shortId(imageId), ImageFullID: spec.imageId, ImageName: spec.image },
    },
  }
}
