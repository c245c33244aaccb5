/**
 * Images: content-addressed configurations and layers, their names, and the ways in and out (load, save, import, commit, bootstrap).
 * Nothing becomes visible before all that it names is stored and its digest checked.
 */
export { applyChanges } from './changes.ts'
export { imageError } from './errors.ts'
export { createImages, type ImagesNeeds } from './images.ts'
export type * from './port.ts'
export type { ImageUser, LayerSnapshots } from './snapshots-port.ts'
export { hostTools, type BootstrapTools } from './bootstrap/tools.ts'
export { reporting } from './load/progress.ts'
