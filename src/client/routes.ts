import type { WireRoute, WireRouteDetail } from '#api/glovebox'

import { json, segment } from './call.ts'
import type { Transport } from './transport.ts'

/** Where traffic comes in and who answers it. */
export interface RouteCalls {
  list(): Promise<readonly WireRoute[]>
  inspect(id: string): Promise<WireRouteDetail>
  /** Percent by group; null: as it is written down. */
  shift(id: string, shares: Readonly<Record<string, number>> | null): Promise<WireRoute>
}

const BASE = '/glovebox/v1/routes'

export function routeCalls(transport: Transport): RouteCalls {
  return {
    list: () => json(transport, { method: 'GET', path: BASE }),
    inspect: (id) => json(transport, { method: 'GET', path: `${BASE}/${segment(id)}` }),
    shift: (id, shares) => json(transport, { method: 'PUT', path: `${BASE}/${segment(id)}/shares`, json: { shares } }),
  }
}
