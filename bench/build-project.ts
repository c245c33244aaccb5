import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { command } from './measure.ts'

const FILES = 2000
const DIRECTORIES = 1250
const FILE_BYTES = 6 * 1024

const DOCKERFILE = `FROM bench-base
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates curl make git
RUN useradd --create-home app
WORKDIR /src
COPY Makefile ./
RUN make tools
COPY src ./src
RUN make all
LABEL name=bench
USER app
EXPOSE 8080
CMD ["cat", "/src/all.sum"]
`

const MAKEFILE = `tools:
\tmkdir -p bin && cp /usr/bin/sha256sum bin/
all:
\tfind src -name '*.go' -print0 | sort -z | xargs -0 bin/sha256sum > all.sum
\tsha256sum all.sum
`

/** A base with its packages in a repository of its own, so that apt works and waits for no network; undefined where it cannot be made. */
export async function projectBase(directory: string): Promise<string | undefined> {
  const tar = join(directory, 'base.tar')
  const packages = 'ca-certificates curl make git'
  const hooks = [
    `chroot "$1" apt-get install --download-only --yes --no-install-recommends ${packages}`,
    'mkdir "$1/repo" && mv "$1"/var/cache/apt/archives/*.deb "$1/repo/" && cd "$1/repo" && dpkg-scanpackages --multiversion . > Packages',
    'rm -rf "$1"/etc/apt/sources.list.d/* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin; echo "deb [trusted=yes] file:/repo ./" > "$1/etc/apt/sources.list"',
  ]
  try {
    await command('mmdebstrap', [
      '--quiet',
      '--variant=minbase',
      '--skip=cleanup/apt',
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      'bookworm',
      tar,
    ])
    return tar
  } catch (error) {
    process.stderr.write(`no base for the builds: ${String(error).slice(-300)}\n`)
    return undefined
  }
}

/** Files of a small program: 2,000 in 1,250 directories, 12 MB. */
export function projectFiles(directory: string): string {
  const root = join(directory, 'project')
  for (let number = 0; number < DIRECTORIES; number += 1)
    mkdirSync(join(root, 'src', `d${number % 50}`, `e${number}`), { recursive: true })
  for (let number = 0; number < FILES; number += 1) writeFileSync(sourceFile(root, number), sourceText(number, 0))
  writeFileSync(join(root, 'Dockerfile'), DOCKERFILE)
  writeFileSync(join(root, 'Makefile'), MAKEFILE)
  return root
}

export function changeSource(root: string, round: number): void {
  writeFileSync(sourceFile(root, 7), sourceText(7, round))
}

function sourceFile(root: string, number: number): string {
  const home = number % DIRECTORIES
  return join(root, 'src', `d${home % 50}`, `e${home}`, `f${number}.go`)
}

function sourceText(number: number, round: number): string {
  return `// file ${number}, round ${round}\n${`var value${number} = ${(number * 2_654_435_761) % 1_000_003}\n`.repeat(FILE_BYTES / 24)}`
}

/** A context of 20,000 small files, of which a build takes one directory. */
export function manyFiles(directory: string): string {
  const root = join(directory, 'many')
  for (let home = 0; home < 200; home += 1) {
    mkdirSync(join(root, `d${home}`), { recursive: true })
    for (let number = 0; number < 100; number += 1) writeFileSync(join(root, `d${home}`, `f${number}`), `${home} ${number}\n`)
  }
  writeFileSync(join(root, 'Dockerfile'), 'FROM bench-probe\nCOPY . /files\n')
  return root
}

export function changeOneOfMany(root: string, round: number): void {
  writeFileSync(join(root, 'd7', 'f7'), `round ${round}\n`)
}

/** Twenty commands that do nothing; the line above them makes all of them new. */
export function manyRuns(directory: string, round: number): string {
  const root = join(directory, 'runs')
  mkdirSync(root, { recursive: true })
  const runs = Array.from({ length: 20 }, (_, number) => `RUN ["/bin/true", "${number}"]`)
  writeFileSync(join(root, 'Dockerfile'), ['FROM bench-probe', `ENV ROUND=${round}`, ...runs, ''].join('\n'))
  return root
}
