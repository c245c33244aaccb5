import { volumeError } from './errors.ts'

/** What the local driver mounts at a volume's place, in the words of mount(8): null for a plain directory. */
export interface LocalMount {
  readonly type: string
  readonly device: string
  /** Comma separated. */
  readonly options: string
}

const KNOWN = ['type', 'o', 'device'] as const
/** An option string beyond a page never reaches the kernel (mount(2)). */
const MAX_OPTION_CHARACTERS = 4095
const TYPE = /^[a-z0-9][a-z0-9_.-]{0,63}$/i

/**
 * Reads the options of the local driver. As with dockerd, each of `type`, `o` and `device` asks for the others that it cannot do without.
 * Errors: `volume.option_unsupported`, `volume.option_invalid`.
 */
export function readLocalOptions(options: Readonly<Record<string, string>>): LocalMount | null {
  const unknown = Object.keys(options).find((key) => !(KNOWN as readonly string[]).includes(key))
  if (unknown === 'size')
    throw volumeError('volume.option_unsupported', 'create volume: option "size" needs quotas, which volumes here do not have', {
      hint: 'For a bounded volume in memory: type=tmpfs, device=tmpfs, o=size=100m.',
    })
  if (unknown !== undefined)
    throw volumeError('volume.option_unsupported', `create volume: invalid option: ${JSON.stringify(unknown)}`, {
      hint: 'The local driver knows type, o and device.',
    })
  const { type = '', o = '', device = '' } = options
  if (type === '' && o === '' && device === '') return null
  for (const [name, value] of [
    ['type', type],
    ['device', device],
  ] as const)
    if (value === '')
      throw volumeError('volume.option_invalid', `create volume: missing required option: ${JSON.stringify(name)}`)
  if (!TYPE.test(type))
    throw volumeError('volume.option_invalid', `create volume: type=${JSON.stringify(type)} is no file system type`)
  if (device.startsWith('-') || /[\0\n]/.test(device))
    throw volumeError('volume.option_invalid', `create volume: device=${JSON.stringify(device)} cannot be mounted`)
  if (o.length > MAX_OPTION_CHARACTERS || o.startsWith('-') || /[\0\n]/.test(o))
    throw volumeError('volume.option_invalid', 'create volume: o is too long or holds characters that no mount option has')
  return { type, device, options: o }
}

/** Arguments of mount(8). */
export function mountArguments(mount: LocalMount, target: string): readonly string[] {
  const options = mount.options === '' ? [] : ['-o', mount.options]
  return ['-t', mount.type, ...options, '--', mount.device, target]
}
