import { footerLength, TAIL_BYTES } from '../src/footer/footer.ts'
import { THRIFT, ThriftReader } from '../src/format/thrift-reader.ts'
import { ThriftWriter } from '../src/format/thrift-writer.ts'
import { readSchema } from '../src/schema/schema.ts'
import { ELEMENT, type ElementField, readTree, type SchemaNode, writeTree } from '../src/schema/schema-tree.ts'

/**
 * Write the schema of a file again, as another writer would have named and annotated it. The pages stay, so the change must
 * keep leaves, their types and levels.
 * @param edit gets the root, and may change the tree in place
 */
export function editSchema(file: Uint8Array, edit: (root: SchemaNode) => void): Uint8Array {
  const footer = file.subarray(file.length - footerLength(file.length, file))
  const reader: ThriftReader = new ThriftReader(footer, 0, footer.length - TAIL_BYTES)
  const writer = new ThriftWriter()
  let paths: Uint8Array[] = []
  writer.open()
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 2) {
      const root = readTree(readSchema(reader))
      edit(root)
      const schema = writeTree(root)
      writer.list(2, THRIFT.STRUCT, schema.elementCount)
      writer.out.append(schema.elementBytes)
      paths = schema.leaves.map(({ encodedPath }) => encodedPath)
    } else if (id === 4) {
      const groups = reader.list(THRIFT.STRUCT)
      writer.list(4, THRIFT.STRUCT, groups)
      for (let group = 0; group < groups; group++) copyRowGroup(reader, writer, paths)
    } else {
      writer.raw(id, reader.fieldType, reader.raw())
    }
  }
  writer.close()
  const edited = writer.out.take()
  const tail = new Uint8Array(TAIL_BYTES)
  new DataView(tail.buffer).setUint32(0, edited.length, true)
  tail.set(file.subarray(-4), 4)
  return Uint8Array.from([...file.subarray(0, file.length - footer.length), ...edited, ...tail])
}

function copyRowGroup(reader: ThriftReader, writer: ThriftWriter, paths: readonly Uint8Array[]): void {
  copyStruct(reader, writer, (id) => {
    if (id !== 1) return false
    const columns = reader.list(THRIFT.STRUCT)
    writer.list(1, THRIFT.STRUCT, columns)
    for (let column = 0; column < columns; column++) {
      copyStruct(reader, writer, (field) => {
        if (field !== 3) return false
        reader.struct()
        writer.open(3)
        copyFields(reader, writer, (of) => {
          if (of !== 3) return false
          reader.skip()
          writer.raw(3, THRIFT.LIST, paths[column]!)
          return true
        })
        return true
      })
    }
    return true
  })
}

function copyStruct(reader: ThriftReader, writer: ThriftWriter, replace: (id: number) => boolean): void {
  reader.enterStruct()
  writer.open()
  copyFields(reader, writer, replace)
}

function copyFields(reader: ThriftReader, writer: ThriftWriter, replace: (id: number) => boolean): void {
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (!replace(id)) writer.raw(id, reader.fieldType, reader.raw())
  }
  writer.close()
}

/** @returns the node of that dotted path */
export function nodeAt(root: SchemaNode, path: string): SchemaNode {
  let node = root
  for (const name of path.split('.')) node = node.children.find((child) => child.name === name)!
  return node
}

export function rename(node: SchemaNode, name: string): void {
  node.name = name
  node.fields.set(ELEMENT.NAME, binary(name))
}

/** @param converted number of the ConvertedType; undefined for none */
export function annotate(node: SchemaNode, converted: number | undefined, logical?: readonly number[]): void {
  node.fields.delete(ELEMENT.CONVERTED)
  node.fields.delete(ELEMENT.LOGICAL)
  if (converted !== undefined)
    node.fields.set(ELEMENT.CONVERTED, { type: THRIFT.I32, bytes: Uint8Array.of(converted * 2) })
  if (logical) node.fields.set(ELEMENT.LOGICAL, { type: THRIFT.STRUCT, bytes: Uint8Array.from(logical) })
}

function binary(text: string): ElementField {
  const writer = new ThriftWriter()
  writer.elementBinary(new TextEncoder().encode(text))
  return { type: THRIFT.BINARY, bytes: writer.out.take() }
}
