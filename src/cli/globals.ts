import { alsoCalled, isSet, naming, refused, text } from './args/flags.ts'

/** Flags that every command takes, before or behind its name. */
export const globalFlags = {
  socket: alsoCalled(
    text(
      'ADDRESS',
      'The daemon to talk to: a socket, tcp://HOST or ssh://HOST (default $GLOVEBOX_HOST or /run/glovebox/docker.sock)',
      'H',
    ),
    'host',
  ),
  config: naming('directory', text('DIR', 'Where config.json of docker is (default $DOCKER_CONFIG or ~/.docker)')),
  context: refused('there are no contexts; name a daemon with --host', true, 'c'),
  version: isSet('The same as the command version', 'v'),
  root: text('DIR', 'Where the daemon keeps images and volumes (default /var/lib/glovebox)'),
  'run-dir': text('DIR', 'Where the daemon keeps what a reboot may lose (default /run/glovebox)'),
  'instance-name': text('NAME', 'Tells apart several daemons of one machine (default: from the run directory)'),
  'no-install': isSet('Never install missing Debian packages'),
  help: isSet('Show this help'),
} as const
