import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { messageOf } from '#base'

import type { Context } from './context.ts'
import { execDirOf } from './paths.ts'
import { namesIn } from './sweep.ts'

/** Nobody can ask any more for execs of a former daemon, but their processes go on: their directories go when these have ended. */
export async function adoptExecs(context: Context, containerId: string): Promise<void> {
  const parent = dirname(execDirOf(context, containerId, 'any'))
  for (const name of namesIn(parent)) {
    const dir = join(parent, name)
    const forget = () => rmSync(dir, { recursive: true, force: true })
    try {
      const adopted = await context.runtime.adopt(dir)
      if (adopted.kind === 'running') void adopted.process.exited.then(forget, forget)
      else forget()
    } catch (error) {
      context.log.warn('look for the process of an exec', { container: containerId, error: messageOf(error) })
    }
  }
}
