import type { ContainerStatus } from '#engine/containers'

import { humanDuration } from './times.ts'

/** The STATUS column of `docker ps`: `Up 3 seconds (healthy)`, `Exited (137) 2 minutes ago`. */
export function statusText(status: ContainerStatus, nowMs: number): string {
  const since = (time: string) => humanDuration(Math.max(0, nowMs - Date.parse(time)))
  switch (status.state) {
    case 'running':
      return `Up ${since(status.startedAt)}${status.health === null ? '' : ` (${healthText(status.health.status)})`}`
    case 'paused':
      return `Up ${since(status.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${status.exitCode}) ${since(status.finishedAt)} ago`
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
    case 'exited':
      return status.finishedAt === '' ? '' : `Exited (${status.exitCode}) ${since(status.finishedAt)} ago`
  }
}

function healthText(status: string): string {
  return status === 'starting' ? 'health: starting' : status
}
