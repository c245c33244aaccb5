import { messageOf, newId, type ExecId } from '#base'
import { formatTimeNs } from '#engine/logs'

import { createSession } from './attach-session.ts'
import type { Context } from './context.ts'
import { publish } from './create.ts'
import { removeExecDir } from './exec-records.ts'
import { launch } from './exec.ts'
import { afterProbe, formatDuration, probeCommand, probeDelayMs, UNKNOWN_HEALTH, type ProbeResult } from './health-plan.ts'
import type { LiveContainer } from './live.ts'
import type { HealthSpec } from './spec.ts'
import { SIGKILL } from './stop.ts'

/** As much of a probe's output as is kept. */
const MAX_OUTPUT_BYTES = 4096
const FRAME_HEADER_BYTES = 8

/** Probes the container until it ends. The next probe is due an interval after the last one ended, so slow ones never pile up. */
export function startHealth(context: Context, live: LiveContainer): void {
  const { health: spec } = live.record.spec
  if (spec === null || live.process === null) return
  // The start period counts from the start, also for a daemon that came later.
  const ranMs = context.clock.nowMs() - Number(live.process.startedAtNs / 1_000_000n)
  const startedMs = context.clock.monotonicMs() - Math.max(0, ranMs)
  const run = { isOver: false, timer: null as Disposable | null }
  live.health = {
    [Symbol.dispose]: () => {
      run.isOver = true
      run.timer?.[Symbol.dispose]()
    },
  }
  const schedule = () => {
    const health = live.record.status.health ?? UNKNOWN_HEALTH
    run.timer = context.clock.after(probeDelayMs(spec, health, context.clock.monotonicMs() - startedMs), () => void probeOnce())
  }
  const probeOnce = async () => {
    if (live.record.status.state === 'running') {
      const result = await probe(context, live, spec)
      if (run.isOver) return
      record(context, live, spec, result, context.clock.monotonicMs() - startedMs)
    }
    if (!run.isOver) schedule()
  }
  schedule()
}

function record(context: Context, live: LiveContainer, spec: HealthSpec, result: ProbeResult, sinceStartMs: number): void {
  const before = live.record.status.health ?? UNKNOWN_HEALTH
  const health = afterProbe(spec, before, result, sinceStartMs)
  context.registry.setStatus(live, { health })
  if (health.status !== before.status) publish(context, live.record, `health_status: ${health.status}`)
}

async function probe(context: Context, live: LiveContainer, spec: HealthSpec): Promise<ProbeResult> {
  const start = formatTimeNs(context.clock.nowNs())
  const finished = (exitCode: number, output: string): ProbeResult => ({
    start,
    end: formatTimeNs(context.clock.nowNs()),
    exitCode,
    output,
  })
  try {
    const { exitCode, output } = await runProbe(context, live, spec)
    return finished(exitCode, output)
  } catch (error) {
    return finished(-1, messageOf(error))
  }
}

async function runProbe(context: Context, live: LiveContainer, spec: HealthSpec): Promise<{ exitCode: number; output: string }> {
  const session = createSession({
    hasStdin: false,
    wantsStdout: true,
    wantsStderr: true,
    hasTty: false,
    closesStdin: false,
    detachKeys: null,
    onClose: () => undefined,
  })
  const collected = collect(session.output)
  const id = newId<ExecId>(context.random)
  // Nobody can ask for it: with its end it is gone.
  using _directory = { [Symbol.dispose]: () => removeExecDir(context, live.record.id, id) }
  const process = await launch(
    context,
    live,
    {
      cmd: probeCommand(spec, live.record.spec.process.shell),
      env: [],
      workingDir: '',
      user: '',
      hasTty: false,
      isPrivileged: false,
      attachStdin: false,
      attachStdout: true,
      attachStderr: true,
      detachKeys: '',
    },
    id,
    session,
  )
  let isLate = false
  using _limit = context.clock.after(spec.timeoutMs, () => {
    isLate = true
    process.signal(SIGKILL)
  })
  const exit = await process.exited
  session.end()
  const output = await collected
  if (isLate) return { exitCode: -1, output: `Health check exceeded timeout (${formatDuration(spec.timeoutMs)}): ${output}` }
  return { exitCode: exit.exitCode, output }
}

async function collect(frames: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const frame of frames) {
    if (size < MAX_OUTPUT_BYTES) chunks.push(frame.subarray(FRAME_HEADER_BYTES))
    size += frame.length - FRAME_HEADER_BYTES
  }
  const kept = Buffer.concat(chunks).subarray(0, MAX_OUTPUT_BYTES).toString()
  return size > MAX_OUTPUT_BYTES ? `${kept}...` : kept
}
