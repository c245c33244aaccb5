import type { Place } from '#oci/dockerfile'

import { buildErrorAt } from '../errors.ts'
import { CHECK_RULES, isCheckName, type CheckName } from './rules.ts'

export interface CheckSettings {
  readonly skipped: ReadonlySet<CheckName>
  readonly experimental: ReadonlySet<CheckName>
  /** A finding fails the build. */
  readonly failsBuild: boolean
}

const ALL: ReadonlySet<CheckName> = new Set(CHECK_RULES.map(({ name }) => name))

/** Reads `skip=A,B;error=true;experimental=all`. A check that we do not know may be of a newer frontend and is passed over. */
export function checkSettings(text: string | undefined, place: Place): CheckSettings {
  const options = new Map<string, string>()
  for (const part of (text ?? '').split(';').map((one) => one.trim())) {
    if (part === '') continue
    const [, name = '', value = ''] = /^([a-z]+)\s*=\s*(.*)$/i.exec(part) ?? []
    if (!KNOWN.has(name.toLowerCase())) throw refused(place, `the option ${JSON.stringify(part)} is not known`)
    options.set(name.toLowerCase(), value.trim())
  }
  const error = options.get('error') ?? 'false'
  if (!/^(true|false|1|0)$/i.test(error)) throw refused(place, `error=${error} is neither true nor false`)
  return {
    skipped: namesOf(options.get('skip')),
    experimental: namesOf(options.get('experimental')),
    failsBuild: /^(true|1)$/i.test(error),
  }
}

const KNOWN: ReadonlySet<string> = new Set(['skip', 'error', 'experimental'])

function namesOf(list: string | undefined): ReadonlySet<CheckName> {
  const names = (list ?? '').split(',').map((name) => name.trim())
  return names.includes('all') ? ALL : new Set(names.filter(isCheckName))
}

function refused(place: Place, why: string) {
  return buildErrorAt('build.instruction_invalid', place, `# check= : ${why}`, 'Write # check=skip=NAME,NAME;error=true.')
}
