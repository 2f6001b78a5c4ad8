import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Copies the repository as it stands, committed or not, to a temporary folder: mutants never touch the real tree.
 * Links between the packages lead to the copies, links to dependencies to the installed ones.
 * @returns the folder, and a function that removes it
 */
export function copyRepository(root: string): { folder: string; remove: () => void } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fusou-mutants-')))
  // PostgreSQL refuses to run as root: the tests start it under another account, which keeps its files in the copy
  chmodSync(folder, 0o755)
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const path of listed.toString().split('\0')) {
    if (path === '' || !existsSync(join(root, path))) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(root, path), join(folder, path))
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const name of readdirSync(join(root, 'packages'))) {
    const modules = join('packages', name, 'node_modules')
    if (existsSync(join(root, modules))) {
      cpSync(join(root, modules), join(folder, modules), { recursive: true, verbatimSymlinks: true, filter: isNoCache })
    }
  }
  return { folder, remove: () => remove(folder) }
}

const isNoCache = (path: string) => !/\/\.(vite|vite-temp|mf)(\/|$)/.test(path)

/** Processes that were just ended may still have been writing into it. */
function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
