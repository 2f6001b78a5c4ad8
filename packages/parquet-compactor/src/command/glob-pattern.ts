import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path)
}

/**
 * Files that match a pattern of `*`, `?`, `[abc]`, `{a,b}` and `**` for any number of folders. Names that begin with a dot
 * match only a part that does so too. The walk goes no deeper than the pattern, and into no symbolic link to a folder.
 */
export async function expandPattern(pattern: string): Promise<string[]> {
  const found = new Set<string>()
  for (const alternative of expandBraces(pattern)) {
    const parts = alternative.split('/').filter((part, i) => part !== '' || i === 0)
    const root = parts[0] === '' ? '/' : ''
    await walk(root, root ? parts.slice(1) : parts, found)
  }
  return [...found]
}

async function walk(folder: string, parts: string[], found: Set<string>): Promise<void> {
  const [part, ...rest] = parts
  if (part === undefined) return
  if (part === '.' || part === '..' || (rest.length > 0 && !isPattern(part))) {
    await walk(join(folder || '.', part), rest, found)
    return
  }
  // no files between no folders
  if (part === '**') await walk(folder, rest, found)
  const name = part === '**' ? /^[^.]/ : partPattern(part)
  const entries = await readdir(folder || '.', { withFileTypes: true }).catch(ignoreMissing)
  for (const entry of entries) {
    if (!name.test(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (part === '**') await walk(path, parts, found)
      else if (rest.length > 0) await walk(path, rest, found)
    } else if (part !== '**' && rest.length === 0) {
      found.add(path)
    }
  }
}

/** A folder that the fixed part of a pattern names and that is not there matches nothing. */
function ignoreMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
  throw error
}

function partPattern(part: string): RegExp {
  let source = part.startsWith('.') ? '' : '(?!\\.)'
  for (let at = 0; at < part.length; at++) {
    const char = part[at]!
    const end = char === '[' ? part.indexOf(']', at + 2) : -1
    if (char === '*') source += '.*'
    else if (char === '?') source += '.'
    else if (end > 0) {
      source += `[${part
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replace(/[\\\]]/g, '\\$&')}]`
      at = end
    } else source += char.replace(/[\\^$.*+?()[\]{}|]/, '\\$&')
  }
  return new RegExp(`^${source}$`, 's')
}

/** `a{b,c}` to `ab` and `ac`; braces may stand in braces. */
export function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf('{')
  if (open < 0) return [pattern]
  let depth = 0
  const cuts = [open]
  for (let at = open; at < pattern.length; at++) {
    if (pattern[at] === '{') depth++
    else if (pattern[at] === '}') depth--
    if (depth === 0) {
      cuts.push(at)
      break
    }
    if (depth === 1 && pattern[at] === ',') cuts.push(at)
  }
  // never closed, so a brace is a brace
  if (depth > 0) return [pattern]
  const [before, after] = [pattern.slice(0, open), pattern.slice(cuts.at(-1)! + 1)]
  return cuts.slice(0, -1).flatMap((cut, i) => expandBraces(`${before}${pattern.slice(cut + 1, cuts[i + 1])}${after}`))
}
