import type { StackService } from '#api/glovebox'

import type { Paint } from '../output/colour.ts'

/** `web  http://localhost:8080`: one line an address that a person can open. */
export function urlLines(services: readonly StackService[], paint: Paint): string {
  const width = Math.max(0, ...services.map((service) => service.name.length))
  return services
    .flatMap((service) => service.urls.map((url) => `${service.name.padEnd(width)}  ${paint('cyan', url)}\n`))
    .join('')
}
