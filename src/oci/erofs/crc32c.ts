/** CRC-32C (Castagnoli, reflected), started with all ones and without the final inversion, as EROFS stores it. For short inputs. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0x82f6_3b78 & -(crc & 1))
  }
  return crc >>> 0
}
