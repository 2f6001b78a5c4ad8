import type { KeyValue } from '../footer/footer.ts'
import { MAGIC } from '../format/format.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import type { ThriftWriter } from '../format/thrift-writer.ts'
import type { Schema } from '../schema/schema.ts'
import { CREATED_BY } from './created-by.ts'

const CREATED_BY_BYTES = new TextEncoder().encode(CREATED_BY)

/** Begin FileMetaData, up to its row groups, which are appended next as they are encoded. */
export function beginFileMetadata(writer: ThriftWriter, schema: Schema, rows: number, rowGroups: number): void {
  writer.open()
  writer.i32(1, 2)
  writer.list(2, THRIFT.STRUCT, schema.elementCount)
  writer.out.append(schema.elementBytes)
  writer.i64(3, rows)
  writer.list(4, THRIFT.STRUCT, rowGroups)
}

/**
 * End FileMetaData behind its row groups, and the file.
 * @param bytesBefore of the metadata that are no longer in the buffer
 */
export function endFileMetadata(
  writer: ThriftWriter,
  schema: Schema,
  keyValues: readonly KeyValue[],
  bytesBefore: number,
): void {
  if (keyValues.length > 0) {
    writer.list(5, THRIFT.STRUCT, keyValues.length)
    for (const { key, value } of keyValues) {
      writer.open()
      writer.binary(1, key)
      if (value) writer.binary(2, value)
      writer.close()
    }
  }
  writer.binary(6, CREATED_BY_BYTES)
  // without an order readers ignore min_value and max_value
  writer.list(7, THRIFT.STRUCT, schema.leaves.length)
  for (let i = 0; i < schema.leaves.length; i++) {
    writer.open()
    writer.open(1)
    writer.close()
    writer.close()
  }
  writer.close()
  writer.out.uint32(bytesBefore + writer.out.length)
  writer.out.uint32(MAGIC)
}
