// `npm run help`: prints a line for each script of package.json, in the same order.
const descriptions = {
  start: 'installs what is missing, builds, migrates the database and serves',
  dev: 'builds and serves, and does both again after each edit in src/',
  build: 'compiles the server into dist/ and the client into client/dist/',
  test: 'runs the tests with their own PostgreSQL, Redis and nginx; `npm test -- FILE` runs one file',
  coverage: 'runs the tests and shows which lines of src/ were not executed',
  lint: 'checks style and the directions of imports',
  typecheck: 'checks the types of sources, scripts, tests and the client',
  config: 'prints every configuration value and where it comes from',
  admin: 'lists, promotes, demotes, disables and enables accounts',
  prune: 'removes old messages in short statements, while the server runs or not',
  smoke: 'checks a running server: two users register, join, exchange a message and read the history',
  conformance: 'judges the server at a URL by each rule of docs/protocol.md: `npm run conformance -- ws://localhost:8080`',
  bench: 'compares Parley with Socket.IO and ws; `-- web`: the web app, `-- growth`: how costs grow; `-- --quick`: minutes, not 40',
  faults: 'kills, freezes and cuts off processes and databases, and checks the guarantees; takes a quarter of an hour',
  example: 'starts a server in memory and an example: `-- page`, `-- react` or `-- node-bot`',
  demo: 'serves a community of 200 people with two months of history, in which scripted people go on talking',
  screenshots: 'photographs the web app, in both themes and three sizes; `-- --animation` makes the film of the README',
  release: 'gives all packages a new version, commits and tags it: `-- patch`, `minor`, `major` or a version; pushes nothing',
  generate: 'writes what is made of the schemas: the types of the client and the reference pages of docs/',
  backup: 'writes everything in the database into a file, `-- FILE`, while the server runs or not',
  restore: 'reads such a file into an empty database, `-- FILE`',
  'db:copy': 'copies everything into another database, `-- --to postgresql://…`, and verifies it',
  'db:migrate': 'applies missing migrations; the server does it when it starts',
  'db:new': 'writes a migration from the changes of the data model and of the SQL functions',
  'db:status': 'shows which migrations are applied and which are missing',
  help: 'shows this list'
}

const width = Math.max(...Object.keys(descriptions).map(name => name.length))
for (const [name, description] of Object.entries(descriptions)) console.log(`npm run ${name.padEnd(width)}  ${description}`)
