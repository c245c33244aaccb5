import type { EngineHost } from '../engine.ts'

/** Names of what is built in, by its kind. */
export interface Drivers {
  readonly Volume: readonly string[]
  readonly Network: readonly string[]
  readonly Log: readonly string[]
}

/** A machine that is a swarm has networks of it as well. */
export function driversOf({ networkDrivers }: Pick<EngineHost, 'networkDrivers'>, isSwarm: boolean): Drivers {
  return {
    Volume: ['local'],
    Network: [...networkDrivers, ...(isSwarm ? ['overlay'] : [])],
    Log: ['json-file', 'local', 'none'],
  }
}
