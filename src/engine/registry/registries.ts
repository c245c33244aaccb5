import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { limiter, keyedLocks, type Clock, type Random, type RecordStore } from '#base'
import { reporting, type Images } from '#engine/images'

import { openArtifacts } from './artifacts.ts'
import { readCredentials, registryOfAddress } from './credentials.ts'
import type { RegistryOptions } from './endpoints.ts'
import { findIgzip } from './igzip.ts'
import { inspectImage, signIn } from './inspect.ts'
import { openKnownBlobs } from './known-blobs.ts'
import { MAX_DOWNLOADS, MAX_UPLOADS } from './limits.ts'
import type { TransferNeeds } from './needs.ts'
import type { OwnRegistry } from './own.ts'
import type { Registries, RegistryProgress } from './port.ts'
import { pullImage } from './pull.ts'
import { pushImage } from './push.ts'
import { openUpstream } from './upstream.ts'

export interface RegistriesNeeds {
  /** The engine's directory: `certs.d` is read and `tmp/registry` written below it. */
  readonly root: string
  readonly images: Images
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly options: RegistryOptions
  /** The registry that this daemon serves; none, unless given. */
  readonly own?: () => OwnRegistry | undefined
  /** The program that compresses; looked for, unless given. */
  readonly igzip?: () => string | undefined
}

export function createRegistries(needs: RegistriesNeeds): Registries {
  const { root, images, records, clock, random, options } = needs
  const shared: TransferNeeds = {
    images,
    clock,
    random,
    options,
    certificatesDirectory: join(root, 'certs.d'),
    known: openKnownBlobs(records, (diffId) => images.hasLayer(diffId)),
    downloads: limiter(MAX_DOWNLOADS),
    uploads: limiter(MAX_UPLOADS),
    locks: keyedLocks(),
    temporaryPath: temporaryPaths(join(root, 'tmp', 'registry')),
    own: needs.own ?? (() => undefined),
    igzip: needs.igzip ?? findIgzip,
  }
  return {
    pull: (request) => reporting<RegistryProgress>((report) => pullImage(shared, request, report)),
    push: (request) => reporting<RegistryProgress>((report) => pushImage(shared, request, report)),
    artifacts: (request) => openArtifacts(shared, request),
    inspect: (request) => inspectImage(shared, request),
    upstream: (registry) => openUpstream(shared, registry),
    signIn: async ({ credentials, signal }) => {
      const registry = registryOfAddress(credentials['serveraddress'] || 'docker.io')
      await signIn(shared, registry, readCredentials(credentials, registry), signal)
    },
  }
}

/** The directory is emptied at every start of the daemon, so that numbers do not meet old files. */
function temporaryPaths(directory: string): () => string {
  let sequence = 0
  return () => {
    if (sequence === 0) mkdirSync(directory, { recursive: true, mode: 0o700 })
    sequence += 1
    return join(directory, `layer-${sequence}`)
  }
}
