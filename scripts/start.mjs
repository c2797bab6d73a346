// `npm start`, and whatever else runs from dist/: `node scripts/start.mjs [module in dist] [arguments]`. Installs, generates and
// compiles what is missing or old, then *becomes* the server: one process, so that a signal needs no forwarding.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, root } from './setup.mjs'

const [module = 'src/server.js'] = process.argv.splice(2, 1)
if (!await build({ tests: module.startsWith('test/') })) process.exit(1)
process.setSourceMapsEnabled(true)
await import(pathToFileURL(join(root, 'dist', module)).href)
