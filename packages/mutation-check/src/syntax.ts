import { parseSync } from 'oxc-parser'

/** A node of the ESTree that oxc gives; offsets count UTF-16 units, as `String.slice` does. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string'
}

/** @throws {Error} if the text is not TypeScript */
export function parse(path: string, text: string): SyntaxNode {
  const { program, errors } = parseSync(path, text, { sourceType: 'module' })
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  return program as unknown as SyntaxNode
}

/** Types have no effect at run time; only the expressions inside these wrappers do. */
const WRAPPERS = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'TSParameterProperty'])
const TYPE_FIELDS = new Set(['typeAnnotation', 'typeArguments', 'typeParameters', 'returnType', 'superTypeArguments'])

/** The children of a node that exist at run time, in the order of the text. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = []
  for (const [field, value] of Object.entries(node)) {
    if (TYPE_FIELDS.has(field)) continue
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child) && (!child.type.startsWith('TS') || WRAPPERS.has(child.type))) children.push(child)
    }
  }
  return children.sort((a, b) => a.start - b.start)
}
