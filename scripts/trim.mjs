// Removes from the production packages (`npm ci --omit=dev`, `npm prune --omit=dev`) what a server never loads: 400 MB become 80 MB.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Prisma's command line and TypeScript are optional peers of Prisma's client. npm keeps them and their dependencies if package-lock.json
// lists them for development.
const installed = 'node_modules/.package-lock.json'
const lock = JSON.parse(readFileSync(installed, 'utf8'))
for (const [path, { devOptional }] of Object.entries(lock.packages)) {
  if (!devOptional) continue
  rmSync(path, { recursive: true, force: true })
  delete lock.packages[path]
}
writeFileSync(installed, JSON.stringify(lock, null, 2))

// Prisma's client contains query compilers for many databases, in two sizes. Only the one that prisma/schema.prisma selects is used.
const runtime = 'node_modules/@prisma/client/runtime'
for (const name of readdirSync(runtime)) {
  if (name.startsWith('query_compiler_') && !name.startsWith('query_compiler_fast_bg.postgresql.')) rmSync(join(runtime, name))
}

for (const path of readdirSync('node_modules', { recursive: true })) {
  // npm links the client, which is no installed package, into this folder.
  if (path.endsWith('.map') && !path.startsWith('@parley/')) rmSync(join('node_modules', path))
}
