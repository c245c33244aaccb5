import type { ErofsMount, OverlayMount } from './port-mounts.ts'

/** What a mount of a file system type consists of, apart from how it is brought to the kernel. */
export interface FileSystemPlan {
  readonly type: 'erofs' | 'overlay'
  readonly source: string
  readonly target: string
  readonly isReadOnly: boolean
  readonly options: readonly MountOption[]
}

/** `value` undefined: a flag. `paths` holds what is a path, so that it can be replaced by a short alias. */
export type MountOption =
  | { readonly key: string; readonly value?: string }
  | { readonly key: string; readonly path: string }
  | { readonly key: string; readonly paths: readonly string[] }

export function planErofs({ index, devices, target }: ErofsMount): FileSystemPlan {
  return { type: 'erofs', source: index, target, isReadOnly: true, options: devices.map((path) => ({ key: 'device', path })) }
}

/**
 * Redirects and metadata-only copies are refused in both directions: a layer that carries such attributes could otherwise
 * show files of other places, and a diff of the upper directory would no longer be complete.
 */
export function planOverlay({ lowers, upper, work, target, volatile }: OverlayMount): FileSystemPlan {
  const isWritable = upper !== undefined && work !== undefined
  return {
    type: 'overlay',
    source: 'overlay',
    target,
    isReadOnly: !isWritable,
    options: [
      { key: 'lowerdir', paths: lowers },
      ...(isWritable
        ? [
            { key: 'upperdir', path: upper },
            { key: 'workdir', path: work },
          ]
        : []),
      { key: 'index', value: 'off' },
      { key: 'redirect_dir', value: 'nofollow' },
      { key: 'metacopy', value: 'off' },
      ...(isWritable && volatile === true ? [{ key: 'volatile' }] : []),
    ],
  }
}

/** mount(2) copies one page of options; the last byte is its end. */
const MAX_OPTION_BYTES = 4095
/** fsconfig(2) takes strings of up to 255 bytes. */
const MAX_FSCONFIG_BYTES = 255

/**
 * The option string of mount(2), or undefined when it must go another way: too long, or with a path whose characters mean
 * something within the string.
 */
export function optionString(plan: FileSystemPlan): string | undefined {
  if (plan.options.flatMap(pathsOf).some((path) => /[,:\\]/.test(path))) return undefined
  const text = plan.options.map(optionText).join(',')
  return Buffer.byteLength(text) > MAX_OPTION_BYTES ? undefined : text
}

function optionText(option: MountOption): string {
  if ('paths' in option) return `${option.key}=${option.paths.join(':')}`
  if ('path' in option) return `${option.key}=${option.path}`
  return option.value === undefined ? option.key : `${option.key}=${option.value}`
}

function pathsOf(option: MountOption): readonly string[] {
  if ('paths' in option) return option.paths
  return 'path' in option ? [option.path] : []
}

export type FsconfigStep = { readonly key: string; readonly value?: string }

/** The same mount as calls of fsconfig(2). `alias` gives a short name for a path that one call cannot carry as it is. */
export function fsconfigSteps(plan: FileSystemPlan, alias: (path: string) => string): readonly FsconfigStep[] {
  const fitting = (path: string) => (/[,:\\]/.test(path) || Buffer.byteLength(path) > MAX_FSCONFIG_BYTES ? alias(path) : path)
  return [
    { key: 'source', value: fitting(plan.source) },
    ...plan.options.flatMap((option): readonly FsconfigStep[] => {
      if ('paths' in option) return option.paths.map((path) => ({ key: `${option.key}+`, value: fitting(path) }))
      if ('path' in option) return [{ key: option.key, value: fitting(option.path) }]
      return [option]
    }),
    ...(plan.isReadOnly ? [{ key: 'ro' }] : []),
  ]
}
