import { parseDockerfile } from '#oci/dockerfile'
import { formatPlatform, hostPlatform, type Platform } from '#oci/image'

import { buildError } from './errors.ts'
import { isLayout } from './layout-context.ts'
import { imageKey, planBuild } from './plan.ts'
import type { PlanInput } from './plan-input.ts'
import type { BaseImage, BuildPorts } from './ports.ts'
import type { BuildRequest } from './request.ts'
import type { BuildPlan, StagePlan } from './steps.ts'

/** More than there are. */
const MAX_PLATFORMS = 32

/** The plan for one of the platforms that are asked for. */
export interface PlatformPlan {
  readonly platform: Platform
  readonly plan: BuildPlan
  /** Steps of the plans before: its own come behind theirs. */
  readonly stepsBefore: number
}

/** Plans for each platform. Errors: `dockerfile.*`, `build.*`, those of the images. */
export async function planPlatforms(
  ports: BuildPorts,
  request: BuildRequest,
  failsOnFindings: boolean,
): Promise<readonly PlatformPlan[]> {
  const platforms = distinct(request.platforms ?? [hostPlatform()])
  if (platforms.length === 0 || platforms.length > MAX_PLATFORMS)
    throw buildError('build.unsupported', `${platforms.length} platforms are asked for; there can be 1 to ${MAX_PLATFORMS}`)
  const plans: PlatformPlan[] = []
  let stepsBefore = 0
  for (const platform of platforms) {
    const plan = await planWithBases(ports, request, platform, failsOnFindings)
    plans.push({ platform, plan, stepsBefore })
    stepsBefore += plan.stepCount
  }
  return plans
}

function distinct(platforms: readonly Platform[]): readonly Platform[] {
  return [...new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values()]
}

/** Plans, resolves what the plan lacks, and plans again, until nothing is lacking: triggers of a base may name further images. */
async function planWithBases(
  ports: BuildPorts,
  request: BuildRequest,
  platform: Platform,
  failsOnFindings: boolean,
): Promise<BuildPlan> {
  const input = planInput(request, platform, failsOnFindings)
  const resolved = new Map<string, BaseImage | null>()
  for (;;) {
    const planned = planBuild(input, resolved)
    if (planned.kind === 'plan') return planned.plan
    for (const need of planned.images) {
      if (resolved.has(imageKey(need))) continue
      const options = {
        platform: need.platform,
        isPullForced: request.isPullForced ?? false,
        signal: request.signal,
        credentials: isLayout(need.reference) ? null : (request.credentialsFor?.(need.reference) ?? null),
      }
      resolved.set(imageKey(need), (await ports.images.resolve(need.reference, options)) ?? null)
    }
  }
}

/** What is planned for one platform. Errors: `dockerfile.*`. */
export function planInput(request: BuildRequest, platform: Platform, failsOnFindings: boolean): PlanInput {
  const { dockerfile } = request.context
  return {
    dockerfile: parseDockerfile(dockerfile.text, { file: dockerfile.name }),
    buildArgs: request.buildArgs ?? new Map(),
    target: request.target,
    platform,
    buildPlatform: hostPlatform(),
    labels: request.labels ?? {},
    network: request.network ?? 'default',
    entitlements: request.entitlements ?? new Set(),
    failsOnFindings,
    isIgnored: request.context.isIgnored,
    namedContexts: request.context.named,
  }
}

/** Refuses before anything runs what would fail at the first command. Error: `build.platform_foreign`. */
export function refuseForeign(plans: readonly PlatformPlan[], canRun: (platform: Platform) => boolean): void {
  for (const { plan } of plans)
    for (const stage of plan.stages) {
      const run = stage.steps.find(({ action }) => action.kind === 'run')
      const platform = runsOn(stage)
      if (run === undefined || canRun(platform)) continue
      const { file, line } = run.place
      throw buildError(
        'build.platform_foreign',
        `${file}:${line}: RUN for ${formatPlatform(platform)} cannot run on this machine (${formatPlatform(hostPlatform())})`,
        {
          details: { file, line, platform: formatPlatform(platform) },
          hint: 'Install an emulator (on Debian: apt-get install qemu-user-static binfmt-support), or compile for it in a stage FROM --platform=$BUILDPLATFORM.',
        },
      )
    }
}

/** What the commands of a stage are made for: its base's, whatever was asked for. */
function runsOn(stage: StagePlan): Platform {
  if (stage.base.kind === 'stage') return runsOn(stage.base.stage)
  if (stage.base.kind === 'scratch' || stage.base.image.config.architecture === '') return stage.platform
  const { os, architecture, variant } = stage.base.image.config
  return { os, architecture, variant }
}
