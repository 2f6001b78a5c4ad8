import type { FileHandle } from 'node:fs/promises'

/** @returns fewer bytes only where the file has ended */
export async function readBytes(file: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  // all that is returned is read into
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) return bytes.subarray(0, done)
    done += bytesRead
  }
  return bytes
}

/** Write bytes where the last ones ended. */
export async function appendBytes(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) done += (await file.write(bytes, done)).bytesWritten
}
