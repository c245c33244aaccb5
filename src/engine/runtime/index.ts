/**
 * Runtime: OCI bundles to processes. Each process is held by a small shim, not by us: its streams, its log, its exit code
 * outlive the daemon. `docs/design/runtime.md` tells the frames, the files and what happens when who dies.
 */
export type { Adopted } from './adopt.ts'
export { runtimeError } from './errors.ts'
export { fakeRuntime, type FakeProcess, type FakeRuntime } from './fake-runtime.ts'
export type { OciCommands } from './oci-runtime.ts'
export { exitCodeOfFailure, type ExitRecord, type StartedRecord, type StateRecord } from './records.ts'
export type { PreparedExec } from './prepared-exec.ts'
export type { RunningProcess } from './running-process.ts'
export { shimRuntime, type ContainerStart, type ExecStart, type Runtime, type RuntimeOptions } from './runtime.ts'
export type { LogFile, OciRuntime, ShimOptions } from './shim-arguments.ts'
export type { ShimConnection, ShimListener } from './shim-connection.ts'
export { encodeFrame, frameType, type OutputStream, type Subscription } from './shim-frames.ts'
export type { ResourceUpdate } from './update-arguments.ts'
