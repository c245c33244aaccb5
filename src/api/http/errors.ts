import { declareErrors } from '#base'

export const httpError = declareErrors({
  'http.route_unknown': 'not_found',
  'http.path_invalid': 'invalid',
  'http.query_invalid': 'invalid',
  'http.body_invalid': 'invalid',
  'http.body_too_large': 'invalid',
  'http.websocket_invalid': 'invalid',
  'http.socket_in_use': 'conflict',
  'http.socket_path_invalid': 'invalid',
  'http.group_unknown': 'invalid',
  'http.address_invalid': 'invalid',
  'http.address_in_use': 'conflict',
  'http.tls_invalid': 'invalid',
})
