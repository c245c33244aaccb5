import { snapshotError } from './errors.ts'
import type { LayerKind } from './port.ts'

export interface DriverFacts {
  /** `6.18.44` */
  readonly kernelRelease: string
  /** Outcome of mounting a small index for real; undefined when the trial worked. */
  readonly erofsProblem: string | undefined
  /** The operator's word, if there is one. */
  readonly wanted?: LayerKind
}

export interface DriverChoice {
  readonly kind: LayerKind
  /** Full sentences, for people. */
  readonly reasons: readonly string[]
}

/** A trial counts for more than a version number: distributions switch file systems off, and containers may lack the right to mount. */
export function chooseDriver({ kernelRelease, erofsProblem, wanted }: DriverFacts): DriverChoice {
  if (wanted === 'directory')
    return { kind: 'directory', reasons: ['Layers are unpacked into directories because the configuration says so.'] }
  if (erofsProblem === undefined)
    return { kind: 'erofs', reasons: [`Linux ${kernelRelease} mounted a trial index over a tar: layers are mounted in place.`] }
  const problem = `Linux ${kernelRelease} did not mount a trial EROFS index over a tar (${erofsProblem}).`
  const advice = isOlder(kernelRelease, 6, 12)
    ? 'Mounting EROFS from plain files needs Linux 6.12.'
    : 'It needs a kernel built with CONFIG_EROFS_FS_BACKED_BY_FILE and the right to mount.'
  if (wanted === 'erofs') throw snapshotError('snapshot.driver_unusable', problem, { hint: advice })
  return { kind: 'directory', reasons: [problem, advice, 'Layers are unpacked into directories.'] }
}

function isOlder(release: string, major: number, minor: number): boolean {
  const [have = 0, haveMinor = 0] = release.split('.').map((part) => Number.parseInt(part, 10))
  return have < major || (have === major && haveMinor < minor)
}
