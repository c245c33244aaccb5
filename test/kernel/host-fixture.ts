import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

import { linuxHost } from '#host'
import type { Host } from '#host'

export interface HostFixture {
  readonly host: Host
  /** An empty directory of this file's own. */
  readonly root: string
  /** Six digits for names of kernel objects. */
  readonly suffix: string
  /** Runs at the end, last in first out, whatever the tests did. */
  defer(undo: () => void | Promise<void>): void
}

/** The real host with a root that is unmounted and removed when the file's tests are through. */
export function hostFixture(): HostFixture {
  const suffix = randomBytes(3).toString('hex')
  const root = mkdtempSync(join(tmpdir(), `glovebox-${suffix}-`))
  const host = linuxHost({ cgroupPath: `/glovebox-own-${suffix}` })
  const undo: (() => void | Promise<void>)[] = []
  after(async () => {
    for (const step of undo.toReversed()) await step()
    for (const { target } of host.mounts.list(root).toReversed()) host.mounts.unmount(target, { lazy: true })
    host[Symbol.dispose]()
    rmSync(root, { recursive: true, force: true })
  })
  return { host, root, suffix, defer: (step) => void undo.push(step) }
}
