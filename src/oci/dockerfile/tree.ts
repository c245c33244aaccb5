import type { Place } from './place.ts'

export type EscapeCharacter = '\\' | '`'

export interface LineRange {
  readonly first: number
  readonly last: number
}

/** The syntax tree of a Dockerfile. Values stand as written: quotes and variables are resolved by `expandWord` when the plan is made. */
export interface Dockerfile {
  readonly file: string
  readonly escape: EscapeCharacter
  /** What `# syntax=` says. A hint about the version, never something to run. */
  readonly syntax: string | undefined
  /** What `# check=` says, as written. */
  readonly check: string | undefined
  readonly instructions: readonly Instruction[]
  readonly warnings: readonly DockerfileWarning[]
}

export interface DockerfileWarning {
  /** The check that says so, by the name under which it can be skipped. */
  readonly check: 'NoEmptyContinuation'
  readonly place: Place
  readonly message: string
}

export interface Heredoc {
  readonly name: string
  /** The body, with leading tabs gone when it was opened by `<<-`. */
  readonly content: string
  /** False when the word was quoted: variables then stay as written. */
  readonly isExpanded: boolean
  /** The body and terminator as they stood, for a shell that reads the here-document itself. */
  readonly source: string
}

/** `RUN text` is for the shell; `RUN ["a", "b"]` names the arguments. */
export type CommandLine =
  | { readonly form: 'shell'; readonly text: string }
  | { readonly form: 'exec'; readonly args: readonly string[] }

export interface Assignment {
  readonly name: string
  readonly value: string
}

export interface MountFlag {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh'
  /** Options other than `type`, as written; an option without value is `true`. */
  readonly options: ReadonlyMap<string, string>
}

export type CopySource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'heredoc'; readonly heredoc: Heredoc }

interface Located {
  readonly lines: LineRange
  /** The logical line, continuations joined, for messages and progress. */
  readonly source: string
}

export interface FromInstruction extends Located {
  readonly kind: 'from'
  readonly image: string
  readonly platform: string | undefined
  /** Stage name in lower case. */
  readonly stage: string | undefined
  /** The comment right above, without its mark. */
  readonly comment: string | undefined
}

export interface ArgInstruction extends Located {
  readonly kind: 'arg'
  readonly comment: string | undefined
  readonly args: readonly { readonly name: string; readonly value: string | undefined }[]
}

export interface RunInstruction extends Located {
  readonly kind: 'run'
  readonly command: CommandLine
  readonly heredocs: readonly Heredoc[]
  readonly mounts: readonly MountFlag[]
  readonly network: string | undefined
  readonly security: string | undefined
  readonly devices: readonly string[]
}

interface Copying extends Located {
  readonly sources: readonly CopySource[]
  readonly destination: string
  readonly chown: string | undefined
  readonly chmod: string | undefined
  readonly isLink: boolean
  readonly excludes: readonly string[]
}

export interface CopyInstruction extends Copying {
  readonly kind: 'copy'
  readonly from: string | undefined
  readonly keepsParents: boolean
}

export interface AddInstruction extends Copying {
  readonly kind: 'add'
  readonly checksum: string | undefined
  readonly keepsGitDirectory: boolean
  /** Undefined leaves it to the content: a local archive is unpacked, a download is not. */
  readonly unpack: boolean | undefined
}

export interface CmdInstruction extends Located {
  readonly kind: 'cmd'
  readonly command: CommandLine
}

export interface EntrypointInstruction extends Located {
  readonly kind: 'entrypoint'
  readonly command: CommandLine
}

export interface EnvInstruction extends Located {
  readonly kind: 'env'
  readonly pairs: readonly Assignment[]
  /** `ENV name value`: the older form. */
  readonly isLegacy: boolean
}

export interface LabelInstruction extends Located {
  readonly kind: 'label'
  readonly pairs: readonly Assignment[]
  readonly isLegacy: boolean
}

export interface ExposeInstruction extends Located {
  readonly kind: 'expose'
  readonly ports: readonly string[]
}

export interface VolumeInstruction extends Located {
  readonly kind: 'volume'
  readonly paths: readonly string[]
}

export interface UserInstruction extends Located {
  readonly kind: 'user'
  readonly user: string
}

export interface WorkdirInstruction extends Located {
  readonly kind: 'workdir'
  readonly path: string
}

export interface StopSignalInstruction extends Located {
  readonly kind: 'stopsignal'
  readonly signal: string
}

export interface ShellInstruction extends Located {
  readonly kind: 'shell'
  readonly args: readonly string[]
}

export interface HealthProbe {
  readonly command: CommandLine
  readonly intervalMs: number | undefined
  readonly timeoutMs: number | undefined
  readonly startPeriodMs: number | undefined
  readonly startIntervalMs: number | undefined
  readonly retries: number | undefined
}

export interface HealthcheckInstruction extends Located {
  readonly kind: 'healthcheck'
  /** Undefined is `NONE`. */
  readonly probe: HealthProbe | undefined
}

export interface OnbuildInstruction extends Located {
  readonly kind: 'onbuild'
  /** The instruction as text, heredoc bodies included: images store triggers so. */
  readonly trigger: string
}

export interface MaintainerInstruction extends Located {
  readonly kind: 'maintainer'
  readonly name: string
}

export type Instruction =
  | FromInstruction
  | ArgInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | CmdInstruction
  | EntrypointInstruction
  | EnvInstruction
  | LabelInstruction
  | ExposeInstruction
  | VolumeInstruction
  | UserInstruction
  | WorkdirInstruction
  | StopSignalInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | OnbuildInstruction
  | MaintainerInstruction
