import { execFile } from 'node:child_process'

import { messageOf } from '#base'
import type { Host } from '#host'

import { volumeError } from './errors.ts'
import { mountArguments, type LocalMount } from './local-options.ts'

/** What volumes with driver options need of the kernel. */
export interface Mounter {
  isMounted(target: string): boolean
  mount(mount: LocalMount, target: string): Promise<void>
  unmount(target: string): void
}

/** A server that does not answer within this time is given up: a start must not wait for ever. */
const MOUNT_TIMEOUT_MS = 60_000

/** Through mount(8): it knows the helpers of network file systems, and a server that does not answer stops it and not the daemon. */
export function hostMounter({ mounts }: Pick<Host, 'mounts'>): Mounter {
  return {
    isMounted: (target) => mounts.list(target).some((entry) => entry.target === target),
    mount: async (mount, target) => {
      const failure = await runMount(mountArguments(mount, target))
      if (failure === undefined) return
      const what = `mount type=${mount.type} device=${mount.device} o=${mount.options}`
      throw volumeError('volume.mount_failed', `failed to mount local volume: ${what}: ${failure}`, {
        hint: hintFor(mount, failure),
      })
    },
    // At once, whoever still has a file open there: a server that is gone must not hold us.
    unmount: (target) => mounts.unmount(target, { lazy: true }),
  }
}

async function runMount(args: readonly string[]): Promise<string | undefined> {
  const options = { timeout: MOUNT_TIMEOUT_MS, killSignal: 'SIGKILL' as const, env: { PATH: process.env['PATH'], LC_ALL: 'C' } }
  return await new Promise((resolve) => {
    execFile('mount', [...args], options, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined)
      if (error.killed === true) return resolve(`no answer within ${MOUNT_TIMEOUT_MS / 1000} s`)
      // Its second line only says where to read on.
      resolve(stderr.split('\n')[0]?.replace(/^mount: /, '') || messageOf(error))
    })
  })
}

function hintFor({ type, device }: LocalMount, failure: string): string {
  if (/unknown filesystem type|helper program|bad option/.test(failure) && /^(?:nfs|cifs|smb)/.test(type))
    return `The host cannot mount ${type}: install ${type.startsWith('nfs') ? 'nfs-common' : 'cifs-utils'}, and see that the kernel has it.`
  if (/unknown filesystem type/.test(failure)) return `The kernel does not know file systems of type ${type}.`
  if (/special device .* does not exist/.test(failure)) return `Make ${device} on the host first.`
  return 'The options are those of mount(8): see that the same mount works on the host.'
}
