import { UNLIMITED, type RuntimeProcess, type RuntimeRlimit } from '#oci/runtime-spec'

import { containerCapabilities, processCapabilities } from './capabilities.ts'
import { specError } from './errors.ts'
import type { ProcessInput, SecurityInput, SpecHostFacts } from './input.ts'

/** The `process` object of a container, and all that an exec needs. */
export function processSpec(process: ProcessInput, security: SecurityInput, host: SpecHostFacts): RuntimeProcess {
  if (process.args.length === 0)
    throw specError('spec.invalid', 'no command is given', { hint: 'Name a command, or use an image that has one.' })
  const { uid, gid, additionalGids } = process.user
  const rlimits = process.ulimits.flatMap((ulimit) => rlimitOf(ulimit, host))
  const oomScoreAdj = clampOomScore(process.oomScoreAdj, host)
  return {
    terminal: process.isTty,
    ...(process.isTty && process.consoleSize !== null
      ? { consoleSize: { height: process.consoleSize[0], width: process.consoleSize[1] } }
      : {}),
    user: { uid, gid, ...(additionalGids.length === 0 ? {} : { additionalGids }) },
    args: process.args,
    env: process.env,
    cwd: process.cwd === '' ? '/' : process.cwd,
    capabilities: processCapabilities(containerCapabilities(security, host.capabilities), uid),
    ...(rlimits.length === 0 ? {} : { rlimits }),
    ...(security.isNoNewPrivileges ? { noNewPrivileges: true } : {}),
    ...(security.apparmor === undefined || host.hasAppArmor !== true ? {} : { apparmorProfile: security.apparmor }),
    oomScoreAdj,
  }
}

const RLIMITS = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

/** Nobody can be given more than the daemon has, unless the daemon may raise its own. */
function rlimitOf(ulimit: ProcessInput['ulimits'][number], host: SpecHostFacts): readonly RuntimeRlimit[] {
  const name = ulimit.name.toLowerCase()
  if (!RLIMITS.has(name)) throw specError('spec.invalid', `unknown ulimit ${JSON.stringify(ulimit.name)}`)
  const wanted = { soft: limitOf(ulimit.soft), hard: limitOf(ulimit.hard) }
  if (wanted.soft > wanted.hard)
    throw specError('spec.invalid', `ulimit ${name}: the soft limit ${ulimit.soft} is above the hard limit ${ulimit.hard}`)
  const ceiling = host.capabilities.includes('CAP_SYS_RESOURCE') ? Infinity : (host.rlimits[name]?.hard ?? Infinity)
  const hard = Math.min(wanted.hard, ceiling)
  return [{ type: `RLIMIT_${name.toUpperCase()}`, soft: encodeLimit(Math.min(wanted.soft, hard)), hard: encodeLimit(hard) }]
}

function limitOf(value: number): number {
  return value < 0 ? Infinity : value
}

function encodeLimit(value: number): number | bigint {
  return value === Infinity ? UNLIMITED : value
}

const OOM_SCORE_MIN = -1000
const OOM_SCORE_MAX = 1000

/** Lowering the score below one's own takes CAP_SYS_RESOURCE. */
function clampOomScore(wanted: number, host: SpecHostFacts): number {
  if (wanted < OOM_SCORE_MIN || wanted > OOM_SCORE_MAX)
    throw specError('spec.invalid', `OOM score ${wanted} is not between ${OOM_SCORE_MIN} and ${OOM_SCORE_MAX}`)
  return host.capabilities.includes('CAP_SYS_RESOURCE') ? wanted : Math.max(wanted, host.oomScoreAdj ?? 0)
}
