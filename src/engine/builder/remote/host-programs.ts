import { accessSync, constants } from 'node:fs'

import { buildError } from '../errors.ts'

/** Never looked for on a PATH that somebody else may have set, and never in an image. */
const PLACES = ['/usr/bin', '/bin', '/usr/local/bin']

/** All that programs of the host see of the environment. */
export const PROGRAM_ENV: Readonly<Record<string, string>> = { PATH: PLACES.join(':'), LC_ALL: 'C' }

/** The path of a program. Error: `build.program_missing`, with the Debian package that has it. */
export function programPath(name: string, debianPackage: string, what: string): string {
  const found = PLACES.map((place) => `${place}/${name}`).find(isProgram)
  if (found !== undefined) return found
  throw buildError('build.program_missing', `${what} needs the program ${name}, which this machine does not have`, {
    hint: `Install it where the daemon runs: apt-get install ${debianPackage}`,
  })
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
