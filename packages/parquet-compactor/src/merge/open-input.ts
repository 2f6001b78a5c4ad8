import type { Footer, RowGroupRange } from '../footer/footer.ts'
import type { PlannedRowGroup } from '../plan/plan-merge.ts'
import { FileReader } from '../read/file-reader.ts'
import type { InputFile } from '../read/input-file.ts'
import { nameSource } from '../read/inspect.ts'
import type { RowGroupSource } from '../splice/carry-chunk.ts'
import { readCarried } from '../splice/read-carried.ts'
import type { ReadInputs } from './read-inputs.ts'
import type { Settings } from './settings.ts'

/** @returns with its page indexes, where the file is not in memory as a whole and they fit */
export async function openInput(
  input: InputFile,
  mayPass: boolean,
  rangeOf: ReadInputs['rangeOf'],
  settings: Settings,
): Promise<{ file: FileReader; range: RowGroupRange; indexes: FileReader | undefined }> {
  const { source } = input
  const file = new FileReader(source, settings.signal)
  let indexes: FileReader | undefined
  try {
    if (input.bytes) file.hold(0, input.bytes)
    else if (source.byteLength <= settings.smallFileBytes) await file.prime(0, source.byteLength)
    const range = await rangeOf(input, file.held(0, source.byteLength))
    if (file.has(0, source.byteLength)) indexes = file
    else if (mayPass) {
      const columns = range.footer.schema.leaves.length
      const chunks: [number, number] = [range.from * columns, range.to * columns]
      const { signal, shares } = settings
      indexes = await readCarried(file, range.footer, chunks, 'pageIndexes', signal, shares.inputIndexes)
    }
    // each is due once
    input.bytes = undefined
    input.range = undefined
    return { file, range, indexes }
  } catch (error) {
    throw nameSource(error, source.name)
  }
}

/** Make a row group ready: in memory if it is to be joined with others, or if one read brings it. */
export async function openRowGroup(
  file: FileReader,
  indexes: FileReader | undefined,
  footer: Footer,
  rowGroup: number,
  planned: PlannedRowGroup,
  settings: Settings,
): Promise<RowGroupSource> {
  const columns = footer.schema.leaves.length
  const firstChunk = rowGroup * columns
  let bytes = 0
  let start = Number.POSITIVE_INFINITY
  let end = 0
  for (let chunk = firstChunk; chunk < firstChunk + columns; chunk++) {
    bytes += footer.chunkBytes[chunk]!
    start = Math.min(start, footer.chunkOffset[chunk]!)
    end = Math.max(end, footer.chunkOffset[chunk]! + footer.chunkBytes[chunk]!)
  }
  if (columns === 0 || file.has(0, file.source.byteLength)) return { file, footer, rowGroup, carried: [file] }
  const carried = planned.isStreamed ? [] : await readCarriedOfGroup(file, indexes, footer, rowGroup, settings)
  if (file.has(start, end - start)) return { file, footer, rowGroup, carried }
  const isJoined = !planned.isStreamed && planned.members > 1
  const most = isJoined ? settings.targetRowGroupBytes : settings.shares.filesAhead
  // one read for the row group if its chunks stand together
  const isDense = end - start <= Math.min(most, bytes * 1.25)
  // members of a row group each keep their own bytes
  const own = isJoined ? new FileReader(file.source, settings.signal) : file
  try {
    if (isDense) await own.prime(start, end - start)
  } catch (error) {
    throw nameSource(error, file.source.name)
  }
  return { file: own, footer, rowGroup, carried }
}

/** Page indexes, if they did not come with those of the whole file, and bloom filters of a row group of a large file. */
async function readCarriedOfGroup(
  file: FileReader,
  indexes: FileReader | undefined,
  footer: Footer,
  rowGroup: number,
  { signal, shares }: Settings,
): Promise<FileReader[]> {
  const columns = footer.schema.leaves.length
  const chunks: [number, number] = [rowGroup * columns, (rowGroup + 1) * columns]
  const limit = shares.inputIndexes
  try {
    const found = [
      indexes ?? (await readCarried(file, footer, chunks, 'pageIndexes', signal, limit)),
      await readCarried(file, footer, chunks, 'bloomFilters', signal, limit),
    ]
    return found.filter((reader) => reader !== undefined)
  } catch (error) {
    throw nameSource(error, file.source.name)
  }
}
