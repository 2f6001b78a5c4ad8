import { closeSync, openSync, writeSync } from 'node:fs'
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { expect } from 'vitest'
import { type ComposedTail, type ComposeOptions, FooterComposer } from '../../src/index.ts'
import { query, store } from '../engines.ts'
import { type ComposedLayout, type PlacedFile, strayRanges } from './stray-ranges.ts'

export interface ComposedFile extends ComposedTail, ComposedLayout {
  /** of the composed file */
  byteLength: number
}

/** @returns files one behind the other, `gap` bytes apart */
export function placed(files: readonly Uint8Array[], gap = 0, first = 0): PlacedFile[] {
  let address = first
  return files.map((bytes) => {
    const file = { bytes, address }
    address += bytes.length + gap
    return file
  })
}

export function compose(files: PlacedFile[], options: ComposeOptions = {}, tailGap = 0): ComposedFile {
  const composer = new FooterComposer(options)
  for (const [number, { bytes, address }] of files.entries()) {
    composer.add({ source: `file-${number}`, address, byteLength: bytes.length, tail: bytes })
  }
  const tailAddress = Math.max(0, ...files.map(({ bytes, address }) => address + bytes.length)) + tailGap
  const tail = composer.finish(tailAddress)
  return { ...tail, files, tailAddress, byteLength: tailAddress + tail.bytes.length }
}

/** Write the composed file to disk, where the holes between files take no room. */
export function storeComposed({ files, bytes, tailAddress }: ComposedFile): string {
  const path = store(new Uint8Array())
  const descriptor = openSync(path, 'w')
  for (const part of [...files, { bytes, address: tailAddress }]) {
    writeSync(descriptor, part.bytes, 0, part.bytes.length, part.address)
  }
  closeSync(descriptor)
  return path
}

/** The whole composed file, for layouts that are small enough. */
export function bytesOf({ files, bytes, tailAddress, byteLength }: ComposedFile): Uint8Array {
  const whole = new Uint8Array(byteLength)
  for (const file of files) whole.set(file.bytes, file.address)
  whole.set(bytes, tailAddress)
  return whole
}

/** Serves the composed file from memory. @param ranges gets each one that is read */
export function bufferOf(
  { files, bytes, tailAddress, byteLength }: ComposedFile,
  ranges: ReadRange[] = [],
): AsyncBuffer {
  const parts = [...files, { bytes, address: tailAddress }]
  return {
    byteLength,
    slice(start, end = byteLength) {
      const from = start < 0 ? byteLength + start : start
      ranges.push({ start: from, end })
      const slice = new Uint8Array(end - from)
      for (const part of parts) {
        const first = Math.max(from, part.address)
        const last = Math.min(end, part.address + part.bytes.length)
        if (first < last) slice.set(part.bytes.subarray(first - part.address, last - part.address), first - from)
      }
      return slice.buffer
    },
  }
}

export interface ReadRange {
  start: number
  end: number
}

type Filter = Parameters<typeof parquetReadObjects>[0]['filter']

/** With all columns named: hyparquet takes the chunks of a row group to be in ascending order where none is. */
export async function readComposed(
  composed: ComposedFile,
  filter?: Filter,
  ranges?: ReadRange[],
): Promise<Record<string, unknown>[]> {
  const metadata = await metadataOfComposed(composed)
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name)
  return parquetReadObjects({
    file: bufferOf(composed, ranges),
    metadata,
    columns,
    compressors,
    ...(filter && { filter }),
  })
}

export async function metadataOfComposed(composed: ComposedFile): Promise<FileMetaData> {
  return parquetMetadataAsync(bufferOf(composed), { geoparquet: false })
}

/** Run a query in which TABLE stands for the composed file. */
export function queryComposed(composed: ComposedFile, sql = 'select * from TABLE'): Promise<unknown[][]> {
  return query(sql.replaceAll('TABLE', `'${storeComposed(composed)}'`))
}

/** Every byte range that the footer names lies in exactly one file before its footer, or among the pages of the tail. */
export async function expectOwnRanges(composed: ComposedFile): Promise<void> {
  expect(strayRanges(composed, await metadataOfComposed(composed))).toEqual([])
}
