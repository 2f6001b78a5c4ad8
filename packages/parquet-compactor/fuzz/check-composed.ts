import { parquetMetadata } from 'hyparquet'
import { FooterComposer, ParquetError } from '../src/index.ts'
import { type PlacedFile, strayRanges } from '../test/support/stray-ranges.ts'

/**
 * Compose a changed file between two sound ones.
 * @returns whether it was taken
 * @throws what must not be: an error of another kind or of another file, a footer that points outside of its files, a trace of a
 *   file that was refused
 */
export function checkComposed(mutated: Uint8Array, sound: Uint8Array): boolean {
  const files: PlacedFile[] = []
  let address = 0
  for (const bytes of [sound, mutated, sound]) {
    files.push({ bytes, address })
    address += bytes.length + 16
  }
  const composer = new FooterComposer()
  const isTaken = addAll(composer, files)
  const tailAddress = address
  const tail = composer.finish(tailAddress)
  // hyparquet reads no buffer that is longer than it says
  const metadata = parquetMetadata(new Uint8Array(tail.bytes).buffer, { geoparquet: false })
  const strays = strayRanges({ files, tailAddress, ...tail }, metadata)
  if (strays.length > 0) throw new Error(`composed: ${strays.slice(0, 3).join('; ')}`)
  if (isTaken) return true
  const alone = new FooterComposer()
  addAll(alone, [files[0]!, files[2]!])
  if (Buffer.compare(alone.finish(tailAddress).bytes, tail.bytes) !== 0)
    throw new Error('composed: a refused file left a trace')
  return false
}

/** @returns whether all were taken; the second of three may be refused */
function addAll(composer: FooterComposer, files: readonly PlacedFile[]): boolean {
  let areAllTaken = true
  for (const [at, { bytes, address }] of files.entries()) {
    const source = files.length === 3 && at === 1 ? 'fuzz' : 'sound'
    try {
      composer.add({ source, address, byteLength: bytes.length, tail: bytes })
    } catch (error) {
      if (!(error instanceof ParquetError) || source === 'sound') throw error
      if (error.source !== 'fuzz') throw new Error(`composed: the error names another file: ${error.message}`)
      areAllTaken = false
    }
  }
  return areAllTaken
}
