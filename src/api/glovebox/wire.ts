/** The body of every refusal. `message` alone is what the Docker API has; the rest is ours. */
export interface WireError {
  readonly message: string
  readonly code?: string
  readonly kind?: string
  readonly hint?: string
}

/** One line of `POST /glovebox/v1/images/bootstrap`. The last line carries `imageId` or `error`. */
export interface BootstrapProgress {
  readonly status: string
  /** Where the total is known. */
  readonly current?: number
  readonly total?: number
  readonly imageId?: string
  readonly error?: WireError
}

/** A process of a container, as the host sees it. */
export interface ContainerProcess {
  readonly containerId: string
  readonly containerName: string
  readonly pid: number
  readonly insidePid: number
  readonly parentPid: number
  readonly user: string
  /** Since it started; the reader makes percentages out of two readings. */
  readonly cpuSeconds: number
  readonly rssBytes: number
  readonly startedAtMs: number
  readonly command: string
}

/** Body of `POST /glovebox/v1/shutdown`. */
export interface Shutdown {
  /** False leaves containers running for the next daemon to adopt. */
  readonly stopContainers: boolean
}

/** Its answer, given before the daemon leaves. */
export interface ShutdownReport {
  /** Process id of the daemon, for the client to wait for. */
  readonly pid: number
  readonly stoppedContainers: number
  /** What could not be taken down, in words. */
  readonly leftovers: readonly string[]
}
