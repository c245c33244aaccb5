import { declareErrors } from '#base'

export const networkError = declareErrors({
  'network.not_found': 'not_found',
  'network.ambiguous': 'invalid',
  'network.invalid': 'invalid',
  'network.unsupported': 'unsupported',
  'network.name_in_use': 'conflict',
  'network.in_use': 'conflict',
  'network.predefined': 'denied',
  'network.subnet_in_use': 'conflict',
  'network.pools_exhausted': 'exhausted',
  'network.pool_exhausted': 'exhausted',
  'network.address_in_use': 'conflict',
  'network.already_attached': 'conflict',
  'network.not_attached': 'not_found',
  'network.port_in_use': 'conflict',
  'network.no_free_port': 'exhausted',
  'network.no_sandbox': 'conflict',
  'network.dns_malformed': 'invalid',
})
