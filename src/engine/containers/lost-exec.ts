import { messageOf } from '#base'
import type { StateRecord } from '#engine/runtime'

import type { Context } from './context.ts'
import { SIGKILL } from './stop.ts'

/** The shim of an exec was killed: the process has no streams any more and nobody would learn of its end, so it ends as well. */
export async function endLost(context: Context, dir: string): Promise<void> {
  try {
    const adopted = await context.runtime.adopt(dir)
    if (adopted.kind === 'lost') endLostProcess(context, adopted.state)
  } catch (error) {
    context.log.warn('look for the process of an exec', { dir, error: messageOf(error) })
  }
}

/** By pid and start time, since the pid may be another process's by now. */
export function endLostProcess(context: Context, state: StateRecord | undefined): void {
  if (state !== undefined) context.host.processes.signal({ pid: state.pid, startTicks: state.startTicks }, SIGKILL)
}
