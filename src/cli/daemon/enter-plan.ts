/** A program and its arguments; never shell text. */
export interface ProgramCall {
  readonly program: string
  readonly args: readonly string[]
}

/** Where the pinned mount namespace of an instance lies. */
export interface NamespacePin {
  /** A mount of its own, private: the kernel refuses to pin a mount namespace on a shared one. */
  readonly directory: string
  readonly file: string
}

export function namespacePin(runDir: string): NamespacePin {
  return { directory: `${runDir}/ns`, file: `${runDir}/ns/mnt` }
}

export interface PinState {
  readonly isDirectoryMounted: boolean
  readonly isPinned: boolean
}

/** Reads proc_pid_mountinfo(5): field 5 is the mount point, with `\040` for a space. */
export function pinState(mountinfo: string, pin: NamespacePin): PinState {
  const points = new Set(
    mountinfo
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .map((point) => point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))),
  )
  return { isDirectoryMounted: points.has(pin.directory), isPinned: points.has(pin.file) }
}

/**
 * What makes the namespace. It lives as long as its pin, so mounts survive a daemon that is killed, and none of them can be left on
 * the host. `unshare` pins first and changes propagation afterwards, so that is left to `slavePlan`: a kill between the two would be for good.
 */
export function pinPlan(pin: NamespacePin, state: PinState): readonly ProgramCall[] {
  const bind = [
    { program: 'mount', args: ['--bind', pin.directory, pin.directory] },
    { program: 'mount', args: ['--make-private', pin.directory] },
  ]
  const make = { program: 'unshare', args: [`--mount=${pin.file}`, '--propagation', 'unchanged', 'true'] }
  // A daemon killed between bind and make-private leaves the mount shared: saying private once more costs nothing.
  const before = state.isDirectoryMounted ? bind.slice(1) : bind
  return state.isPinned ? [] : [...before, make]
}

/** The same call on one processor after the other. */
export function pinnedToEach(count: number, call: ProgramCall): readonly ProgramCall[] {
  return Array.from({ length: count }, (_, cpu) => ({
    program: 'taskset',
    args: ['--cpu-list', String(cpu), call.program, ...call.args],
  }))
}

/**
 * Said at every start: mounts of the host flow in (a disk that is mounted later can be bound into a container), ours do not flow out.
 */
export function slavePlan(pin: NamespacePin): ProgramCall {
  return { program: 'nsenter', args: [`--mount=${pin.file}`, '--', 'mount', '--make-rslave', '/'] }
}

/** Takes it away again; the kernel ends the namespace, and every mount in it, with its last process. */
export function unpinPlan(pin: NamespacePin, state: PinState): readonly ProgramCall[] {
  return [
    ...(state.isPinned ? [{ program: 'umount', args: [pin.file] }] : []),
    ...(state.isDirectoryMounted ? [{ program: 'umount', args: [pin.directory] }] : []),
  ]
}
