import type { RestartSpec } from '#engine/containers'

import { dockerError } from '../errors.ts'
import type { Reader } from './read.ts'

/** RestartPolicy, with dockerd's own texts: compose files are debugged by them. */
export function restartPolicy(policy: Reader): RestartSpec {
  const name = policy.text('Name')
  const maximumRetryCount = policy.int('MaximumRetryCount') ?? 0
  switch (name) {
    case '':
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (maximumRetryCount !== 0)
        throw invalid(
          "maximum retry count can only be used with 'on-failure'",
          maximumRetryCount < 0 ? ' and cannot be negative' : '',
        )
      return { name: name === '' ? 'no' : name, maximumRetryCount: 0 }
    case 'on-failure':
      if (maximumRetryCount < 0) throw invalid('maximum retry count cannot be negative')
      return { name, maximumRetryCount }
    default:
      throw invalid(`unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`)
  }
}

function invalid(why: string, more = ''): Error {
  return dockerError('docker.field_invalid', `invalid restart policy: ${why}${more}`)
}
