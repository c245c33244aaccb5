import assert from 'node:assert/strict'

import { fakeMachine, streamOf, tarOf } from '../../src/engine/builder/fake-ports.ts'
import { createBuilder, receiveContext, type BuildEvent } from '../../src/engine/builder/index.ts'
import type { Row } from './row.ts'

/** Builds what a row shows, on a machine in memory: parser, planner, cache and layers are the real ones, commands are not run. */
export async function tryRow(row: Row): Promise<void> {
  using machine = fakeMachine(row.command)
  await machine.addImage('base', { etc: null, 'etc/passwd': 'root:x:0:0::/:\nweb:x:101:102::/:\n', 'etc/group': 'staff:x:50:\n' })
  for (const [name, { files = {}, config = {} }] of Object.entries(row.bases ?? {})) await machine.addImage(name, files, config)
  for (const [url, page] of Object.entries(row.pages ?? {})) machine.remote.pages.set(url, page)
  for (const [remote, refs] of Object.entries(row.repositories ?? {})) machine.remote.repositories.set(remote, refs)
  const events: BuildEvent[] = []
  const build = async () => {
    await using context = await receiveContext(streamOf(await tarOf({ Dockerfile: row.dockerfile, ...row.files })), machine.ports)
    return await createBuilder(machine.ports).run({ context, ...row.options }, (event) => events.push(event))
  }
  if (row.error !== undefined) {
    const { code, says = /./ } = row.error
    await assert.rejects(build(), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message)
      assert.match(error.message, says)
      return true
    })
    return
  }
  const { imageId } = await build()
  const image = machine.image(imageId)
  await row.expect?.({
    image,
    config: image.config,
    files: await machine.files(image.diffIds),
    runs: machine.runs,
    events,
    warnings: events.flatMap((event) => (event.kind === 'warning' ? [`${event.check ?? ''}:${event.place.line}`] : [])),
    entry: async (path) => await machine.entry(image.diffIds, path),
  })
}
