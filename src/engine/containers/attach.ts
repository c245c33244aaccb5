import { GloveboxError } from '#base'
import type { RunningProcess, ShimConnection } from '#engine/runtime'
import { readLog } from '#engine/logs'

import { createSession, type AttachSession } from './attach-session.ts'
import type { Context } from './context.ts'
import { publish } from './create.ts'
import { parseDetachKeys } from './detach-keys.ts'
import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import { logPathOf } from './paths.ts'
import type { AttachOptions, AttachStream } from './port.ts'

/** Attaches to the process that runs, or to the one that is about to be started. */
export async function attachContainer(context: Context, live: LiveContainer, options: AttachOptions): Promise<AttachStream> {
  const { spec, status } = live.record
  if (status.state === 'paused')
    throw containerError('container.paused', `Container ${live.record.id} is paused, unpause it before attaching`)
  const { hasTty } = spec.process
  const session: AttachSession = createSession({
    hasStdin: options.stdin && options.stream && spec.process.hasStdin,
    wantsStdout: options.stdout,
    wantsStderr: options.stderr,
    hasTty,
    closesStdin: spec.process.isStdinOnce && !hasTty,
    detachKeys: hasTty && options.stdin ? parseDetachKeys(options.detachKeys) : null,
    onClose: () => live.waitingSessions.delete(session),
    onDetach: () => publish(context, live.record, 'detach'),
  })
  publish(context, live.record, 'attach')
  if (options.logs) await replay(context, live, options, session)
  if (!options.stream) session.end()
  else if (live.process === null) live.waitingSessions.add(session)
  else await joinRunning(session, live.process, options)
  return session
}

/** One that has just ended, which has not been told yet, has no more to say. */
async function joinRunning(session: AttachSession, process: RunningProcess, { stdout, stderr }: AttachOptions): Promise<void> {
  try {
    join(session, await process.attach({ stdout, stderr }))
  } catch (error) {
    if (!(error instanceof GloveboxError && error.code === 'runtime.not_running')) throw error
    session.end()
  }
}

/** A later attachment has a connection of its own: a reader that is slow holds back nobody else's. */
function join(session: AttachSession, connection: ShimConnection): void {
  session.output.once('close', () => connection.close())
  session.bind(connection)
}

async function replay(context: Context, live: LiveContainer, options: AttachOptions, session: AttachSession): Promise<void> {
  const source = { path: logPathOf(context, live.record.id), isLive: () => false }
  const all = { stdout: options.stdout, stderr: options.stderr, follow: false, sinceNs: null, untilNs: null, tail: null }
  for await (const entry of readLog(source, all, context.clock)) {
    session.replay(entry.stream, entry.line)
  }
}
