// `npm start`, and all other scripts that run from dist/: `node scripts/start.mjs [--tools] [module in dist] [arguments]`. Installs,
// generates and compiles what is missing or outdated, then loads the module into this process, so that no signal has to be forwarded.
// `--tools`: the module needs the packages of tools/.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, root } from './setup.mjs'

const tools = process.argv[2] === '--tools'
if (tools) process.argv.splice(2, 1)
const [module = 'src/server.js'] = process.argv.splice(2, 1)
if (!await build({ tests: module.startsWith('test/'), tools })) process.exit(1)
process.setSourceMapsEnabled(true)
await import(pathToFileURL(join(root, 'dist', module)).href)
