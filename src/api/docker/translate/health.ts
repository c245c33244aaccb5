import type { HealthSpec } from '#engine/containers'
import type { ImageProcessConfig } from '#engine/images'

import { dockerError } from '../errors.ts'
import type { Reader } from './read.ts'

const NS_PER_MS = 1_000_000
const DEFAULT_INTERVAL_MS = 30_000
const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_START_INTERVAL_MS = 5_000
const DEFAULT_RETRIES = 3

/** The request's health check over the image's, field by field; 0 inherits. null: none, or switched off by `NONE`. */
export function healthSpec(request: Reader | null, image: ImageProcessConfig['healthcheck']): HealthSpec | null {
  const asked = request?.texts('Test', []) ?? []
  const test = asked.length > 0 ? asked : (image?.test ?? [])
  checkTest(test)
  const spec = {
    test,
    intervalMs: duration(request, 'Interval') || image?.intervalMs || DEFAULT_INTERVAL_MS,
    timeoutMs: duration(request, 'Timeout') || image?.timeoutMs || DEFAULT_TIMEOUT_MS,
    startPeriodMs: duration(request, 'StartPeriod') || image?.startPeriodMs || 0,
    startIntervalMs: duration(request, 'StartInterval') || image?.startIntervalMs || DEFAULT_START_INTERVAL_MS,
    retries: retries(request) || image?.retries || DEFAULT_RETRIES,
  }
  return test.length === 0 || test[0] === 'NONE' ? null : spec
}

function checkTest(test: readonly string[]): void {
  const [kind, ...rest] = test
  if (kind === undefined || kind === 'NONE') return
  if (kind !== 'CMD' && kind !== 'CMD-SHELL')
    throw dockerError('docker.field_invalid', `Healthcheck.Test: ${JSON.stringify(kind)} is none of NONE, CMD and CMD-SHELL`)
  if (rest.length === 0) throw dockerError('docker.field_invalid', `Healthcheck.Test: ${kind} has no command behind it`)
}

function duration(request: Reader | null, name: string): number {
  const ns = request?.int(name) ?? 0
  if (ns !== 0 && ns < NS_PER_MS) throw dockerError('docker.field_invalid', `${name} in Healthcheck cannot be less than 1ms`)
  return ns / NS_PER_MS
}

function retries(request: Reader | null): number {
  const count = request?.int('Retries') ?? 0
  if (count < 0) throw dockerError('docker.field_invalid', 'Retries in Healthcheck cannot be negative')
  return count
}
