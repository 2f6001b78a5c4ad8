/** The same bytes as a Uint8Array proper: what the `slice` of Node's Buffer returns is a view, which keeps all of it. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (Object.getPrototypeOf(bytes) === Uint8Array.prototype) return bytes
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
