/** DNS over TCP, RFC 1035 section 4.2.2: two bytes of length before each message. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** Cuts a stream into messages. What it holds back is at most one message: 64 KB. */
export function messagesOf(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 2) {
      const length = rest.readUInt16BE(0)
      if (rest.length < 2 + length) return
      const message = Buffer.from(rest.subarray(2, 2 + length))
      rest = rest.subarray(2 + length)
      onMessage(message)
    }
  }
}
