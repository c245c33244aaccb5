import { declareErrors } from '#base'

export const dashboardError = declareErrors({
  'dashboard.signed_out': 'denied',
  'dashboard.sign_in_refused': 'denied',
  'dashboard.forged': 'denied',
  'dashboard.role_too_low': 'denied',
  'dashboard.too_many_sign_ins': 'exhausted',
  'dashboard.too_many_streams': 'exhausted',
  'dashboard.user_invalid': 'invalid',
  'dashboard.user_unknown': 'not_found',
  'dashboard.request_invalid': 'invalid',
  'dashboard.page_unknown': 'not_found',
  'dashboard.page_not_built': 'unavailable',
  'dashboard.address_in_use': 'conflict',
  'dashboard.address_invalid': 'invalid',
  'dashboard.tls_invalid': 'invalid',
})
