import { isDeepStrictEqual } from 'node:util'

import type { RegistryOptions } from '#engine/registry'

import type { DaemonOptions } from '../arguments.ts'

/** What may change while the daemon runs. */
const RELOADED = ['collection', 'registries', 'labels', 'logLevel', 'containerLog'] as const

export interface Settings {
  /** As they are now. */
  current(): DaemonOptions
  /** Reads them again. What cannot change before the next start is named and stays. Errors as of the reading; then nothing changes. */
  reload(): { readonly changed: readonly string[]; readonly afterRestart: readonly string[] }
}

/** The registries' options as they are whenever they are looked at. */
export function registriesNow(settings: Settings): RegistryOptions {
  return {
    get mirrors() {
      return settings.current().registries.mirrors
    },
    get insecure() {
      return settings.current().registries.insecure
    },
  }
}

export function createSettings(read: () => DaemonOptions): Settings {
  let current = read()
  return {
    current: () => current,
    reload: () => {
      const next = read()
      const differing = (Object.keys(next) as (keyof DaemonOptions)[]).filter(
        (key) => !isDeepStrictEqual(next[key], current[key]),
      )
      const changed = RELOADED.filter((key) => differing.includes(key))
      const taken = Object.fromEntries(RELOADED.map((key) => [key, next[key]]))
      current = { ...current, ...(taken as Pick<DaemonOptions, (typeof RELOADED)[number]>) }
      return { changed, afterRestart: differing.filter((key) => !RELOADED.some((other) => other === key)) }
    },
  }
}
