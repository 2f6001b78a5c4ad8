// Bundles the Pages project into dist/: the Worker in advanced mode, and the static files that it never sees.
import { cpSync, rmSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'

const folder = import.meta.dirname
const dist = join(folder, 'dist')

/** The runtime knows Node's modules by their `node:` names only, and a module of it has no `require`. */
const nodeModules = {
  name: 'node-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(?:node:)?(?:${builtinModules.join('|')})$`) }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '')
      return kind === 'require-call' ? { path: name, namespace: 'required' } : { path: `node:${name}`, external: true }
    })
    onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `export * from 'node:${path}'; export { default } from 'node:${path}'`,
    }))
  },
}

rmSync(dist, { recursive: true, force: true })
cpSync(join(folder, 'public'), dist, { recursive: true })
await build({
  entryPoints: [join(folder, 'src/index.ts')],
  outfile: join(dist, '_worker.js'),
  bundle: true,
  format: 'esm',
  target: 'es2024',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'import'],
  external: ['cloudflare:*'],
  plugins: [nodeModules],
  loader: { '.production': 'text' },
  logLevel: 'warning',
})
