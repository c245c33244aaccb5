/**
 * Client: the daemon's API as typed calls over its unix socket, or over TCP with certificates on both sides. Refusals come back as house errors with the daemon's own code, kind and
 * hint; an absent daemon is `client.unreachable`.
 */
export { type BuildCalls, buildCallsOf, type BuildEndpoint, type ContextProgress, type WishBesideSource } from './builds.ts'
export { refusalOf } from './checked.ts'
export { type Client, createClient } from './client.ts'
export { type ContainerCalls, type DockerChange, type PathStat, type TerminalSize } from './containers.ts'
export type * from './docker-wire.ts'
export { type EnvironmentCalls } from './environments.ts'
export { clientError } from './errors.ts'
export { type Frame, frameReader } from './frames.ts'
export { type GloveboxCalls } from './glovebox.ts'
export { type ImageCalls } from './images.ts'
export { type JobCalls } from './jobs.ts'
export { jsonLines } from './lines.ts'
export { placeOf, type DaemonPlace } from './place.ts'
export { type NetworkCalls } from './networks.ts'
export { type PolicyCalls } from './policy.ts'
export { type RegistryCalls } from './registry.ts'
export { type RouteCalls } from './routes.ts'
export { type SystemCalls } from './system.ts'
export type { Query, Upgraded } from './transport.ts'
export { type VolumeCalls } from './volumes.ts'
