// `npm run help`: every script of package.json with a line. It runs before anything is installed: Node alone.
import { readFileSync } from 'node:fs'

/** What each script does. */
const descriptions = {
  start: 'installs what is missing, builds, migrates the database and serves',
  dev: 'serves from the sources and starts again after each edit',
  build: 'compiles the server into dist/',
  test: 'runs the tests with a PostgreSQL, Redis and nginx of their own; `npm test -- FILE` runs one file',
  lint: 'checks style and the directions of imports',
  typecheck: 'checks the types of sources, scripts and tests',
  config: 'prints every configuration value and where it comes from',
  admin: 'lists, promotes, disables and deletes accounts; resets passwords',
  prune: 'removes old messages in short statements, beside a running server',
  smoke: 'lets two people register, join, talk and read history on a running server',
  bench: 'compares Parley with Socket.IO and ws; `-- --quick` takes minutes instead of an hour',
  faults: 'kills, freezes and cuts off processes and databases, and checks every guarantee; takes a quarter of an hour',
  'db:migrate': 'applies missing migrations; the server does it when it starts',
  'db:new': 'writes a migration from the changes of the data model and of the SQL functions',
  'db:status': 'shows which migrations are applied and which are missing',
  help: 'shows this list'
}

const scripts = Object.keys(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).scripts)
const width = Math.max(...scripts.map(name => name.length))
for (const name of scripts) {
  if (descriptions[name] === undefined) throw new Error(`scripts/help.mjs describes no script ${name}`)
  console.log(`npm run ${name.padEnd(width)}  ${descriptions[name]}`)
}
