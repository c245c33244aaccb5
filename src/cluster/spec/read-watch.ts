import type { WatchExec, WatchRule } from './build-model.ts'
import { type Field, withoutNulls } from './fields.ts'
import { hostPath } from './paths.ts'
import { readCommand } from './read-command.ts'

const ACTIONS = ['sync', 'rebuild', 'restart', 'sync+restart', 'sync+exec'] as const

/** `develop: watch:`. */
export function readWatch(develop: Field): readonly WatchRule[] {
  develop.only(['watch'])
  return develop
    .child('watch')
    .items()
    .flatMap((item) => {
      item.only(['path', 'action', 'target', 'ignore', 'include', 'initial_sync', 'exec'])
      const path = item.child('path').text()
      const action = item.child('action').oneOf(ACTIONS)
      const target = item.child('target').text()
      if (path === null || action === null) return []
      const isSync = action.startsWith('sync')
      if (isSync && target?.startsWith('/') !== true)
        item.refuse(`"${action}" needs a "target", an absolute path in the container`)
      const exec = readExec(item.child('exec'))
      if (action === 'sync+exec' && exec === null) item.refuse('"sync+exec" needs an "exec" with a "command"')
      return [
        {
          path: hostPath(item.origin, path),
          action,
          target: isSync ? target : null,
          ignore: item.child('ignore').texts(),
          include: item.child('include').texts(),
          isInitialSync: item.child('initial_sync').flag() ?? false,
          exec: action === 'sync+exec' ? exec : null,
        },
      ]
    })
}

function readExec(exec: Field): WatchExec | null {
  if (!exec.isPresent) return null
  exec.only(['command', 'user', 'privileged', 'working_dir', 'environment'])
  const command = readCommand(exec.child('command')) ?? []
  if (command.length === 0) return null
  return {
    command,
    user: exec.child('user').text(),
    workingDir: exec.child('working_dir').text(),
    environment: withoutNulls(exec.child('environment').pairs()),
    isPrivileged: exec.child('privileged').flag() ?? false,
  }
}
