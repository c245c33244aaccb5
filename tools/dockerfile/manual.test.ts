import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fakeMachine, streamOf, tarOf } from '../../src/engine/builder/fake-ports.ts'
import { createBuilder, receiveContext, type BuildEvent } from '../../src/engine/builder/index.ts'

/** As the operator's manual shows it, and what builds of that time went on with. */
const GO_PROJECT = `FROM golang:1.9.2-alpine3.6
RUN apk add --no-cache git
RUN go get github.com/golang/dep/cmd/dep
COPY Gopkg.lock Gopkg.toml /go/src/project/
WORKDIR /go/src/project/
RUN dep ensure -vendor-only
COPY . /go/src/project/
RUN go build -o /bin/project

FROM scratch
COPY --from=0 /bin/project /bin/project
ENTRYPOINT ["/bin/project"]
CMD ["--help"]
`

test('the Dockerfile of the manual is checked without a finding, planned and built, and a changed source leaves the vendored step alone', async () => {
  using machine = fakeMachine(({ args, workingDir }) => {
    const text = args.at(-1) ?? ''
    if (text.startsWith('dep ensure')) return { files: { [`${workingDir.slice(1)}/vendor/lib.go`]: 'vendored' } }
    return text.startsWith('go build')
      ? { files: { 'bin/project': 'program' } }
      : { files: { [`done/${text.split(' ')[0]}`]: text } }
  })
  await machine.addImage(
    'golang:1.9.2-alpine3.6',
    { bin: null, go: null },
    { env: ['GOPATH=/go', 'PATH=/go/bin:/usr/local/go/bin:/bin'] },
  )
  const builder = createBuilder(machine.ports)
  const context = async (main: string) =>
    await receiveContext(
      streamOf(await tarOf({ Dockerfile: GO_PROJECT, 'Gopkg.lock': 'l', 'Gopkg.toml': 't', 'main.go': main })),
      machine.ports,
    )
  const build = async (main: string) => {
    const events: BuildEvent[] = []
    await using received = await context(main)
    const { imageId } = await builder.run({ context: received }, (event) => events.push(event))
    return { events, image: machine.image(imageId) }
  }
  const findings: BuildEvent[] = []
  await using checked = await context('one')
  await builder.check({ context: checked }, (event) => findings.push(event))
  assert.deepEqual(findings, [])
  const { image } = await build('one')
  assert.deepEqual(await machine.files(image.diffIds), { bin: null, 'bin/project': 'program' })
  assert.deepEqual(image.config.entrypoint, ['/bin/project'])
  const ran = machine.runs.length
  await build('two')
  assert.deepEqual(
    machine.runs.slice(ran).map(({ args }) => args.at(-1)),
    ['go build -o /bin/project'],
  )
})
