import type { Call, RouteContext } from '../call.ts'
import { connect, hijackable } from '../hijack.ts'
import { idOf } from './ids.ts'

/** POST /containers/{id}/attach. */
export async function attachContainer(call: Call, { engine, clock }: RouteContext): Promise<void> {
  const { query } = call
  const connection = hijackable(call)
  const stream = await engine.containers.attach(idOf(call), {
    stdin: query.bool('stdin'),
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
    stream: query.bool('stream'),
    logs: query.bool('logs'),
    detachKeys: query.text('detachKeys'),
  })
  // Some clients send the query once more as a body: that is no input of the container's.
  if (call.upgrade !== null && Number(call.request.headers['content-length'] ?? 0) > 0) await connection.readBody()
  await connect(connection, stream, clock)
}
