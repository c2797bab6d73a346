// The module that PM2's primary forks in cluster mode (lib/ProcessContainer.js): it imports the program, which is not the main module then.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

process.title = 'node server.js'
await import(pathToFileURL(join(import.meta.dirname, '../../src/server.js')).href)
