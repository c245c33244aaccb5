import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { silentLog, systemClock } from '#base'
import { createContent } from '#engine/content'
import { createImages, type Images } from '#engine/images'
import { createSnapshots, type LayerKind, type Snapshots } from '#engine/snapshots'
import { openStore } from '#engine/store'
import { linuxHost, type Host } from '#host'

/** Images on the real disk, kernel and store. */
export interface RealImages extends Disposable {
  readonly root: string
  readonly images: Images
  readonly snapshots: Snapshots
  readonly host: Host
}

export function temporaryRoot(): string {
  return mkdtempSync(join(tmpdir(), 'gb-images-'))
}

/** Removes what it made, the root included, unless that was given. */
export async function realImages(givenRoot?: string, kind: LayerKind = 'erofs'): Promise<RealImages> {
  const root = givenRoot ?? temporaryRoot()
  const host = linuxHost()
  const store = openStore(join(root, 'records.db'))
  const snapshots = createSnapshots({ root: join(root, 's'), host, log: silentLog(), kind })
  const content = createContent({ root })
  const images = createImages({
    root,
    records: store,
    content,
    snapshots,
    events: { publish: () => undefined },
    clock: systemClock(),
    log: silentLog(),
    isInUse: () => [],
  })
  await snapshots.recover()
  await images.recover()
  return {
    root,
    images,
    snapshots,
    host,
    [Symbol.dispose]: () => {
      for (const { target } of host.mounts.list().toReversed())
        if (target.startsWith(`${root}/`)) host.mounts.unmount(target, { lazy: true })
      store[Symbol.dispose]()
      host[Symbol.dispose]()
      if (givenRoot === undefined) rmSync(root, { recursive: true, force: true })
    },
  }
}
