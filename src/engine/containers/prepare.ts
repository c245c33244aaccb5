import { mkdirSync, rmSync } from 'node:fs'

import type { Digest } from '#base'
import type { RuntimeSpec } from '#oci/runtime-spec'

import type { Context } from './context.ts'
import { joinNetworks, type JoinedNetwork } from './networking.ts'
import { runDirOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { mountRoot } from './root.ts'
import { runtimeSpec } from './runtime-input.ts'

export interface Prepared {
  /** The shim's directory and the bundle. */
  readonly dir: string
  readonly rootfs: string
  readonly network: JoinedNetwork
  readonly spec: RuntimeSpec
}

/** All that has to be there before the OCI runtime is called. The stack undoes what was done if a later step fails. */
export async function prepare(
  context: Context,
  record: ContainerRecord,
  layers: readonly Digest[],
  undo: AsyncDisposableStack,
): Promise<Prepared> {
  const dir = runDirOf(context, record.id)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true, mode: 0o711 })
  undo.defer(() => rmSync(dir, { recursive: true, force: true }))
  const root = mountRoot(context, record.id, layers, undo)
  const network = await joinNetworks(context, record, undo)
  return { dir, rootfs: root.path, network, spec: runtimeSpec(context, record, { rootfs: root.path, network }) }
}
