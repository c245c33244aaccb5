import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where distributions put programs for the administrator; not always on the PATH of whoever starts us. */
const USUAL_PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Absolute path of a program of the host; undefined when it is not installed. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  const places = [...path.split(delimiter).filter((place) => place.startsWith('/')), ...USUAL_PLACES]
  return places.map((place) => join(place, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
