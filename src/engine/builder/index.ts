/**
 * The builder: a Dockerfile and a context become an image. The plan is a value made from the syntax tree, the arguments and the
 * configurations of the bases; the loop carries it out through ports. Steps are cached by content alone (layers below, instruction, files,
 * environment), never by what an image claims. COPY and ADD write layers without running or unpacking anything on the host; a step that
 * several builds want runs once; a cache record exists only when its layer does.
 */
export { buildCache } from './build-cache.ts'
export { createBuilder, fetchOptions, type Builder, type ClassicBuildRequest } from './builder.ts'
export type { Pruned } from './cache-usage.ts'
export type { CacheUsage, PruneWish } from './prune-plan.ts'
export type { CacheSource, CacheTarget } from './exchange/cache-places.ts'
export type { Annotation, AnnotationLevel } from './outputs/annotations.ts'
export type { BuildOutput, LayerForm } from './outputs/output.ts'
export { classicMessages, type ClassicMessage, type ClassicStreamOptions } from './classic-stream.ts'
export { receiveContext, type BuildContext, type ReceiveOptions } from './context.ts'
export { fairTurns } from './fair-turns.ts'
export { buildError } from './errors.ts'
export type { BuildEvent, EmitBuildEvent } from './events.ts'
export type { FileTree, TreeEntry, TreeEntryType } from './file-tree.ts'
export { buildImage } from './loop.ts'
export type { BuildOutcome, BuildRequest, Delivery, GivenDirectory } from './request.ts'
export type { RemoteContextOptions } from './remote-context.ts'
export { planBuild, type ImageNeed, type Planned } from './plan.ts'
export type { PlanInput } from './plan-input.ts'
export type {
  BaseImage,
  BlobBody,
  BlobOf,
  BlobPlace,
  BuildExchange,
  Predicate,
  BuildCache,
  BuilderPorts,
  CachedLayers,
  CacheEntry,
  LocalBuildCache,
  BuildImages,
  BuildLayers,
  BuildPorts,
  Credentials,
  KeptPlace,
  BuildRoot,
  BuildRunner,
  LayerPath,
  CacheRecord,
  LayerRecord,
  RunLimits,
  RunMount,
  RunNetwork,
  RunOutcome,
  RunUlimit,
  RunSpec,
} from './ports.ts'
export type { BuildPlan, StagePlan, Step, StepAction } from './steps.ts'
