import type { StackService, StackSummary } from '#api/glovebox'
import type { LiveContainer, LiveService, LiveTask } from '#dashboard/wire'

import type { Tone } from '../parts/badge.tsx'

export interface Shown {
  readonly tone: Tone
  readonly text: string
}

export function containerShown({ state, health, exitCode, isOomKilled }: LiveContainer): Shown {
  switch (state) {
    case 'running':
      if (health === 'unhealthy') return { tone: 'bad', text: 'unhealthy' }
      if (health === 'starting') return { tone: 'busy', text: 'starting' }
      return { tone: 'good', text: health === 'healthy' ? 'healthy' : 'running' }
    case 'restarting':
      return { tone: 'warn', text: 'restarting' }
    case 'paused':
      return { tone: 'idle', text: 'paused' }
    case 'removing':
      return { tone: 'busy', text: 'removing' }
    case 'dead':
      return { tone: 'bad', text: 'dead' }
    case 'created':
      return { tone: 'idle', text: 'created' }
    case 'exited':
      if (isOomKilled) return { tone: 'bad', text: 'out of memory' }
      return { tone: exitCode === 0 ? 'idle' : 'warn', text: `exited (${exitCode})` }
  }
}

const STACK: Readonly<Record<StackSummary['state'], Tone>> = {
  ready: 'good',
  converging: 'busy',
  failed: 'bad',
  removing: 'busy',
}

export function stackShown(state: StackSummary['state']): Shown {
  return { tone: STACK[state], text: state }
}

const STACK_SERVICE: Readonly<Record<StackService['state'], Tone>> = {
  ready: 'good',
  done: 'idle',
  starting: 'busy',
  waiting: 'busy',
  failed: 'bad',
}

export function stackServiceShown(state: StackService['state']): Shown {
  return { tone: STACK_SERVICE[state], text: state }
}

export function serviceShown(service: LiveService): Shown {
  const { state, rollout, waits, readyTasks, desiredTasks } = service
  if (state === 'removing') return { tone: 'busy', text: 'removing' }
  if (waits.some(({ isHopeless }) => isHopeless)) return { tone: 'bad', text: 'failing' }
  if (rollout !== null && rollout.endedAtMs === null)
    return rollout.state === 'paused' ? { tone: 'warn', text: 'rollout paused' } : { tone: 'busy', text: rollout.state }
  if (state === 'paused') return { tone: 'warn', text: 'paused' }
  return readyTasks >= desiredTasks ? { tone: 'good', text: 'ready' } : { tone: 'busy', text: 'starting' }
}

/** `shop/web` of one that belongs to an application. */
export function titleOf({ name, stack }: Pick<LiveService, 'name' | 'stack'>): string {
  return stack !== null && name.startsWith(`${stack}_`) ? `${stack}/${name.slice(stack.length + 1)}` : name
}

export function taskShown({ state, isReady, desiredState, health }: LiveTask): Shown {
  if (state === 'failed' || state === 'rejected') return { tone: 'bad', text: state }
  if (state === 'running') {
    if (health === 'unhealthy') return { tone: 'bad', text: 'unhealthy' }
    if (desiredState !== 'running') return { tone: 'busy', text: 'draining' }
    return isReady ? { tone: 'good', text: 'ready' } : { tone: 'busy', text: 'running' }
  }
  const isEnded = ['complete', 'shutdown', 'remove', 'orphaned'].includes(state)
  return { tone: isEnded ? 'idle' : 'busy', text: state }
}
