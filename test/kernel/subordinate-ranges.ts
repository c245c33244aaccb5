import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const FILES = ['/etc/subuid', '/etc/subgid']

/** Ids for the users of containers. The host's files are put back as they were. */
export function givenRanges(first = 300_000): Disposable & { readonly user: string; readonly first: number } {
  const user = 'daemon'
  const saved = FILES.map((path) => ({ path, text: existsSync(path) ? readFileSync(path, 'utf8') : undefined }))
  for (const path of FILES) writeFileSync(path, `${user}:${first}:65536\n`)
  return {
    user,
    first,
    [Symbol.dispose]: () => {
      for (const { path, text } of saved)
        if (text === undefined) rmSync(path, { force: true })
        else writeFileSync(path, text)
    },
  }
}
