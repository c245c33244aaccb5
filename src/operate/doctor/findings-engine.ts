import type { HostFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { ok, problem, warning } from './make.ts'
import { compareVersions } from './read-facts.ts'

/** Holes of crun that matter to whoever runs images of others, with the release that closed each. */
const CRUN_HOLES = [
  {
    cve: 'CVE-2026-47766',
    fixedIn: '1.28',
    hole: 'a /dev that is a symbolic link in the image is followed to the host when devices are made',
    answer: 'The daemon starts nothing from an image whose /dev, /proc, /sys or /etc is not a directory, which closes this way.',
  },
  {
    cve: 'CVE-2026-30892',
    fixedIn: '1.27',
    hole: 'a user given to exec can be read as another one',
    answer: 'The daemon finds users in the image itself and gives crun numbers, which closes this way.',
  },
] as const

const PACKAGES: Readonly<Record<string, string>> = {
  nft: 'nftables',
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
}

export function engineFindings(facts: HostFacts): readonly Finding[] {
  return [...programs(facts), ...crun(facts), ...driver(facts)]
}

function programs({ missingPrograms }: HostFacts): readonly Finding[] {
  if (missingPrograms.length === 0) return [ok('host.programs', 'All programs that the daemon uses are installed.')]
  const packages = [...new Set(missingPrograms.map((name) => PACKAGES[name] ?? name))]
  return [
    problem(
      'host.programs',
      `Not installed: ${missingPrograms.join(', ')}.`,
      'The daemon uses them to start containers, route traffic and make base images.',
      `\`glovebox up\` installs them, or: apt-get install ${packages.join(' ')}`,
    ),
  ]
}

function crun({ crunVersion }: HostFacts): readonly Finding[] {
  if (crunVersion === null) return []
  const open = CRUN_HOLES.filter(({ fixedIn }) => compareVersions(crunVersion, fixedIn) < 0)
  if (open.length === 0) return [ok('crun.version', `crun ${crunVersion}, without known holes.`)]
  return open.map(({ cve, fixedIn, hole, answer }) =>
    warning(
      `crun.${cve.toLowerCase()}`,
      `crun ${crunVersion} is older than ${fixedIn} and may have ${cve}: ${hole}.`,
      `${answer} Distributions may have fixed it under the old number.`,
      `Install crun ${fixedIn} or newer where you run images of people you do not trust.`,
    ),
  )
}

function driver({ snapshotDriver }: HostFacts): readonly Finding[] {
  return snapshotDriver === null
    ? []
    : [ok('engine.snapshots', `Snapshot driver: ${snapshotDriver.name}. ${snapshotDriver.reason}`)]
}
