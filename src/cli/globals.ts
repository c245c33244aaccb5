import { isSet, text } from './args/flags.ts'

/** Flags that every command takes, before or behind its name. */
export const globalFlags = {
  socket: text('PATH', 'The daemon to talk to (default $GLOVEBOX_HOST or /run/glovebox/docker.sock)', 'H'),
  root: text('DIR', 'Where the daemon keeps images and volumes (default /var/lib/glovebox)'),
  'run-dir': text('DIR', 'Where the daemon keeps what a reboot may lose (default /run/glovebox)'),
  'instance-name': text('NAME', 'Tells apart several daemons of one machine (default: from the run directory)'),
  'no-install': isSet('Never install missing Debian packages'),
  help: isSet('Show this help'),
} as const
