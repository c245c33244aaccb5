import { existsSync } from 'node:fs'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { installPlan, type InstallPlan, type Requirement, SERVICES } from './host-packages.ts'
import { findProgram, runProgram } from './programs.ts'

/** Sees to it that the programs are there, installing Debian packages where it may. Errors: `cli.host_incomplete`. */
export async function ensurePrograms(requirements: readonly Requirement[], context: CliContext): Promise<void> {
  const isThere = (name: string) => (name.startsWith('/') ? existsSync(name) : findProgram(name, context.env) !== undefined)
  const plan = installPlan(requirements, isThere)
  if (plan.packages.length === 0) return
  const say = (text: string) => void context.terminal.stderr.write(`${text}\n`)
  say(describe(plan))
  if (!context.mayInstall) throw incomplete(plan, 'and installing is switched off (--no-install)')
  if (findProgram('apt-get', context.env) === undefined) throw incomplete(plan, 'and there is no apt-get to install them')
  if (process.getuid?.() !== 0) throw incomplete(plan, 'and installing them takes root')
  await install(plan.packages, context, say)
  const still = installPlan(requirements, isThere)
  if (still.packages.length > 0) throw incomplete(still, 'even after installing')
}

function describe(plan: InstallPlan): string {
  const byPackage = plan.packages.map((name) => {
    const purposes = new Set(plan.missing.filter((one) => one.package === name).map((one) => one.purpose))
    return `  ${name.padEnd(12)} ${[...purposes].join(', ')}`
  })
  return ['This host lacks Debian packages that containers need here:', ...byPackage].join('\n')
}

function incomplete(plan: InstallPlan, why: string): Error {
  return cliError('cli.host_incomplete', `missing on this host: ${plan.missing.map((one) => one.program).join(', ')}; ${why}`, {
    hint: `Install them yourself: apt-get install ${plan.packages.join(' ')}`,
  })
}

async function install(packages: readonly string[], context: CliContext, say: (text: string) => void): Promise<void> {
  const services = packages.flatMap((name) => SERVICES[name] ?? [])
  say(
    `Installing ${packages.join(', ')} with apt-get.${services.length > 0 ? ' Their own services are neither started nor enabled.' : ''}`,
  )
  // Without systemd, invoke-rc.d asks for the runlevel and starts no service in 1; under systemd the units are masked meanwhile.
  const env = { ...context.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', LC_ALL: 'C' }
  const hasSystemd = existsSync('/run/systemd/system') && services.length > 0
  const hasSysv = findProgram('update-rc.d', env) !== undefined
  const systemctl = (...args: string[]) => runProgram({ program: 'systemctl', args: [...args, ...services] }, { env })
  if (hasSystemd) await systemctl('mask', '--runtime')
  try {
    await aptInstall(packages, env, say)
  } finally {
    if (hasSystemd) {
      await systemctl('unmask', '--runtime')
      await systemctl('disable')
    }
    // Fails for a service that has no script for sysvinit, and then there is nothing to switch off.
    if (!hasSystemd && hasSysv)
      for (const service of services)
        await runProgram({ program: 'update-rc.d', args: [service.replace('.service', ''), 'disable'] }, { env })
  }
}

async function aptInstall(packages: readonly string[], env: NodeJS.ProcessEnv, say: (text: string) => void): Promise<void> {
  const get = (...args: string[]) =>
    runProgram({ program: 'apt-get', args: ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', ...args] }, { env })
  const wanted = ['install', '--no-install-recommends', ...packages]
  const first = await get(...wanted)
  if (first.code === 0) return
  // Most likely there are no package lists yet, or they name versions that are gone.
  say('Fetching the package lists (apt-get update), because they are missing or old.')
  const update = await get('update')
  const second = update.code === 0 ? await get(...wanted) : update
  if (second.code === 0) return
  throw cliError('cli.host_incomplete', `apt-get could not install ${packages.join(', ')}:\n${lastLines(second.output, 12)}`)
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
