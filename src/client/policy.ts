import type { NameMeaning, PolicyCheck, PolicyReport, ServiceAddressLine } from '#api/glovebox'

import { json } from './call.ts'
import type { Transport } from './transport.ts'

/** Who may talk to whom between applications, and where their services are reached. */
export interface PolicyCalls {
  report(): Promise<PolicyReport>
  /** `shop/web`, and `shop/db:5432` or an address. */
  check(from: string, to: string): Promise<PolicyCheck>
  addresses(): Promise<readonly ServiceAddressLine[]>
  /** `from`: a container, or `shop/web`. */
  explain(from: string, name: string): Promise<NameMeaning>
}

const V1 = '/glovebox/v1'

export function policyCalls(transport: Transport): PolicyCalls {
  return {
    report: () => json(transport, { method: 'GET', path: `${V1}/policy` }),
    check: (from, to) => json(transport, { method: 'GET', path: `${V1}/policy/check`, query: { from, to } }),
    addresses: () => json(transport, { method: 'GET', path: `${V1}/addresses` }),
    explain: (from, name) => json(transport, { method: 'GET', path: `${V1}/addresses/explain`, query: { from, name } }),
  }
}
