/**
 * HTTP on a unix socket, and with TLS both ways on TCP, as far as every API of the house needs it: routes, bounded bodies, typed queries, answers with backpressure,
 * and the one table from kinds of errors to statuses. Knows nothing of what it serves.
 */
export { isObject, parseJsonObject, readBytes, readJson, type JsonObject } from './body.ts'
export { httpError } from './errors.ts'
export { observeAnswer, type ObserveRequest } from './observe-request.ts'
export { readQuery, type Query } from './query.ts'
export { sendBytes, sendEmpty, sendJson, sendStream, startStream, write } from './reply.ts'
export { createRouter, type Matched, type Params, type RouteSpec } from './router.ts'
export { serve, type HttpApi, type ServeOptions, type Serving } from './serve.ts'
export { serveTcp, type TcpServeOptions } from './serve-tcp.ts'
export { serveTls, type TlsServeOptions } from './serve-tls.ts'
export { isGroup } from './socket-path.ts'
export type { TlsFiles } from './tls-files.ts'
export { messageFor, statusOf } from './status.ts'
export { acceptOf, OPCODE, websocketFrame, websocketReader, type WebsocketFrame } from './websocket.ts'
