import type { ReadContext } from './context.ts'
import { type Field, withoutNulls } from './fields.ts'
import type { SecuritySpec } from './model.ts'
import { hostPath } from './paths.ts'

export function readSecurity(service: Field, context: ReadContext): SecuritySpec {
  const plain = { isNoNewPrivileges: false, isSeccompUnconfined: false, isSystemPathsUnconfined: false }
  const options = service.child('security_opt').items()
  return {
    isPrivileged: service.child('privileged').flag() ?? false,
    isReadOnlyRoot: service.child('read_only').flag() ?? false,
    capAdd: service.child('cap_add').texts(),
    capDrop: service.child('cap_drop').texts(),
    ...options.reduce((settled, item) => ({ ...settled, ...readOption(item, context) }), plain),
    sysctls: withoutNulls(service.child('sysctls').pairs()),
  }
}

/** `key=value`, or in the older spelling `key:value`. */
function readOption(item: Field, context: ReadContext): Partial<SecuritySpec> {
  const text = item.text() ?? ''
  const [, name = text, value = 'true'] = /^([a-z-]+)[=:]([\s\S]*)$/.exec(text) ?? []
  if (name === 'no-new-privileges' && (value === 'true' || value === 'false')) return { isNoNewPrivileges: value === 'true' }
  if (name === 'seccomp' && value === 'unconfined') return { isSeccompUnconfined: true }
  if (name === 'seccomp' && value !== 'true') return readProfile(item, value, context)
  if (name === 'systempaths' && value === 'unconfined') return { isSystemPathsUnconfined: true }
  if (name === 'apparmor' && value !== 'true') return value === 'unconfined' ? {} : { apparmor: value }
  // There are no SELinux labels here, and nothing to disable.
  if (name === 'label' && value === 'disable') return {}
  if (text !== '') item.refuse(`"security_opt" entry ${JSON.stringify(text)} is not supported`)
  return {}
}

function readProfile(item: Field, path: string, context: ReadContext): Partial<SecuritySpec> {
  if (path === 'builtin') return {}
  const profile = context.readFile(hostPath(item.origin, path))
  if (profile === null) item.refuse(`the seccomp profile ${path} does not exist`)
  else if (!isJson(profile)) item.refuse(`the seccomp profile ${path} is not JSON`)
  else return { seccompProfile: profile }
  return {}
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
