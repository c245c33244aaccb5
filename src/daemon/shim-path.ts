import { join } from 'node:path'

/** The compiled shim: `build/native` beside the bundle, or below the root of the sources when they run as they are. */
export function shimPath(): string {
  const here = import.meta.dirname
  return here.endsWith('/src/daemon') ? join(here, '../../build/native/glovebox-shim') : join(here, 'native/glovebox-shim')
}
