import type { PlacementConstraint, PlacementSpec } from '#cluster/spec'

import { dockerError } from '../errors.ts'
import type { Reader } from '../translate/read.ts'
import { positive } from './read-number.ts'

const KEY = /^(node\.(id|hostname|role|platform\.os|platform\.arch)|(node|engine)\.labels\.[\w./-]+)$/
/** As the kernel names them, and as Go does. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }

export function placementOf(placement: Reader): PlacementSpec {
  return {
    constraints: placement.texts('Constraints', []).map(constraintOf),
    preferences: placement.list('Preferences').map((one) => ({ spread: spreadOf(one) })),
    maxReplicasPerNode: positive(placement, 'MaxReplicas') ?? 0,
    affinities: [],
    priority: 0,
    platforms: placement.list('Platforms').flatMap(platformOf),
  }
}

/** A client that read an index tells every entry, attestations among them. */
function platformOf(platform: Reader): PlacementSpec['platforms'] {
  const [os, architecture] = [platform.text('OS'), platform.text('Architecture')]
  if (os === '' || architecture === '' || os === 'unknown') return []
  return [{ os, architecture: ARCHITECTURES[architecture] ?? architecture }]
}

function constraintOf(text: string): PlacementConstraint {
  const [, key = '', operator, value = ''] = /^\s*(\S+?)\s*(==|!=)\s*(\S.*?)\s*$/.exec(text) ?? []
  if ((operator !== '==' && operator !== '!=') || !KEY.test(key))
    throw dockerError(
      'docker.field_invalid',
      `rpc error: code = InvalidArgument desc = invalid constraint ${JSON.stringify(text)}`,
    )
  return { key, operator, value }
}

function spreadOf(preference: Reader): string {
  const descriptor = preference.inner('Spread').text('SpreadDescriptor')
  if (!/^(node|engine)\.labels\.\S+$/.test(descriptor))
    throw dockerError(
      'docker.field_unsupported',
      `spreading over ${JSON.stringify(descriptor)} is not supported: labels of nodes and engines are`,
    )
  return descriptor
}
