import type { FieldFault } from '../unknown-fields.ts'

const MAX_REPEATED_FIELDS = 20

/** A parsed JSON text, and the object fields that it has more than once, of which `JSON.parse` keeps only the last. */
export interface ParsedJson {
  readonly value: unknown
  readonly repeated: readonly FieldFault[]
}

/** @throws SyntaxError when the text is not JSON */
export function parseJson(text: string): ParsedJson {
  return { value: JSON.parse(text), repeated: findRepeatedFields(text) }
}

interface OpenContainer {
  /** names so far; absent for a list */
  readonly names?: Set<string>
  /** where in it the scan is: a name or an index */
  at: string | number
}

/** Walks text that is JSON, without recursion, so that no depth of it costs stack. */
function findRepeatedFields(text: string): FieldFault[] {
  const faults: FieldFault[] = []
  const open: OpenContainer[] = []
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g
  let name: string | undefined
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match
    const inner = open.at(-1)
    if (token === '{') open.push({ names: new Set(), at: '' })
    else if (token === '[') open.push({ at: 0 })
    else if (token === '}' || token === ']') open.pop()
    else if (token === ',' && inner && typeof inner.at === 'number') inner.at++
    else if (token === ':' && inner?.names && name !== undefined) {
      inner.at = name
      if (inner.names.has(name) && faults.length < MAX_REPEATED_FIELDS)
        faults.push({ path: open.slice(0, 16).map(({ at }) => at), message: 'is given more than once; give it once' })
      inner.names.add(name)
    } else if (token.startsWith('"')) name = JSON.parse(token) as string
  }
  return faults
}
