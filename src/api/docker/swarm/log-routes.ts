import { startStream, write } from '#api/http'
import { isAtLeast, type TaskRecord } from '#cluster/model'
import type { LogEntry } from '#engine/containers'

import type { Call } from '../call.ts'
import { dockerError } from '../errors.ts'
import { streamType } from '../hijack.ts'
import { idOf } from '../routes/ids.ts'
import { tailOf } from '../routes/containers-logs.ts'
import { framed } from '../stream-frame.ts'
import { readTimestampNs } from '../timestamps.ts'
import { wantedService } from './service-routes.ts'
import { asManager, type SwarmContext } from './surroundings.ts'

/** GET /services/{id}/logs: of all of its tasks, and with `follow` of those to come. */
export const streamServiceLogs = asManager(async (call, context) => {
  const { record } = await wantedService(idOf(call), context.swarm.services)
  const tasks = await context.swarm.services.tasks({ service: record.id })
  const newer = (task: TaskRecord) => task.serviceId === record.id
  await streamTasks(
    call,
    tasks.map((task) => task.record),
    newer,
    context,
  )
})

/** GET /tasks/{id}/logs. */
export const streamTaskLogs = asManager(async (call, context) => {
  const { record } = await context.swarm.services.task(idOf(call))
  await streamTasks(call, [record], (task) => task.id === record.id, context)
})

async function streamTasks(
  call: Call,
  tasks: readonly TaskRecord[],
  isOne: (task: TaskRecord) => boolean,
  context: SwarmContext,
): Promise<void> {
  const { query, response, minor, signal } = call
  const stdout = query.bool('stdout')
  const stderr = query.bool('stderr')
  if (!stdout && !stderr) throw dockerError('docker.parameter_missing', 'Bad parameters: you must choose at least one stream')
  const follow = query.bool('follow')
  const nowNs = context.clock.nowNs()
  const sinceNs = readTimestampNs(query.text('since'), 'since', nowNs)
  const tail = tailOf(query.text('tail'))
  const isRaw = await hasTty(tasks[0], context)
  startStream(response, streamType(minor, isRaw))
  const begun = new Map<string, Promise<void>>()
  const begin = (task: TaskRecord): void => {
    const { containerId } = task.status
    // Before its process runs there is nothing to follow, and a reader would take that for the end.
    if (containerId === null || begun.has(task.id) || !isAtLeast(task.status.state, 'running')) return
    begun.set(
      task.id,
      copy(task, containerId).catch((error: unknown) => {
        if (!signal.aborted) context.log.warn('the log of a task ended early', { task: task.id, error: String(error) })
      }),
    )
  }
  async function copy(task: TaskRecord, containerId: string): Promise<void> {
    if (!context.engine.containers.list().some(({ id }) => id === containerId)) return
    const options = { stdout, stderr, follow, sinceNs, untilNs: null, tail, signal }
    for await (const entry of context.engine.containers.logs(containerId, options)) {
      const line = lineOf(entry, task, { timestamps: query.bool('timestamps'), details: query.bool('details') })
      if (!(await write(response, isRaw ? line : framed(entry.stream, line), signal))) return
    }
  }
  for (const task of tasks.toReversed()) begin(task)
  if (follow)
    try {
      for await (const event of context.swarm.services.watch(signal))
        if (event.kind === 'task' && event.record !== null && isOne(event.record)) begin(event.record)
        else if (event.kind === 'service' && event.record === null && event.id === tasks[0]?.serviceId) break
    } catch (error) {
      if (!signal.aborted) throw error
    }
  await Promise.all(begun.values())
  response.end()
}

async function hasTty(task: TaskRecord | undefined, { swarm }: SwarmContext): Promise<boolean> {
  if (task === undefined) return false
  const revisions = await swarm.services.revisions(task.serviceId).catch(() => [])
  return revisions.find(({ number }) => number === task.revision)?.spec.task.hasTty === true
}

/** With details clients read from each line whose it is. */
function lineOf(
  entry: LogEntry,
  task: TaskRecord,
  { timestamps, details }: { readonly timestamps: boolean; readonly details: boolean },
): Buffer {
  const whose = `com.docker.swarm.node.id=${task.nodeId ?? ''},com.docker.swarm.service.id=${task.serviceId},com.docker.swarm.task.id=${task.id}`
  const prefix = `${timestamps ? `${entry.time} ` : ''}${details ? `${whose} ` : ''}`
  return prefix === '' ? entry.line : Buffer.concat([Buffer.from(prefix), entry.line])
}
