import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { printable } from '../output/colour.ts'
import { renderFields } from '../output/table.ts'
import { binaryBytes } from '../output/units.ts'

const SHOWN: readonly (readonly [key: string, title: string])[] = [
  ['Name', 'host'],
  ['OperatingSystem', 'system'],
  ['KernelVersion', 'kernel'],
  ['Architecture', 'architecture'],
  ['NCPU', 'CPUs'],
  ['MemTotal', 'memory'],
  ['ServerVersion', 'daemon'],
  ['DockerRootDir', 'root'],
  ['Driver', 'snapshots'],
  ['CgroupDriver', 'cgroup driver'],
  ['CgroupVersion', 'cgroup version'],
  ['Containers', 'containers'],
  ['ContainersRunning', '  running'],
  ['ContainersPaused', '  paused'],
  ['ContainersStopped', '  stopped'],
  ['Images', 'images'],
]

export const info = command({
  name: 'info',
  usage: '',
  summary: 'What the daemon and its host are.',
  examples: [],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const all = await (await context.client()).system.info()
    if (flags.format === 'json') {
      context.terminal.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
      return 0
    }
    const fields = SHOWN.filter(([key]) => all[key] !== undefined).map(([key, title]) => [title, show(key, all[key])] as const)
    const warnings = Array.isArray(all['Warnings'])
      ? all['Warnings'].map((text) => `${context.paint('yellow', 'warning:')} ${printable(String(text))}\n`)
      : []
    context.terminal.stdout.write(renderFields(fields) + warnings.join(''))
    return 0
  },
})

function show(key: string, value: unknown): string {
  if (key === 'MemTotal' && typeof value === 'number') return binaryBytes(value)
  return printable(String(value))
}
