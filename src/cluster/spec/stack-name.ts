import { basename } from 'node:path'

/** As Compose names projects: lower-case letters, digits, dashes and underscores, starting with a letter or digit. */
export function isStackName(name: string): boolean {
  return /^[a-z0-9][a-z0-9_-]*$/.test(name)
}

/** The name of a directory as a stack name; undefined when nothing of it can be used. */
export function stackNameOfDirectory(directory: string): string | undefined {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '')
  return name === '' ? undefined : name
}
