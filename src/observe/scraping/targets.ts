/** A container that runs, as far as it matters here. */
export interface Candidate {
  readonly containerId: string
  /** By which its series are told apart: `container`, `stack`, `service`, `task`. */
  readonly names: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** `8080/tcp` */
  readonly exposedPorts: readonly string[]
}

/** Where a container tells of itself. */
export interface ScrapeTarget {
  readonly containerId: string
  readonly names: Readonly<Record<string, string>>
  readonly port: number
  readonly path: string
}

export interface RefusedTarget {
  readonly containerId: string
  readonly names: Readonly<Record<string, string>>
  /** For people. */
  readonly reason: string
}

/** As those who scrape pods name them; `x-glovebox: metrics:` of a Compose file becomes these. */
export const SCRAPE_LABELS = {
  isWanted: 'prometheus.io/scrape',
  port: 'prometheus.io/port',
  path: 'prometheus.io/path',
  scheme: 'prometheus.io/scheme',
} as const

/** Containers that are asked; each is a connection and a text of some kilobytes. */
export const MAX_TARGETS = 1000

const MAX_PATH_CHARS = 1024
const PATH = /^\/[\x21-\x7e]*$/
const DEFAULT_PATH = '/metrics'

/** Who wants to be asked, and who cannot be. Pure. */
export function planTargets(candidates: readonly Candidate[]): {
  readonly targets: readonly ScrapeTarget[]
  readonly refused: readonly RefusedTarget[]
} {
  const targets: ScrapeTarget[] = []
  const refused: RefusedTarget[] = []
  for (const candidate of candidates) {
    if (candidate.labels[SCRAPE_LABELS.isWanted] !== 'true') continue
    const { containerId, names } = candidate
    const read = targets.length < MAX_TARGETS ? placeOf(candidate) : `more than ${MAX_TARGETS} containers want to be asked`
    if (typeof read === 'string') refused.push({ containerId, names, reason: read })
    else targets.push({ containerId, names, ...read })
  }
  return { targets, refused }
}

function placeOf({ labels, exposedPorts }: Candidate): Pick<ScrapeTarget, 'port' | 'path'> | string {
  const scheme = labels[SCRAPE_LABELS.scheme] ?? 'http'
  if (scheme !== 'http') return `${SCRAPE_LABELS.scheme}=${scheme}: inside the machine metrics are asked for over http alone`
  const path = labels[SCRAPE_LABELS.path] ?? DEFAULT_PATH
  if (!PATH.test(path) || path.length > MAX_PATH_CHARS) return `${SCRAPE_LABELS.path}=${path.slice(0, 60)} is no path`
  const said = labels[SCRAPE_LABELS.port]
  if (said === undefined) {
    const exposed = exposedPorts.filter((port) => port.endsWith('/tcp')).map((port) => Number(port.slice(0, -4)))
    const [only, ...others] = exposed
    if (only === undefined || others.length > 0)
      return `${SCRAPE_LABELS.port} is missing, and the container exposes ${exposed.length === 0 ? 'no port' : `${exposed.length} ports`}`
    return { port: only, path }
  }
  const port = Number(said)
  return Number.isInteger(port) && port > 0 && port <= 65_535 && /^\d+$/.test(said)
    ? { port, path }
    : `${SCRAPE_LABELS.port}=${said} is no port`
}
