import type { Digest } from '#base'
import type { Place } from '#oci/dockerfile'
import type { ImageProcessConfig, Platform } from '#oci/image'

import type { CheckName } from './checks/index.ts'
import type { BaseImage, RunMount, RunNetwork } from './ports.ts'
import type { RemoteSource } from './remote/index.ts'

/** What a build will do: pure values, from a Dockerfile, its arguments and the configurations of its bases. */
export interface BuildPlan {
  /** In the order of execution: a stage comes after all that it needs. */
  readonly stages: readonly StagePlan[]
  readonly target: StagePlan
  readonly stepCount: number
  /** Seconds since 1970, from SOURCE_DATE_EPOCH. */
  readonly epochS: number | undefined
  /** In the order of their lines; those that the file or the request wants skipped are left out. */
  readonly warnings: readonly PlanWarning[]
}

export interface PlanWarning {
  /** The check that says so; undefined for what no check has a name for. */
  readonly check: CheckName | undefined
  readonly place: Place
  readonly message: string
}

export type StageBase =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'image'; readonly reference: string; readonly image: BaseImage }
  | { readonly kind: 'stage'; readonly stage: StagePlan }

export interface StagePlan {
  readonly index: number
  readonly name: string | undefined
  readonly platform: Platform
  readonly base: StageBase
  /** The FROM line. */
  readonly from: StepText
  readonly steps: readonly Step[]
  readonly config: ImageProcessConfig
  readonly author: string
  /** ARG values at the end, for stages that begin here. */
  readonly args: ReadonlyMap<string, string | undefined>
}

export interface StepText {
  readonly place: Place
  /** Counts from 1 over all stages that run. */
  readonly number: number
  /** The instruction as progress shows it. */
  readonly text: string
}

export interface Step extends StepText {
  /** The entry in the image's history. */
  readonly createdBy: string
  readonly action: StepAction
}

export type StepAction = MetadataAction | RunAction | CopyAction | WorkdirAction

/** Changes the configuration only. */
export interface MetadataAction {
  readonly kind: 'metadata'
}

export interface RunAction {
  readonly kind: 'run'
  readonly args: readonly string[]
  readonly env: readonly string[]
  /** Proxy settings: seen by the command, kept out of key and history. */
  readonly hiddenEnv: readonly string[]
  readonly workingDir: string
  readonly user: string
  readonly network: RunNetwork
  /** Privileged: allowed by whoever started the build. */
  readonly isInsecure: boolean
  readonly mounts: readonly PlannedMount[]
}

/** A mount of RUN before what it shows is there. */
export type PlannedMount =
  | { readonly kind: 'file'; readonly target: string; readonly content: Buffer; readonly mode: number }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes: number | undefined }
  /** Files of the context, a stage or an image. What is written is seen by the step and then gone. */
  | {
      readonly kind: 'tree'
      readonly target: string
      readonly from: CopyFrom
      readonly source: string
      readonly isWritable: boolean
    }
  | (Omit<Extract<RunMount, { readonly kind: 'cache' }>, 'seed'> & {
      readonly seed: { readonly from: CopyFrom; readonly source: string } | undefined
    })
  | ({
      readonly kind: 'secret'
      readonly id: string
      /** Undefined: only as a variable. */
      readonly target: string | undefined
      readonly env: string | undefined
      readonly isRequired: boolean
    } & FileRights)
  | ({ readonly kind: 'ssh'; readonly id: string; readonly target: string; readonly isRequired: boolean } & FileRights)

export interface FileRights {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Makes a directory if it is not there. */
export interface WorkdirAction {
  readonly kind: 'workdir'
  readonly path: string
  readonly user: string
}

export type CopyFrom =
  | { readonly kind: 'context' }
  /** Another context that the build was given. */
  | { readonly kind: 'named-context'; readonly name: string }
  | { readonly kind: 'stage'; readonly stage: StagePlan }
  | { readonly kind: 'image'; readonly layers: readonly Digest[] }

export interface CopyAction {
  readonly kind: 'copy'
  readonly instruction: 'COPY' | 'ADD'
  readonly from: CopyFrom
  /** Paths and globs, as expanded. */
  readonly sources: readonly string[]
  /** Of ADD: what comes from elsewhere. */
  readonly remotes: readonly RemoteSource[]
  /** ADD unpacks archives that it downloads. */
  readonly unpacksRemotes: boolean
  /** Addresses of this machine may be asked. */
  readonly isHostNetworkAllowed: boolean
  readonly excludes: readonly string[]
  readonly keepsParents: boolean
  readonly inlineFiles: readonly InlineFile[]
  /** Absolute; a slash at the end asks for a directory. */
  readonly destination: string
  readonly owner: string | undefined
  readonly mode: string | undefined
  /** ADD unpacks local archives. */
  readonly unpacks: boolean
  /** The layer does not look at what is below it. */
  readonly isLink: boolean
}

export interface InlineFile {
  readonly name: string
  readonly content: string
}
