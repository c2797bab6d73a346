// Takes out of production's packages (`npm ci --omit=dev`, `npm prune --omit=dev`) what no server ever loads: 400 MB become 80.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Prisma's command line and TypeScript are optional peers of its client. npm keeps them, and all that they need, wherever
// package-lock.json has them for development.
const installed = 'node_modules/.package-lock.json'
const lock = JSON.parse(readFileSync(installed, 'utf8'))
for (const [path, { devOptional }] of Object.entries(lock.packages)) {
  if (!devOptional) continue
  rmSync(path, { recursive: true, force: true })
  delete lock.packages[path]
}
writeFileSync(installed, JSON.stringify(lock, null, 2))

// The client brings a query compiler for each database it knows, in two sizes. Ours is the one that prisma/schema.prisma gets.
const runtime = 'node_modules/@prisma/client/runtime'
for (const name of readdirSync(runtime)) {
  if (name.startsWith('query_compiler_') && !name.startsWith('query_compiler_fast_bg.postgresql.')) rmSync(join(runtime, name))
}

for (const path of readdirSync('node_modules', { recursive: true })) {
  if (path.endsWith('.map')) rmSync(join('node_modules', path))
}
