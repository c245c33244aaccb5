/** Traffic from ports of the host to tasks. One HAProxy for all routes of this daemon; it goes on when the daemon is gone. */
export interface Router extends AsyncDisposable {
  /** The full list of what is wanted. Serves what it can; the others are in the answer, each with the reason. Idempotent. */
  apply(routes: readonly Route[]): Promise<readonly RouteFailure[]>
  /** Open connections by backend id. */
  connections(): Promise<ReadonlyMap<string, number>>
  /** A TCP port that nobody listens on at this moment. */
  freePort(hostIp: string): Promise<number>
  status(): Promise<RouterStatus>
  /** Finds the proxy that an earlier daemon left behind, and watches over it. True: there was one. */
  recover(): Promise<boolean>
  /** Ends the proxy and removes its files. */
  stop(): Promise<void>
}

export interface Route {
  readonly id: string
  /** Empty: every address of the host. */
  readonly hostIp: string
  readonly hostPort: number
  /** `http`: requests that are safe to repeat are repeated on another backend. */
  readonly mode: 'tcp' | 'http'
  readonly backends: readonly Backend[]
}

export interface Backend {
  /** Letters, digits and `_.-`. */
  readonly id: string
  readonly address: string
  readonly port: number
  /** `draining`: keeps its connections and gets no new ones. */
  readonly state: 'ready' | 'draining'
}

export interface RouteFailure {
  readonly id: string
  readonly reason: string
}

export interface RouterStatus {
  readonly isRunning: boolean
  /** Of the master process; null when not running. */
  readonly pid: number | null
  readonly servers: readonly ProxyServer[]
}

/** A backend as HAProxy sees it. */
export interface ProxyServer {
  /** Name of its section. */
  readonly section: string
  readonly id: string
  readonly address: string
  readonly port: number
  readonly state: 'ready' | 'draining' | 'maintenance'
  /** The last connection attempt to it succeeded. */
  readonly isUp: boolean
  readonly connections: number
}

/** Processes that live longer than the daemon. */
export interface ProcessPort {
  /** Starts a process in its own session, its output appended to `logPath`. Gives back its pid. Errors: as Node's spawn. */
  spawn(command: string, args: readonly string[], logPath: string): Promise<number>
  /** Whether the pid lives and has `mark` among its arguments: pids are used again. */
  isAlive(pid: number, mark: string): boolean
  /** Gone already: fine. */
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGUSR2'): void
}
