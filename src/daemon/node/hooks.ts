import { type Clock, messageOf } from '#base'
import type { HookSpec, HooksSpec } from '#cluster/spec'
import type { ContainersService } from '#engine/containers'

import { daemonError } from '../errors.ts'

/** Where a container keeps its hooks, so that they are known to whichever daemon starts and stops it. */
const ANNOTATION = 'io.glovebox.hooks'

/** A hook that prepares something may take its time; one that never ends holds the task up for ever. */
const MAX_START_MS = 600_000
/** The beginning of the output is what a failure is told with. */
const MAX_OUTPUT_BYTES = 4096
const POLL_MS = 20

export function hookAnnotations(hooks: HooksSpec | undefined): Readonly<Record<string, string>> {
  return hooks === undefined ? {} : { [ANNOTATION]: JSON.stringify(hooks) }
}

function hooksOf(annotations: Readonly<Record<string, string>>): HooksSpec {
  const text = annotations[ANNOTATION]
  return text === undefined ? { postStart: [], preStop: [] } : (JSON.parse(text) as HooksSpec)
}

type Containers = Pick<ContainersService, 'get' | 'exec' | 'stop'>

/** After a start. A hook that fails ends the container. Errors: `node.hook_failed`. */
export async function runPostStart(containers: Containers, id: string, clock: Clock): Promise<void> {
  for (const hook of hooksOf(containers.get(id).spec.annotations).postStart)
    try {
      await runHook(containers, id, hook, clock, MAX_START_MS)
    } catch (error) {
      await containers.stop(id, { signal: null, timeoutS: null })
      throw error
    }
}

/** Before a stop, within the time that the container has for its end. What fails is told to `complain`, and the end goes on. */
export async function runPreStop(
  containers: Containers,
  id: string,
  clock: Clock,
  complain: (message: string) => void,
): Promise<void> {
  const { spec, status } = containers.get(id)
  const { preStop } = hooksOf(spec.annotations)
  if (preStop.length === 0 || status.state !== 'running') return
  const endMs = clock.monotonicMs() + spec.stopTimeoutS * 1000
  try {
    for (const hook of preStop) await runHook(containers, id, hook, clock, endMs - clock.monotonicMs())
  } catch (error) {
    complain(messageOf(error))
  }
}

/** A command in a container that runs, to its end. Errors: `node.hook_failed`. */
export async function runHook(
  containers: Pick<ContainersService, 'get' | 'exec'>,
  id: string,
  hook: HookSpec,
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  const { process } = containers.get(id).spec
  const own = Object.entries(hook.environment).map(([name, value]) => `${name}=${value}`)
  const exec = await containers.exec.create(id, {
    cmd: hook.command,
    env: own,
    workingDir: hook.workingDir ?? process.workingDir,
    user: hook.user ?? process.user,
    hasTty: false,
    isPrivileged: hook.isPrivileged,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
  })
  const stream = await containers.exec.start(exec, { detach: false, hasTty: false, consoleSize: null })
  const output: Buffer[] = []
  stream?.output.on('data', (chunk: Buffer) => {
    if (output.reduce((sum, part) => sum + part.length, 0) < MAX_OUTPUT_BYTES) output.push(chunk)
  })
  const startedMs = clock.monotonicMs()
  try {
    for (;;) {
      const { state, exitCode } = containers.exec.get(exec)
      if (state === 'exited' && exitCode === 0) return
      if (state === 'exited') throw failed(hook, `ended with ${exitCode ?? 'a signal'}`, output)
      if (clock.monotonicMs() - startedMs >= timeoutMs)
        throw failed(hook, `did not end within ${Math.round(timeoutMs)} ms`, output)
      await clock.sleep(POLL_MS)
    }
  } finally {
    stream?.close()
  }
}

function failed({ command }: HookSpec, what: string, output: readonly Buffer[]): Error {
  const said = textOf(Buffer.concat(output)).trim().slice(0, MAX_OUTPUT_BYTES)
  return daemonError('node.hook_failed', `hook ${command.join(' ')} ${what}${said === '' ? '' : `: ${said}`}`)
}

/** Docker's stream frames: eight bytes, the last four the length of what follows. */
function textOf(frames: Buffer): string {
  const parts: Buffer[] = []
  for (let at = 0; at + 8 <= frames.length;) {
    const length = frames.readUInt32BE(at + 4)
    parts.push(frames.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(parts).toString('utf8')
}
