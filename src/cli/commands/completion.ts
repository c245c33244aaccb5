import { command } from '../command.ts'
import { completionScript, SHELLS } from '../completion/script.ts'
import { cliError } from '../errors.ts'

export const completion = command({
  name: 'completion',
  usage: SHELLS.join('|'),
  summary: 'Completion script for bash, zsh or fish.',
  examples: [
    ['completion bash > /etc/bash_completion.d/glovebox', 'for every user of bash'],
    ['completion zsh > /usr/share/zsh/vendor-completions/_glovebox', 'for every user of zsh'],
    ['completion fish > ~/.config/fish/completions/glovebox.fish', 'for fish'],
  ],
  flags: {},
  operands: { min: 1, max: 1 },
  completes: [SHELLS],
  run: async ({ operands }, context) => {
    const shell = SHELLS.find((name) => name === operands[0])
    if (shell === undefined)
      throw cliError('cli.usage', `completion: ${JSON.stringify(operands[0])} is none of ${SHELLS.join(', ')}`)
    context.terminal.stdout.write(completionScript(shell))
    return 0
  },
})
