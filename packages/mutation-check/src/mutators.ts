import { childrenOf, isNode, type SyntaxNode } from './syntax.ts'

/** One small fault: the text from `start` to `end` is replaced. */
export interface Change {
  readonly kind: string
  readonly start: number
  readonly end: number
  readonly replacement: string
}

const COMPARISONS: Record<string, string> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '===': '!==', '!==': '===' }
const ARITHMETIC: Record<string, string> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '+',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '&': '|',
  '|': '&',
  '^': '&',
}
const ASSIGNMENTS: Record<string, string> = { '+=': '-=', '-=': '+=', '*=': '/=', '|=': '&=', '&=': '|=', '??=': '=' }
const SIBLING_METHODS: Record<string, string> = { min: 'max', max: 'min', some: 'every', every: 'some' }

/** Literals that a mutant may put in place of another: those of the same file. */
export interface Literals {
  /** without spaces: names and codes, not sentences */
  readonly strings: readonly string[]
  /** member names in capitals by the name of their table */
  readonly members: ReadonlyMap<string, readonly string[]>
}

/** Every fault that one node can have; `text` is the text of its file. */
export function changesOf(
  node: SyntaxNode,
  parent: SyntaxNode | undefined,
  text: string,
  literals: Literals,
): Change[] {
  const changes: Change[] = []
  const textOf = (part: SyntaxNode) => text.slice(part.start, part.end)
  const replace = (kind: string, part: { start: number; end: number }, replacement: string) => {
    if (text.slice(part.start, part.end) !== replacement)
      changes.push({ kind, start: part.start, end: part.end, replacement })
  }
  const swapOperator = (kind: string, left: SyntaxNode, right: SyntaxNode, from: string, to: string | undefined) => {
    if (to === undefined) return
    const start = left.end + text.slice(left.end, right.start).indexOf(from)
    replace(kind, { start, end: start + from.length }, to)
  }
  const replaceCondition = (test: unknown) => {
    if (!isNode(test)) return
    replace('condition', test, 'true')
    replace('condition', test, 'false')
  }

  switch (node.type) {
    case 'BinaryExpression': {
      const [left, right, operator] = [node.left as SyntaxNode, node.right as SyntaxNode, node.operator as string]
      swapOperator('comparison', left, right, operator, COMPARISONS[operator])
      if (![left, right].some(isText)) swapOperator('arithmetic', left, right, operator, ARITHMETIC[operator])
      break
    }
    case 'AssignmentExpression': {
      const operator = node.operator as string
      swapOperator('assignment', node.left as SyntaxNode, node.right as SyntaxNode, operator, ASSIGNMENTS[operator])
      break
    }
    case 'UpdateExpression': {
      const operator = node.operator as string
      const start = node.prefix ? node.start : node.end - 2
      replace('assignment', { start, end: start + 2 }, operator === '++' ? '--' : '++')
      break
    }
    case 'LogicalExpression': {
      const [left, right] = [node.left as SyntaxNode, node.right as SyntaxNode]
      replace('operand', node, `(${textOf(left)})`)
      replace('operand', node, `(${textOf(right)})`)
      break
    }
    case 'UnaryExpression':
      if (node.operator === '!' || node.operator === '-') replace('negation', node, textOf(node.argument as SyntaxNode))
      break
    case 'ConditionalExpression':
    case 'IfStatement':
      replaceCondition(node.test)
      break
    case 'WhileStatement':
      replace('condition', node.test as SyntaxNode, 'false')
      break
    case 'ExpressionStatement':
      if (!node.directive) replace('statement', node, ';')
      break
    case 'ThrowStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      if (parent?.type !== 'SwitchCase') replace('statement', node, ';')
      break
    case 'Literal':
      if (isKey(node, parent)) break
      if (typeof node.value === 'number' && /^[\d_.]+$/.test(textOf(node))) {
        replace('number', node, String(node.value + 1))
        replace('number', node, node.value > 0 ? String(node.value - 1) : '-1')
      } else if (typeof node.value === 'number') {
        replace('number', node, `(${textOf(node)} + 1)`)
        replace('number', node, `(${textOf(node)} - 1)`)
      } else if (typeof node.value === 'boolean') {
        replace('boolean', node, String(!node.value))
      } else if (typeof node.bigint === 'string') {
        replace('number', node, `(${textOf(node)} + 1n)`)
        replace('number', node, `(${textOf(node)} - 1n)`)
      } else if (isName(node)) {
        const next = after(literals.strings, node.value as string)
        if (next !== undefined) replace('name', node, `'${next}'`)
      }
      break
    case 'MemberExpression': {
      const [table, member] = [node.object as SyntaxNode, node.property as SyntaxNode]
      const next = isMember(node) && after(literals.members.get(table.name as string) ?? [], member.name as string)
      if (next) replace('name', member, next)
      break
    }
    case 'CallExpression': {
      const [callee, given] = [node.callee as SyntaxNode, node.arguments as SyntaxNode[]]
      for (const [i, argument] of given.entries()) {
        const next = given[i + 1]
        if (next && !isCommutative(callee))
          replace('arguments', { start: argument.start, end: next.end }, `${textOf(next)}, ${textOf(argument)}`)
      }
      if (callee.type !== 'MemberExpression' || callee.computed) break
      const method = callee.property as SyntaxNode
      const sibling = SIBLING_METHODS[method.name as string]
      if (sibling) replace('method', method, sibling)
      const statement = parent?.type === 'ExpressionStatement' || parent?.type === 'AwaitExpression'
      if (!statement) replace('call', node, textOf(callee.object as SyntaxNode))
      break
    }
    case 'AwaitExpression':
      replace('await', node, textOf(node.argument as SyntaxNode))
      break
    case 'ObjectExpression':
      for (const property of node.properties as SyntaxNode[]) {
        const comma = /^\s*,/.exec(text.slice(property.end))?.[0].length ?? 0
        replace('property', { start: property.start, end: property.end + comma }, '')
      }
      break
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression': {
      const body = node.body as SyntaxNode | null
      if (body?.type === 'BlockStatement' && childrenOf(body).length > 1) {
        replace('early return', { start: body.start, end: body.start + 1 }, '{ return;')
      }
      break
    }
  }
  return changes
}

export function literalsOf(root: SyntaxNode): Literals {
  const strings = new Set<string>()
  const members = new Map<string, Set<string>>()
  const visit = (node: SyntaxNode, parent?: SyntaxNode) => {
    if (node.type === 'ImportDeclaration') return
    if (node.type === 'Literal' && isName(node) && !isKey(node, parent)) strings.add(node.value as string)
    if (isMember(node)) {
      const table = (node.object as SyntaxNode).name as string
      members.set(table, (members.get(table) ?? new Set()).add((node.property as SyntaxNode).name as string))
    }
    for (const child of childrenOf(node)) visit(child, node)
  }
  visit(root)
  return { strings: [...strings], members: new Map([...members].map(([table, names]) => [table, [...names]])) }
}

/** Their arguments may stand in any order, so that no test could notice another. */
function isCommutative(callee: SyntaxNode): boolean {
  // the outcomes that an answer may have, in `catalog`
  if (callee.name === 'outcomes') return true
  const [object, method] = [callee.object as SyntaxNode | undefined, callee.property as SyntaxNode | undefined]
  return object?.name === 'Math' && ['min', 'max', 'imul'].includes(method?.name as string)
}

/** The one that follows in a circle, or undefined if there is no other. */
function after(values: readonly string[], value: string): string | undefined {
  const next = values[(values.indexOf(value) + 1) % values.length]
  return next === value ? undefined : next
}

function isName(literal: SyntaxNode): boolean {
  return typeof literal.value === 'string' && /^[\w.:/-]+$/.test(literal.value)
}

function isMember(node: SyntaxNode): boolean {
  if (node.type !== 'MemberExpression' || node.computed) return false
  const [table, member] = [node.object as SyntaxNode, node.property as SyntaxNode]
  return (
    table.type === 'Identifier' && /^[A-Z]/.test(table.name as string) && /^[A-Z][A-Z\d_]+$/.test(member.name as string)
  )
}

function isText(node: SyntaxNode): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string')
}

function isKey(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  return parent?.type === 'Property' && parent.key === node && !parent.computed
}
