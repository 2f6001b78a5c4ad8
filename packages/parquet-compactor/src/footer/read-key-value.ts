import type { ThriftReader } from '../format/thrift-reader.ts'
import type { KeyValue } from './footer.ts'

export function readKeyValue(reader: ThriftReader): KeyValue {
  let key: Uint8Array | undefined
  let value: Uint8Array | undefined
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) key = reader.binary().slice()
    else if (id === 2) value = reader.binary().slice()
    else reader.skip()
  }
  if (!key) reader.fail('key-value metadata without a key')
  return { key, value }
}
