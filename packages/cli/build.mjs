// One file without dependencies: the command starts at once, and installs without a network.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const folder = import.meta.dirname
rmSync(join(folder, 'dist'), { recursive: true, force: true })
await build({
  entryPoints: [join(folder, 'src/main.ts')],
  outfile: join(folder, 'dist/main.js'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // commander is CommonJS
  banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
})
