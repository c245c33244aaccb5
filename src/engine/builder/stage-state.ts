import type { CommandLine, Place } from '#oci/dockerfile'
import type { ImageProcessConfig } from '#oci/image'

import type { GlobalArgs } from './global-args.ts'
import type { PlanInput } from './plan-input.ts'
import type { Scope } from './scope.ts'
import type { CopyFrom } from './steps.ts'

/** A stage while it is planned, instruction by instruction. */
export interface StageState {
  readonly input: PlanInput
  readonly globals: GlobalArgs
  config: ImageProcessConfig
  author: string
  scope: Scope
  /** ENTRYPOINT clears the CMD of the base, and not one of this stage. */
  hasOwnCmd: boolean
  readonly declare: (name: string) => void
  readonly onUnset: (name: string, place: Place, known: Iterable<string>) => void
  /** Undefined while the image or stage behind the name waits for a base to be resolved. */
  readonly copyFrom: (name: string, place: Place) => CopyFrom | undefined
}

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c']

/** Shell text becomes one argument of the stage's shell. */
export function argsOf(command: CommandLine, config: ImageProcessConfig): readonly string[] {
  return command.form === 'exec' ? command.args : [...(config.shell ?? DEFAULT_SHELL), command.text]
}
