import { rmSync } from 'node:fs'

import { messageOf } from '#base'

import type { Context } from './context.ts'
import { findExecs, type FoundExec } from './exec-records.ts'
import { UNSEEN_EXEC_EXIT, type ExecTable } from './exec-table.ts'
import { endLostProcess } from './lost-exec.ts'

/** Takes over what execs a former daemon has started in a container: those that run go on, of those that have ended the exit code is known. */
export async function adoptExecs(context: Context, table: ExecTable, containerId: string): Promise<void> {
  for (const found of findExecs(context, containerId)) {
    try {
      await adoptExec(context, table, found)
    } catch (error) {
      context.log.warn('look for the process of an exec', { container: containerId, error: messageOf(error) })
    }
  }
}

async function adoptExec(context: Context, table: ExecTable, { dir, record, isTold }: FoundExec): Promise<void> {
  const adopted = await context.runtime.adopt(dir)
  if (adopted.kind === 'lost') endLostProcess(context, adopted.state)
  // One that was prepared and never started went with the daemon that wanted it.
  if (record === undefined || (record.state === 'created' && adopted.kind === 'lost')) {
    const forget = () => rmSync(dir, { recursive: true, force: true })
    if (adopted.kind === 'running') return void adopted.process.exited.then(forget, forget)
    return forget()
  }
  const exec = table.add(record)
  if (adopted.kind === 'running') return table.follow(exec, adopted.process)
  const end = adopted.kind === 'exited' ? adopted.record : undefined
  exec.record = { ...record, pid: end?.pid ?? record.pid }
  table.end(exec, end?.exitCode ?? UNSEEN_EXEC_EXIT, isTold)
}
