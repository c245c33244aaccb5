/** Every field of a service that means something here. All others are refused by name. */
export const SERVICE_FIELDS: readonly string[] = [
  ...['annotations', 'attach', 'blkio_config', 'build', 'cap_add', 'cap_drop', 'cgroup', 'cgroup_parent', 'command', 'configs'],
  ...['container_name', 'cpu_period', 'cpu_quota', 'cpu_rt_period', 'cpu_rt_runtime', 'cpu_shares', 'cpus', 'cpuset'],
  ...['depends_on', 'deploy', 'develop', 'device_cgroup_rules', 'devices', 'dns', 'dns_opt', 'dns_search', 'domainname'],
  ...['entrypoint', 'env_file', 'environment', 'expose', 'external_links', 'extra_hosts', 'group_add', 'healthcheck'],
  ...['hostname', 'image', 'init', 'ipc', 'isolation', 'label_file', 'labels', 'links', 'logging', 'mac_address', 'mem_limit'],
  ...['mem_reservation', 'mem_swappiness', 'memswap_limit', 'network_mode', 'networks', 'oom_kill_disable', 'oom_score_adj'],
  ...['pid', 'pids_limit', 'platform', 'ports', 'post_start', 'pre_stop', 'privileged', 'profiles', 'pull_policy'],
  ...['read_only', 'restart', 'runtime', 'scale', 'secrets', 'security_opt', 'shm_size', 'stdin_open', 'stop_grace_period'],
  ...['stop_signal', 'sysctls', 'tmpfs', 'tty', 'ulimits', 'user', 'userns_mode', 'uts', 'volumes', 'volumes_from'],
  'working_dir',
]

/** Why the others are not there. */
export const REFUSED_FIELDS: Readonly<Record<string, string>> = {
  cpu_count: 'it is for Windows; use "cpus"',
  cpu_percent: 'it is for Windows; use "cpus"',
  credential_spec: 'it is for Windows',
  gpus: 'the engine has no GPUs',
  models: 'nothing here runs models',
  provider: 'programs of others are not run for a service',
  pull_refresh_after: 'images are pulled when they are missing or always',
  storage_opt: 'writable layers are not on a file system that counts by project',
  use_api_socket: 'mount the socket that is wanted under "volumes"',
}
