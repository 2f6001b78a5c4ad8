const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  return sum
})

/** CRC-32 as gzip and the checksums of Parquet pages use it */
export function checksum(bytes: Uint8Array, from = 0, to = bytes.byteLength): number {
  let sum = 0xffffffff
  for (let i = from; i < to; i++) sum = table[(sum ^ bytes[i]!) & 255]! ^ (sum >>> 8)
  return ~sum >>> 0
}
