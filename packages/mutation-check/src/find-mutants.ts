import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Change, changesOf, literalsOf } from './mutators.ts'
import { childrenOf, parse, type SyntaxNode } from './syntax.ts'

/** One small fault in one source file. */
export interface Mutant extends Change {
  /** from the root of the repository */
  readonly path: string
  /** counted from 1 */
  readonly line: number
  /** SHA-256 of the file before the change */
  readonly sourceHash: string
  /** number of the innermost block that holds the change, as `findBlocks` counts them; −1 outside of all */
  readonly block: number
}

/** Sources that hold no logic: declarations, and the kernel as bytes. */
const WITHOUT_LOGIC = /\.d\.ts$|kernel-wasm\.ts$/

/** The sources below a folder, as paths from the root of the repository, in the order of their names. */
export function findSources(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !WITHOUT_LOGIC.test(name))
    .map((name) => join(folder, name))
    .sort()
}

export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Every mutant of one file, in the order of the text. */
export function findMutants(root: string, path: string): Mutant[] {
  const text = readFileSync(join(root, path), 'utf8')
  const program = parse(path, text)
  const literals = literalsOf(program)
  const blocks = findBlocks(program)
  const sourceHash = hashText(text)
  const mutants: Mutant[] = []
  const visit = (node: SyntaxNode, parent?: SyntaxNode) => {
    if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return
    for (const change of changesOf(node, parent, text, literals)) {
      const line = text.slice(0, change.start).split('\n').length
      const block = blocks.findLastIndex(
        ({ start, end }) => start < change.end && change.start < end && start <= change.start,
      )
      mutants.push({ ...change, path, line, sourceHash, block })
    }
    for (const child of childrenOf(node)) visit(child, node)
  }
  visit(program)
  return mutants
}

/** Where blocks begin and end, in the order of their beginnings; a block is a body, a branch or a whole arrow function. */
export function findBlocks(program: SyntaxNode): { start: number; end: number; expression: boolean }[] {
  const blocks: { start: number; end: number; expression: boolean }[] = []
  const visit = (node: SyntaxNode) => {
    if (node.type === 'BlockStatement' || node.type === 'FunctionBody')
      blocks.push({ start: node.start, end: node.end, expression: false })
    if (node.type === 'ArrowFunctionExpression' && node.expression) {
      const body = node.body as SyntaxNode
      blocks.push({ start: body.start, end: body.end, expression: true })
    }
    for (const child of childrenOf(node)) visit(child)
  }
  visit(program)
  return blocks
}
