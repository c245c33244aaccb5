import { buildFlags } from '../build/flags.ts'
import { buildFromFlags } from '../build/from-flags.ts'
import { command } from '../command.ts'

export const build = command({
  name: 'build',
  usage: '[FLAGS] [DIRECTORY|ADDRESS|-]',
  summary: 'Build an image from a Dockerfile, or the images of a Compose file.',
  description:
    'Only what changed since the last build of a directory is sent to the daemon. With - an archive or a Dockerfile is read from the standard input. The daemon fetches an address: a git repository (https://host/name.git#branch:directory), an archive or a Dockerfile.\n\nWithout a directory the services of the Compose file in this one are built, several at a time.',
  examples: [
    ['build -t app:1 .', 'the Dockerfile in this directory'],
    ['build -f deploy/Dockerfile --build-arg VERSION=2 -t app:2 .', 'another file, with an argument'],
    ['build --secret id=token,env=TOKEN --ssh default .', 'with a secret and your SSH agent'],
    ['build --check .', 'what is likely wrong with the Dockerfile'],
    ['build -t app:1 https://git.example.org/app.git#main:src', 'a directory of a repository'],
    ['build --service web', 'the image of a service'],
    ['build -o out .', 'the files of the result in a directory'],
    ['build --platform linux/amd64,linux/arm64 --push -t registry.example.org/app:1 .', 'for two platforms, to a registry'],
  ],
  flags: buildFlags,
  operands: { min: 0, max: 1 },
  completes: ['directory'],
  run: async ({ flags, operands }, context) => await buildFromFlags(flags, operands[0], context),
})
