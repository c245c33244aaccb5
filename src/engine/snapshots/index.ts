/**
 * Snapshots: from a list of layers to a root file system. A layer is made usable once, whole or not at all, and no name from an image
 * ever becomes a path on the host: on kernels that can, the layer's tar is mounted in place through an index; elsewhere a process
 * confined to the target directory unpacks it. Both ways show the same tree. Mounts live in the daemon's mount namespace, which
 * outlives the daemon; `recover` adopts them. See docs/design/layers.md. Errors: `snapshot.*`, `layer.*`, `tar.*`.
 */
export { chooseDriver, type DriverChoice, type DriverFacts } from './choose-driver.ts'
export { snapshotError } from './errors.ts'
export { checkMountPoints } from './mount-points.ts'
export type { Change, ContainerSnapshot, LayerKind, LayerSnapshot, Snapshots } from './port.ts'
export { probeErofs } from './probe-erofs.ts'
export { createSnapshots, openSnapshots, type SnapshotsNeeds } from './snapshots.ts'
