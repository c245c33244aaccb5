import { invariant } from '#base'

/** What can be found in a Dockerfile that builds and is likely not what its author wants. Names as in the reference of build checks. */
export interface CheckRule {
  readonly name: CheckName
  readonly description: string
  /** Off unless `# check=experimental=` asks for it. */
  readonly isExperimental: boolean
}

const DESCRIPTIONS = {
  StageNameCasing: 'Stage names are in lower case',
  FromAsCasing: 'AS has the case of its FROM',
  NoEmptyContinuation: 'No empty line stands inside a continued instruction',
  ConsistentInstructionCasing: 'All instructions of a file have one case',
  DuplicateStageName: 'Each stage has a name of its own',
  ReservedStageName: 'No stage has a name that means something else',
  JSONArgsRecommended: 'CMD and ENTRYPOINT are in the JSON form, so that signals reach the process',
  MaintainerDeprecated: 'A label names the author, not MAINTAINER',
  UndefinedArgInFrom: 'FROM uses only arguments that are declared before it',
  WorkdirRelativePath: 'A relative WORKDIR follows an absolute one',
  UndefinedVar: 'Variables are defined before they are used',
  MultipleInstructionsDisallowed: 'CMD, ENTRYPOINT and HEALTHCHECK stand once in a stage: only the last counts',
  LegacyKeyValueFormat: 'ENV and LABEL use NAME=VALUE',
  RedundantTargetPlatform: 'FROM does not say --platform=$TARGETPLATFORM, which holds anyway',
  SecretsUsedInArgOrEnv: 'ARG and ENV hold nothing secret: the image shows them to everybody',
  InvalidDefaultArgInFrom: 'The default of a global ARG makes a valid image name',
  FromPlatformFlagConstDisallowed: 'FROM --platform is not a constant',
  CopyIgnoredFile: 'COPY and ADD name nothing that the ignore file leaves out',
  ExposeProtoCasing: 'Protocols in EXPOSE are in lower case',
  ExposeInvalidFormat: 'EXPOSE names container ports alone',
  InvalidBaseImagePlatform: 'The base image is for the platform of the build',
  InvalidDefinitionDescription: 'A comment above a stage or an argument begins with its name',
} as const

export type CheckName = keyof typeof DESCRIPTIONS

const EXPERIMENTAL: ReadonlySet<string> = new Set<CheckName>(['CopyIgnoredFile', 'InvalidDefinitionDescription'])

export const CHECK_RULES: readonly CheckRule[] = Object.entries(DESCRIPTIONS).map(([name, description]) => ({
  name: checkName(name),
  description,
  isExperimental: EXPERIMENTAL.has(name),
}))

export function isCheckName(text: string): text is CheckName {
  return Object.hasOwn(DESCRIPTIONS, text)
}

function checkName(text: string): CheckName {
  invariant(isCheckName(text), `${text} is a check`)
  return text
}
