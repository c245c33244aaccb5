import { join } from 'node:path'

import type { ContainersNeeds } from './context.ts'

type Places = Pick<ContainersNeeds, 'root' | 'runDir' | 'instance'>

/** Short names below the run directory: a unix socket's path holds 108 bytes. */
export function runDirOf(places: Places, id: string): string {
  return join(places.runDir, 'c', id)
}

/** A file system in memory, with a directory for each container that has files there. */
export function memoryRoot(places: Pick<Places, 'runDir'>): string {
  return join(places.runDir, 'memory')
}

export function memoryDirOf(places: Pick<Places, 'runDir'>, id: string): string {
  return join(memoryRoot(places), id)
}

export function execDirOf(places: Places, id: string, execId: string): string {
  return join(runDirOf(places, id), 'e', execId.slice(0, 16))
}

/** Logs and identity files, kept until the container is removed. */
export function homeOf(places: Places, id: string): string {
  return join(places.root, 'containers', id)
}

export function logPathOf(places: Places, id: string): string {
  return join(homeOf(places, id), `${id}-json.log`)
}

/** Below the root of every cgroup hierarchy. */
export function cgroupPathOf(places: Places, id: string, parent: string): string {
  return parent === '' ? `/glovebox/${places.instance}/${id}` : `/${parent.replace(/^\/+|\/+$/g, '')}/${id}`
}

export function instanceCgroup(places: Places): string {
  return `/glovebox/${places.instance}`
}

/** Where the OCI runtime keeps its own state, one directory a container. */
export function runtimeStateRoot(places: Pick<Places, 'runDir'>): string {
  return join(places.runDir, 'oci')
}

export function runtimeStateOf(places: Places, id: string): string {
  return join(runtimeStateRoot(places), id)
}
