import { alsoCalled, list, naming, text } from '../args/flags.ts'
import type { FlagValues } from '../args/flags.ts'
import type { ComposeChoice } from './compose-file.ts'

/** Flags of every command that reads Compose files. */
export const composeFlags = {
  file: naming(
    'file',
    list('FILE', 'A Compose file; further ones go on top (default: compose.yaml and compose.override.yaml)', 'f'),
  ),
  name: alsoCalled(text('NAME', 'Name of the application (default: from the file or the directory)', 'n'), 'project-name'),
  profile: list('PROFILE', 'Also the services of this profile'),
  'env-file': naming('file', list('FILE', 'Variables for the Compose file, instead of .env; later ones win')),
  'project-directory': naming('directory', text('DIR', 'Where relative paths start (default: where the first file is)')),
}

export function composeChoice(flags: FlagValues<typeof composeFlags>, operands: readonly string[]): ComposeChoice {
  return {
    place: operands[0],
    files: flags.file,
    stackName: flags.name,
    profiles: flags.profile,
    envFiles: flags['env-file'],
    projectDirectory: flags['project-directory'],
  }
}
