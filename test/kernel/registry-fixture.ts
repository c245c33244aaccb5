import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { memoryRecords, seededRandom, systemClock } from '#base'
import {
  createRegistries,
  type RawCredentials,
  type Registries,
  type RegistryOptions,
  type RegistryProgress,
} from '#engine/registry'

import { realImages, type RealImages } from './images-fixture.ts'

/** Images on the real kernel, and registries for them. Waits between tries take no time. */
export interface RegistryRig extends Disposable {
  readonly real: RealImages
  readonly registries: Registries
  pull(
    ref: string,
    more?: { readonly platform?: string; readonly credentials?: RawCredentials },
  ): Promise<readonly RegistryProgress[]>
  /** Everything that a failed pull could have left. */
  leftovers(): readonly string[]
}

export async function registryRig(options: Partial<RegistryOptions> = {}): Promise<RegistryRig> {
  const real = await realImages()
  const registries = createRegistries({
    root: real.root,
    images: real.images,
    records: memoryRecords(),
    clock: { ...systemClock(), sleep: async () => await Promise.resolve() },
    random: seededRandom(1),
    options: { mirrors: [], insecure: [], ...options },
  })
  return {
    real,
    registries,
    pull: async (ref, { platform, credentials } = {}) => {
      const { signal } = new AbortController()
      return await gather(registries.pull({ ref, platform: platform ?? null, credentials: credentials ?? null, signal }))
    },
    leftovers: () => [
      ...['content/blobs/sha256', 'content/ingest', 'tmp/images'].flatMap((path) => readdirSync(join(real.root, path))),
      ...real.images.list().map(({ id }) => id),
    ],
    [Symbol.dispose]: () => real[Symbol.dispose](),
  }
}

/** One pull into given images, by registries that know nothing yet. */
export async function pullFrom(real: RealImages, ref: string): Promise<void> {
  const clock = { ...systemClock(), sleep: async () => await Promise.resolve() }
  const parts = { root: real.root, images: real.images, records: memoryRecords(), clock, random: seededRandom(1) }
  const registries = createRegistries({ ...parts, options: { mirrors: [], insecure: [] } })
  await gather(registries.pull({ ref, platform: null, credentials: null, signal: new AbortController().signal }))
}

export async function gather<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
