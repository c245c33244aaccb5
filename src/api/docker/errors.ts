import { declareErrors } from '#base'

export const dockerError = declareErrors({
  'docker.version_unsupported': 'invalid',
  'docker.field_invalid': 'invalid',
  'docker.field_unsupported': 'unsupported',
  'docker.filter_invalid': 'invalid',
  'docker.option_conflict': 'invalid',
  'docker.option_unsupported': 'unsupported',
  'docker.parameter_missing': 'invalid',
  'docker.route_unsupported': 'unsupported',
  'docker.not_a_swarm_manager': 'unavailable',
  /** A network of the swarm that is for services alone. */
  'docker.not_attachable': 'denied',
  'docker.node_is_in_swarm': 'unavailable',
  'docker.swarm_name_in_use': 'conflict',
  'docker.swarm_not_locked': 'conflict',
  'docker.swarm_not_found': 'not_found',
  'docker.update_out_of_sequence': 'conflict',
  'docker.platform_unsupported': 'not_found',
})
