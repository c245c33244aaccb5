import { text } from '../args/flags.ts'
import { command } from '../command.ts'
import { printable } from '../output/colour.ts'
import { renderFields } from '../output/table.ts'
import { binaryBytes } from '../output/units.ts'
import { absentFields } from '../listing/absent-fields.ts'
import { compileTemplate } from '../template/template.ts'

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
  examples: [
    ['info', 'what matters'],
    ["info --format '{{.ServerVersion}} {{.CgroupVersion}}'", 'chosen fields'],
  ],
  flags: { format: text('FORMAT', "text (default), json, or a template such as '{{.ServerVersion}}'", 'f') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const all = await (await context.client()).system.info()
    if (flags.format !== undefined && flags.format !== 'text') {
      const isJson = flags.format === 'json' || flags.format === '{{json .}}'
      const line = isJson ? JSON.stringify(all) : compileTemplate(flags.format, absentFields(all)).render(all)
      context.terminal.stdout.write(`${line}\n`)
      return 0
    }
    const fields = SHOWN.filter(([key]) => all[key] !== undefined).map(([key, title]) => [title, show(key, all[key])] as const)
    const warnings = Array.isArray(all['Warnings'])
      ? all['Warnings'].map((warning) => `${context.paint('yellow', 'warning:')} ${printable(String(warning))}\n`)
      : []
    context.terminal.stdout.write(renderFields(fields) + warnings.join(''))
    return 0
  },
})

function show(key: string, value: unknown): string {
  if (key === 'MemTotal' && typeof value === 'number') return binaryBytes(value)
  return printable(String(value))
}
