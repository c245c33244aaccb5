import { OPERATIONS, type ApiOperation } from './operations.ts'

const STATES: Readonly<Record<ApiOperation['state'], string>> = {
  done: 'done',
  refused: 'refused by name',
}

/** docs/api-coverage.md */
export function coveragePage(): string {
  const count = (state: ApiOperation['state']) => OPERATIONS.filter((operation) => operation.state === state).length
  const rows = OPERATIONS.map(({ name, state, note = '' }) => `| \`${name}\` | ${STATES[state]} | ${note} |`)
  return [
    '# Operations of the Docker Engine API',
    '',
    'Made by `node tools/api-coverage.ts` from the table that `test/client/schema.test.ts` runs over; `npm run check` keeps the two equal. Versions 1.24 to 1.51',
    'are spoken, with and without a prefix. For each operation that is done, the tests check its answers at 1.24, 1.41, 1.44, 1.51 and without a prefix',
    'against the description of the API: status, every field, and no field that is not described.',
    '',
    `${count('done')} are done and ${count('refused')} are refused with status 501 and a message that names them. Those of swarm mode answer 503 before \`docker swarm init\`, as dockerd does on a node that is in no swarm.`,
    '',
    '| Operation | State | Note |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
