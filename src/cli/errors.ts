import { declareErrors } from '#base'

export const cliError = declareErrors({
  'cli.usage': 'invalid',
  'cli.unsupported': 'unsupported',
  'cli.failed': 'internal',
  'cli.not_found': 'not_found',
  'cli.conflict': 'conflict',
  'cli.denied': 'denied',
  'cli.host_incomplete': 'unavailable',
  'cli.daemon_died': 'unavailable',
  'cli.stack_failed': 'unavailable',
  'cli.cancelled': 'cancelled',
  'cli.timeout': 'timeout',
})
