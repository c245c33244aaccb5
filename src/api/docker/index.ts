/**
 * The Docker Engine API, 1.24 to 1.51, over the engine's faces. What it takes it does; what it cannot do it refuses by name.
 * Nothing here keeps state: every answer is a translation of a record or of a stream.
 */
export { createDockerApi, type DockerApiOptions } from './api.ts'
export type * from './engine.ts'
export { dockerError } from './errors.ts'
export type * from './swarm/port.ts'
export { serviceChange, type ServiceAt } from './swarm/service-events.ts'
export { restated } from './swarm/restated.ts'
export { API_VERSION, MIN_API_VERSION } from './version.ts'
