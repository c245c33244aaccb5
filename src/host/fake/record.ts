import type { GloveboxError } from '#base'

/** One call that the code under test made: `mounts.overlay` with its arguments. */
export interface RecordedCall {
  readonly name: string
  readonly args: readonly unknown[]
}

export interface Recorder {
  readonly calls: RecordedCall[]
  /** Writes a call down; throws instead if a failure was planted for it. */
  record(name: string, ...args: readonly unknown[]): void
  /** The next call of that name fails; the world stays as it was. */
  failNext(name: string, error: GloveboxError): void
}

export function recorder(): Recorder {
  const calls: RecordedCall[] = []
  const planted = new Map<string, GloveboxError[]>()
  return {
    calls,
    record: (name, ...args) => {
      calls.push({ name, args })
      const error = planted.get(name)?.shift()
      if (error !== undefined) throw error
    },
    failNext: (name, error) => void planted.set(name, [...(planted.get(name) ?? []), error]),
  }
}
