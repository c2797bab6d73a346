// `npm start`, and all other scripts that run from dist/: `node scripts/start.mjs [module in dist] [arguments]`. Installs, generates and
// compiles what is missing or outdated, then loads the module into this process, so that no signal has to be forwarded.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, root } from './setup.mjs'

const [module = 'src/server.js'] = process.argv.splice(2, 1)
if (!await build({ tests: module.startsWith('test/') })) process.exit(1)
process.setSourceMapsEnabled(true)
await import(pathToFileURL(join(root, 'dist', module)).href)
