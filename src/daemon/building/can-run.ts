import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { hostPlatform, type Platform } from '#oci/image'

/** Where the kernel lists interpreters of foreign programs (binfmt_misc). */
const FORMATS = '/proc/sys/fs/binfmt_misc'

/** Processors that run programs of another one by themselves. */
const NATIVE: Readonly<Record<string, readonly string[]>> = { amd64: ['386'] }

/** As QEMU names them, where it differs. */
const EMULATORS: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  386: 'i386',
  loong64: 'loongarch64',
}

/**
 * Whether programs for a platform run here: by the processor, or by an emulator that the kernel starts for them. It has to be opened when it
 * is registered (flag F), since no container has it. Asked each time: emulators come and go while the daemon runs.
 */
export function canRun(platform: Platform, formats: string = FORMATS): boolean {
  const host = hostPlatform()
  if (platform.os !== host.os) return false
  if (platform.architecture === host.architecture) return true
  if (NATIVE[host.architecture]?.includes(platform.architecture) === true) return true
  const emulator = EMULATORS[platform.architecture] ?? platform.architecture
  return interpreters(formats).some(({ path, flags }) => flags.includes('F') && path.includes(`qemu-${emulator}`))
}

function interpreters(directory: string): readonly { readonly path: string; readonly flags: string }[] {
  try {
    const names = readdirSync(directory).filter((name) => name !== 'register' && name !== 'status')
    return names.flatMap((name) => {
      const text = readFileSync(join(directory, name), 'utf8')
      const path = /^interpreter (.+)$/m.exec(text)?.[1]
      const flags = /^flags: (.*)$/m.exec(text)?.[1] ?? ''
      return text.startsWith('enabled') && path !== undefined ? [{ path, flags }] : []
    })
  } catch {
    // Not mounted: there are none.
    return []
  }
}
