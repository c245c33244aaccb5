import { expandWord, type Instruction, parseDockerfile } from '#oci/dockerfile'

export interface DockerfileUse {
  readonly file: string
  readonly text: string
  readonly args: Readonly<Record<string, string>>
}

/** Pure: images of others that a Dockerfile begins from or copies out of; stages of its own and `scratch` are none. Errors: `dockerfile.*`. */
export function baseImages(use: DockerfileUse): readonly string[] {
  const { instructions, escape } = parseDockerfile(use.text, { file: use.file })
  const values = new Map<string, string>()
  const stages = new Set<string>()
  const images = new Set<string>()
  let stageCount = 0
  const expand = (word: string, instruction: Instruction) =>
    expandWord(word, { place: { file: use.file, line: instruction.lines.first }, escape, lookup: (name) => values.get(name) })
  for (const instruction of instructions) {
    if (instruction.kind === 'arg' && stageCount === 0)
      for (const { name, value } of instruction.args) {
        const given = use.args[name] ?? (value === undefined ? undefined : expand(value, instruction))
        if (given !== undefined) values.set(name, given)
      }
    if (instruction.kind === 'from') {
      add(expand(instruction.image, instruction))
      if (instruction.stage !== undefined) stages.add(instruction.stage)
      stageCount += 1
    }
    if (instruction.kind === 'copy' && instruction.from !== undefined) add(expand(instruction.from, instruction))
    if (instruction.kind === 'run')
      for (const mount of instruction.mounts) add(expand(mount.options.get('from') ?? '', instruction))
  }
  return [...images]

  function add(image: string): void {
    const isStage = stages.has(image.toLowerCase()) || /^\d+$/.test(image)
    if (image !== '' && image !== 'scratch' && !isStage) images.add(image)
  }
}
